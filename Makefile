# Everything a newcomer or the CI calls. `make` alone lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PY := .venv/bin/python
READY := .venv/.ready

.PHONY: help
help:  ## list the targets
	@sed -n 's/^\([a-z][a-z-]*\):.*  ## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do printf '%-18s %s\n' "$$name" "$$text"; done

.PHONY: venv
venv: $(READY)  ## make the virtual environment .venv from requirements.lock

$(READY): requirements.lock pyproject.toml sdk/pyproject.toml scripts/venv.sh
	@PYTHON='$(PYTHON)' scripts/venv.sh

.PHONY: run
run: $(READY)  ## start the server and let the example till tell its story
	@exec $(PY) scripts/run.py
