# Every target sets up what it needs. `make help` lists them.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3 python; do command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
STAMP := $(VENV)/.ready
TESTS ?= tests

.PHONY: help setup demo test lint bench bench-full pins clean
help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

setup: $(STAMP)  ## build .venv with the affwire command in it

$(STAMP): pyproject.toml requirements/dev.txt
	@test -n "$(PYTHON)" || { echo "affwire needs Python 3.11 or newer on PATH; none was found." >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "$(PYTHON) has no venv module: install your system's python3-venv package." >&2; exit 1; }
	@echo "Setting up $(VENV) with $$($(PYTHON) --version) ..."
	@$(PYTHON) -m venv --clear $(VENV)
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
	@echo "Ready: $(VENV)/bin/affwire"

demo: setup  ## watch changes of affiliate state arrive in six dialects
	@$(VENV)/bin/affwire demo

test: setup lint  ## everything: lint, types, tests
	@$(VENV)/bin/python -m pytest -n 2 $(TESTS)

lint: setup  ## ruff and mypy --strict
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy

bench: setup  ## figures, each beside its limit of the same minute, and a report (BENCH="--quick drain" for less)
	@$(VENV)/bin/python bench/run.py $(BENCH)

bench-full: setup  ## the same with 5,000,000 deliveries pending: some GB in the temporary directory
	@$(VENV)/bin/python bench/run.py --full $(BENCH)

PIN = uv pip compile --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate --python-version 3.11 -q pyproject.toml
pins: setup  ## renew requirements/*.txt from pyproject.toml (needs uv)
	$(PIN) -o requirements/run.txt
	$(PIN) --group dev -o requirements/dev.txt
	$(PIN) --all-extras --group build --constraint requirements/dev.txt -o requirements/image.txt

clean:  ## remove the environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .hypothesis
