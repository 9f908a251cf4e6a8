# Two commands for a fresh machine with python 3.11 or newer: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
# A venv is made again when what it holds is declared anew.
READY = $(VENV)/ready

.PHONY: demo test lint derive clean

demo: $(READY)
	$(BIN)/second-opinion run manifests/demo.json
	@echo
	@echo "Joined tables and audits: manifests/joined/"
	@echo "The report to cite:       manifests/demo.report.json (for people: manifests/demo.report.md)"

test: lint
	$(BIN)/pytest -n auto

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# What follows from the declaration of the join options: the manifest's schema, a table in the docs.
derive: $(READY)
	$(BIN)/python tools/derive.py

$(READY): setup.cfg pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $(READY)

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
