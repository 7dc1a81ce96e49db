#!/usr/bin/env bash
# Measures the rooms that decide (the server's rules, the wire documents, the SDK's verdict) under their own tests.
# The sources and the floor stand in pyproject.toml.
set -euo pipefail
shopt -s nullglob
cd "$(dirname "$0")/.."
exec .venv/bin/python -m pytest --quiet --cov --cov-report=term tests/server/rules tests/sdk/wire tests/sdk/*verdict* "$@"
