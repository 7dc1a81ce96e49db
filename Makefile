# Everything that a newcomer and the CI call; `make` alone lists it.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
.NOTPARALLEL:
# Each of the many programs that the tests start would compile the whole server anew.
unexport PYTHONDONTWRITEBYTECODE

BIN := .venv/bin
PY := $(BIN)/python
READY := .venv/.ready
# More arguments for the program behind a target, as in: make unit ARGS="tests/server/rules -k move"
ARGS ?=
# Two workers; a test that starts servers of its own is as slow as its slowest step, so the idle one takes over what waits.
PYTEST := $(PY) -m pytest --numprocesses=2 --dist=worksteal

.PHONY: help
help:  ## list these targets
	@sed -n 's/^\([a-z-]*\):.*  ## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r name text; do printf '  make %-10s %s\n' "$$name" "$$text"; done

.PHONY: run
run: $(READY)  ## start the server and let the example till tell its story
	@exec $(PY) scripts/run.py $(ARGS)

.PHONY: test
test: lint postgres jose  ## lint, then every test, on SQLite and on a real PostgreSQL
	@echo "tests"
	@$(PYTEST) --durations=10 $(ARGS)

.PHONY: canaries
canaries: $(READY) postgres  ## remove each guard in turn: the tests must turn red for each
	@exec nice $(PY) -m scripts.canaries $(ARGS)

.PHONY: unit
unit: $(READY)  ## pytest alone, with ARGS="…" of your own
	@$(PY) -m pytest $(ARGS)

.PHONY: lint
lint: $(READY)  ## style, types, import contracts and the SDK's floor of Python 3.9
	@scripts/lint.sh

.PHONY: format
format: $(READY)  ## let ruff lay out the files named in ARGS, or all
	@$(BIN)/ruff format $(or $(ARGS),.)

.PHONY: coverage
coverage: $(READY)  ## the pure rooms' tests, which must reach every branch of them
	@scripts/coverage.sh

.PHONY: clauses
clauses: $(READY)  ## every clause of the vendors' terms with the tests that prove it; fails for one without
	@$(PY) -m scripts.clauses $(ARGS)

.PHONY: races
races: $(READY) postgres  ## run each race of two ten thousand times, on both databases, which takes hours; TILLKEY_RACES=…: so often
	@TILLKEY_RACES=$${TILLKEY_RACES:-10000} exec nice $(PY) -m pytest --numprocesses=2 --dist=worksteal $(or $(ARGS),tests/scenarios/test_races.py tests/scenarios/test_refund_races.py tests/scenarios/test_renewal_races.py)

.PHONY: situations
situations: $(READY)  ## the same situations under each bundled policy, as a page; ARGS=--write writes it, --json is for programs
	@$(PY) -m scripts.situations $(ARGS)

.PHONY: mutants
mutants: $(READY)  ## change the rules in every small way: their tests must notice at least nine of ten
	@exec nice $(PY) -m scripts.mutants $(ARGS)

.PHONY: bench
bench: $(READY) postgres  ## each verb on both databases beside an empty POST, in one run; ARGS=--write puts it into README
	@$(PY) -m bench.run $(ARGS)

.PHONY: venv
venv: $(READY)  ## make the virtual environment .venv from requirements.lock

$(READY): requirements.lock pyproject.toml sdk/pyproject.toml scripts/venv.sh
	@PYTHON='$(PYTHON)' scripts/venv.sh

.PHONY: postgres
postgres: $(READY)  ## make sure that a PostgreSQL server is there for the tests
	@scripts/postgres.sh

.PHONY: jose
jose: $(READY)  ## make sure that the npm package jose is there for the tests
	@scripts/jose.sh

.PHONY: openapi
openapi: $(READY)  ## write openapi.yaml from the app
	@$(PY) scripts/openapi.py

.PHONY: lock
lock: $(READY)  ## resolve requirements.in anew into requirements.lock
	@scripts/lock.sh

.PHONY: clean
clean:  ## remove what these targets made, but for data
	@rm -rf .venv .mutants .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage .coverage.* htmlcov build dist sdk/build sdk/dist tests/oracles/node_modules
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
