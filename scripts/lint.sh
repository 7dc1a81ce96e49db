#!/usr/bin/env bash
# Every check that needs no test run. All of them run, so that one call shows all there is to mend.
set -uo pipefail
cd "$(dirname "$0")/.."
bin=.venv/bin
red=()

check() {
    local name=$1
    shift
    local said
    if said=$("$@" 2>&1); then
        printf 'lint: %s: ok\n' "$name"
    else
        printf 'lint: %s: RED\n%s\n' "$name" "$said"
        red+=("$name")
    fi
}

check "ruff check" "$bin/ruff" check --quiet --output-format concise .
check "ruff format" "$bin/ruff" format --check --quiet --output-format concise .
check "mypy, server and SDK" "$bin/mypy" --no-error-summary server/tillkey_server sdk/tillkey
check "mypy, story and till" "$bin/mypy" --strict --no-error-summary scripts/story examples/till
# 3.10 is the oldest version that mypy still knows; vermin below holds the SDK to 3.9.
check "mypy, SDK on Windows" "$bin/mypy" --no-error-summary --platform win32 --python-version 3.10 sdk/tillkey
check "import contracts" "$bin/lint-imports" --no-logo
check "SDK runs on Python 3.9" "$bin/vermin" --target=3.9- --violations --no-tips --quiet --eval-annotations sdk/tillkey

if ((${#red[@]})); then
    printf 'lint: red: %s\n' "$(IFS=,; echo "${red[*]}")" >&2
    exit 1
fi
