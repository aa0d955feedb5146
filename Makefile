# `make demo` and `make test` do all of their set-up on a fresh machine; both are quick the second time.
# PYTHON=/path/to/python3.12 chooses the interpreter, ARGS="..." is passed on to pytest (or to the lock).

BIN := .venv/bin
# What must be covered to the last branch or nearly: everything that judges, below the layers that touch the world.
JUDGING := src/navicert/strictjson.py,src/navicert/digest.py,src/navicert/timestamp.py,src/navicert/errors.py,$\
	src/navicert/limits.py,src/navicert/verdict.py,src/navicert/model/*,src/navicert/envelope/*,$\
	src/navicert/crypto/*,src/navicert/verify/*,src/navicert/authoring/*,src/navicert/report/*
PYTEST := $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist worksteal

.DEFAULT_GOAL := help
.PHONY: help demo test check lint types coverage mutation lock dist runtime dev lab clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 12

demo: runtime ## install into .venv and show everything on a small image, offline
	@$(BIN)/navicert demo

test: dev lab ## everything: style, types and all tests, against real components
	@$(MAKE) --no-print-directory lint types
	NAVICERT_LAB=required $(PYTEST) $(ARGS)

check: dev ## the quick part: style, types and the tests that need nothing else
	@$(MAKE) --no-print-directory lint types
	$(PYTEST) -q -m "not slow" $(wildcard tests/unit tests/architecture tests/property tests/attacks tests/vectors) $(ARGS)

lint: dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: dev
	$(BIN)/mypy

coverage: dev ## branch coverage: all of it as a list, and at least 98 % where Navicert judges
	$(BIN)/coverage erase
	NAVICERT_LAB=$(if $(wildcard .lab/components),required) $(PYTEST) -q --cov --cov-report= $(ARGS)
	$(BIN)/coverage report
	$(BIN)/coverage report --include="$(JUDGING)" --fail-under=98

mutation: dev ## invert every condition of the judging code and see which inversions no test notices (long)
	$(BIN)/python scripts/mutation.py $(ARGS)

lock: ## resolve the dependencies anew and write requirements/*.txt (ARGS=--upgrade: to the newest)
	scripts/lock.sh $(ARGS)

dist: dev ## the wheel and the source archive, in dist/
	$(BIN)/hatchling build

runtime:
	@scripts/environment.sh runtime

dev:
	@scripts/environment.sh dev

lab: dev
	@tests/lab.sh

clean: ## remove what was made here
	rm -rf .venv .lab dist build htmlcov mutants .mypy_cache .ruff_cache .pytest_cache .coverage .coverage.*
