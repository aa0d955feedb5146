# `make demo` and `make test` do all of their set-up on a fresh machine; both are quick the second time.
# PYTHON=/path/to/python3.12 chooses the interpreter, ARGS="..." is passed on to pytest (or to the lock).

BIN := .venv/bin
# What must be covered to the last branch or nearly: everything that judges, below the layers that touch the world.
JUDGING := src/navicert/strictjson.py,src/navicert/survey.py,src/navicert/digest.py,src/navicert/timestamp.py,$\
	src/navicert/errors.py,src/navicert/limits.py,src/navicert/valueclass.py,src/navicert/initializer.py,$\
	src/navicert/interface.py,src/navicert/verdict.py,src/navicert/model/*,src/navicert/envelope/*,$\
	src/navicert/crypto/*,src/navicert/verify/*,src/navicert/slsa/*,src/navicert/authoring/*,src/navicert/report/*
PYTEST := $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist worksteal

.DEFAULT_GOAL := help
.PHONY: help demo test test-kubernetes kubernetes check lint types coverage mutation bench bench-quick bench-store lock \
	dist runtime dev lab clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 17

demo: runtime ## install into .venv and show everything on a small image, offline
	@$(BIN)/navicert demo

test: dev lab ## everything but Kubernetes: style, types and all tests, against real components
	@$(MAKE) --no-print-directory lint types
	NAVICERT_LAB=required $(PYTEST) --ignore=tests/kubernetes $(ARGS)

test-kubernetes: dev kubernetes ## the tests against a real API server, which is built once (ten minutes, outside this folder)
	NAVICERT_LAB=required $(BIN)/python -m pytest tests/kubernetes $(ARGS)

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
	NAVICERT_LAB=$(if $(wildcard .lab/components),required) $(PYTEST) -q --cov --cov-report= --ignore=tests/kubernetes $(ARGS)
	$(BIN)/coverage report
	$(BIN)/coverage report --include="$(JUDGING)" --fail-under=98

mutation: dev ## invert every condition of the judging code and see which inversions no test notices (long)
	$(BIN)/python scripts/mutation.py $(ARGS)

bench: dev ## speed and memory beside in-toto 3.1.0: a quarter of an hour, 5 GB (ARGS="record-20k --json FILE": a part)
	$(BIN)/python -m bench $(ARGS)

bench-quick: dev ## the same with small sizes, a minute and a half
	$(BIN)/python -m bench --quick $(ARGS)

bench-store: dev ## the evidence stores, SQLite and PostgreSQL, some minutes (ARGS="--pieces 1000000": an hour, 5 GB)
	$(BIN)/python -m bench.store $(ARGS)

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

kubernetes: dev
	@tests/kubernetes.sh

clean: ## remove what was made here
	rm -rf .venv .lab dist build htmlcov mutants .mypy_cache .ruff_cache .pytest_cache .coverage .coverage.*
