#!/bin/sh
# Makes or refreshes the virtual environment .venv from requirements.lock, with the server and the SDK editable in it.
# PYTHON=… chooses the interpreter; otherwise the first one of version 3.11 or later is taken.
set -eu
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
    for candidate in ${PYTHON:-} python3 python3.11 python3.12 python3.13 python3.14 python; do
        if new_enough "$candidate"; then
            printf '%s' "$candidate"
            return
        fi
    done
    say "Tillkey needs Python 3.11 or later, and none is on the PATH."
    say "Debian and Ubuntu: apt-get install python3 python3-venv. macOS: brew install python@3.12."
    say "With one elsewhere: make PYTHON=/path/to/python3.11 venv"
    exit 1
}

if [ ! -x .venv/bin/python ] || ! new_enough .venv/bin/python; then
    python=$(find_python)
    say "making .venv with $("$python" --version)"
    if ! "$python" -m venv --clear .venv; then
        rm -rf .venv
        say "This Python cannot make virtual environments. Debian and Ubuntu: apt-get install python3-venv"
        exit 1
    fi
fi

pip() { .venv/bin/python -m pip --disable-pip-version-check --no-input "$@"; }

if ! cmp -s requirements.lock .venv/.locked; then
    say "installing the locked packages (half a minute, longer on a slow line)"
    # The lock is complete. Left to resolve it again, older versions of pip look for `coverage[toml]` beside the pinned
    # `coverage`, take a newer release than the locked one, and fail for want of its hash.
    pip install -qq --require-hashes --no-deps --requirement requirements.lock
    cp requirements.lock .venv/.locked
fi
pip install -qq --no-deps --no-build-isolation --editable sdk --editable .
touch .venv/.ready
