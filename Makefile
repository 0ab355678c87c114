# Everything below sets itself up: `make demo` and `make test` need Python 3.11 or newer and nothing else.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: help demo ui test test-recovery test-night test-system lint types validate bench lock clean

help:  ## Show what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort

demo: $(VENV)/.installed  ## See a whole migration happen, on this machine, with synthetic data
	$(BIN)/ledger-assets demo

ui: $(VENV)/.installed  ## Open the Dagster web UI with everything it needs running
	$(BIN)/ledger-assets ui

test: $(VENV)/.installed-dev  ## Run the tests that need only Python
	$(BIN)/python -m pytest -m "not system and not recovery and not night" -n 2

test-recovery: $(VENV)/.installed-dev  ## Run the tests of snapshots, restores and erasures; they need only Python, too
	$(BIN)/python -m pytest -m "recovery and not system" -n 2

test-night: $(VENV)/.installed-dev  ## Run the tests of the migration day: sync, freeze, cut-over, accounts, health; only Python, too
	$(BIN)/python -m pytest -m "night and not system" -n 2

test-system: $(VENV)/.installed-dev  ## Run the tests that need Debian's Postgres 15, Chromium and Node.js
	@$(BIN)/python tests/system/needs.py
	$(BIN)/python -m pytest -m system

lint: $(VENV)/.installed-dev  ## Style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed-dev  ## Types, strictly
	$(BIN)/mypy

validate: $(VENV)/.installed-dev  ## Do both code locations load?
	@folder=$$(mktemp -d); DAGSTER_HOME=$$folder $(BIN)/dagster definitions validate -w workspace.yaml; code=$$?; rm -rf $$folder; exit $$code

bench: $(VENV)/.installed-bench  ## Measure, as ratios in one run (about 10 minutes)
	$(BIN)/python -m benchmarks

lock: $(VENV)/.installed-dev  ## Resolve the lock files anew, without index addresses
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --no-header --no-annotate pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --no-header --no-annotate --extra dev pyproject.toml -o requirements-dev.lock

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11 ..."; exit 2; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.installed: requirements.lock pyproject.toml | $(VENV)/.python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock | $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.lock
	@touch $@

$(VENV)/.installed-bench: benchmarks/requirements.txt | $(VENV)/.installed-dev
	$(PYTHON) -m venv $(VENV)-dlt
	$(VENV)-dlt/bin/python -m pip install --quiet --disable-pip-version-check -r benchmarks/requirements.txt
	@touch $@

clean:  ## Remove what the tests and tools leave; .ledger stays, it may hold a real export
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis
