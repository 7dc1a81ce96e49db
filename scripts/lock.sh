#!/usr/bin/env bash
# Resolves requirements.in into requirements.lock: one lock for the server, the SDK and the tests, on every platform; and
# the parts of it that the server's image needs, with the same versions.
# uv lives in an environment of its own, since it is no part of what it locks. The packages' own addresses stay out.
set -euo pipefail
cd "$(dirname "$0")/.."
tool=$(mktemp -d)
trap 'rm -rf "$tool"' EXIT
.venv/bin/python -m venv "$tool"
"$tool/bin/pip" install -qq --disable-pip-version-check uv

resolve() {
    local name=$1
    shift
    "$tool/bin/uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
        --no-emit-package tillkey --output-file "$name.lock" "$@" "$name.in"
    echo "$name.lock: $(grep -c '^[a-z]' "$name.lock") packages"
}

resolve requirements "$@"
resolve requirements-server --constraints requirements.lock
resolve requirements-build --constraints requirements.lock
resolve requirements-mutants --constraints requirements.lock
