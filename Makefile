# Two commands for a fresh machine with python 3.11 or newer: `make demo` and `make test`.
# `make test-lowest` tests with the oldest versions of what the package needs; `make bench` measures.
PYTHON ?= python3
VENV ?= .venv
LOWEST ?= .venv-lowest
AUDIT ?= .venv-audit
BIN = $(VENV)/bin
# A venv is made again when what it holds is declared anew.
READY = $(VENV)/ready
BENCH_READY = $(VENV)/bench-ready
LOWEST_READY = $(LOWEST)/ready

.PHONY: demo test test-lowest lint audit-environment derive bench clean

demo: $(READY)
	$(BIN)/second-opinion run manifests/demo.json
	@echo
	@echo "Joined tables and audits: manifests/joined/"
	@echo "The report to cite:       manifests/demo.report.json (for people: manifests/demo.report.md)"
	@echo
	$(BIN)/second-opinion impact manifests/demo.json

test: lint
	$(BIN)/pytest -n auto

# The lowest versions that setup.cfg allows; `make test` has the newest.
test-lowest: $(LOWEST_READY)
	$(LOWEST)/bin/pytest -n auto

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

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

$(READY): setup.cfg pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[dev,evidence]'
	@touch $(READY)

# The peers of the join, of which the tests need Polars and DuckDB alone.
$(BENCH_READY): $(READY)
	$(BIN)/python -m pip install --quiet --editable '.[bench]'
	@touch $(BENCH_READY)

$(LOWEST_READY): setup.cfg pyproject.toml tools/lowest.py
	$(PYTHON) -m venv $(LOWEST)
	$(PYTHON) tools/lowest.py >$(LOWEST)/requirements.txt
	$(LOWEST)/bin/python -m pip install --quiet --requirement $(LOWEST)/requirements.txt --editable .
	@touch $(LOWEST_READY)

clean:
	rm -rf $(VENV) $(LOWEST) $(AUDIT) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
