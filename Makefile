# Set-up is part of every command: .venv is made on first use, and again when what it needs has changed.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
COVERAGE ?=# make test COVERAGE=yes measures which branches of core, run, store and analysis the tests take
export PYTHONDONTWRITEBYTECODE :=# each process compiles all sources again where images of containers set it
INSTALLS := tests/architecture/test_package.py::test_each_extra_installs_alone_and_scores_features
ALONE := build/package# the environment that builds the wheel: it is made while .venv is

.PHONY: demo test package quick check lint types layers docs format setup

demo: $(INSTALLED)  ## compare real models on real tasks, image and text, with no download besides packages
	$(BIN)/assay demo

test: $(INSTALLED)  ## run the tests, offline, in two processes
	$(BIN)/python -m pytest -n 2 --dist worksteal $(if $(COVERAGE),--cov --cov-report=term:skip-covered)

package:  ## install the built wheel in new environments: alone, and with two extras (needs a network, not .venv)
	$(PYTHON) -m venv $(ALONE)
	$(ALONE)/bin/python -m pip install --progress-bar off -q -c constraints.txt hatchling numpy pytest
	$(ALONE)/bin/python -m pytest --confcutdir=tests/architecture -c pyproject.toml -o addopts= -o filterwarnings= \
	  -m slow $(foreach extra,core html onnx,"$(INSTALLS)[$(extra)]")

quick: $(INSTALLED)  ## run the tests that load no framework and start no process
	$(BIN)/python -m pytest -n 2 --dist worksteal --quick tests

check: lint types layers docs test  ## everything before a commit

lint: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(INSTALLED)
	$(BIN)/mypy

layers: $(INSTALLED)
	$(BIN)/lint-imports

docs: $(INSTALLED)  ## build the documentation into build/documentation/site; its links are checked
	$(BIN)/python docs/build_site.py

format: $(INSTALLED)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

setup: $(INSTALLED)  ## only make .venv

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Assay needs Python 3.11 or newer: make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv
	@echo "Installing Assay and the model libraries into .venv: about 8 GB, some minutes, once."
	$(BIN)/python -m pip install --progress-bar off --no-compile -q -c constraints.txt -e '.[dev]'
	touch $@
