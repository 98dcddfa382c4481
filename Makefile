# One word each; `make` alone lists them.
.DEFAULT_GOAL := help
.PHONY: help setup demo test test-all check serve bench docs

PYTHON ?= python3
WORKERS ?= 2

BIN := .venv/bin
READY := .venv/.ready
PYTEST := $(BIN)/python -m pytest -n $(WORKERS)

# Tests run side by side: one thread for each, or they fight over the cores.
test test-all check: export OMP_NUM_THREADS := 1
test test-all check: export OPENBLAS_NUM_THREADS := 1
test test-all check: export MKL_NUM_THREADS := 1
test test-all check: export ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS := 1

help: ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 18

setup: $(READY) ## .venv with everything installed; done again only when its inputs change

$(READY): pyproject.toml constraints.txt scripts/system-packages.sh
	@PYTHON="$(PYTHON)" scripts/system-packages.sh
	@test -x $(BIN)/python || "$(PYTHON)" -m venv .venv
	@echo "installing into .venv: some minutes the first time"
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: setup ## the sample trial, from DICOM to report
	$(BIN)/trialimg run protocols/nsclc_recist11.yaml sample_data --out runs/demo --workers $(WORKERS)

test: setup ## the test suite as CI runs it
	$(PYTEST) -m "not slow"

test-all: setup ## the same and the slow tests
	$(PYTEST)

check: setup ## format, lint, types, import contracts, unit tests: under a minute
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(PYTEST) -q -m "not slow and not long" tests/unit tests/architecture

serve: setup ## the dashboard
	$(BIN)/trialimg serve --demo --home runs/home

bench: setup ## measure speed and memory, side by side with the peers
	@set -e; for script in $(sort $(wildcard tests/benchmarks/*.py)); do echo "== $$script"; $(BIN)/python "$$script"; done

docs: setup ## the documentation, into site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
