"""`serve`: the HTTP server, from opening its services to a stop without loss."""

# ruff: noqa: PLC0415 - commands import what they need, so that `--help` is quick

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import ssl
import sys
import tempfile
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from tillkey_server.cli.output import note
from tillkey_server.cli.running import DEFECT, DataDir, Done, Outcome, conclude, initialized

if TYPE_CHECKING:
    from tillkey_server.cli.connections import Server
    from tillkey_server.settings import Settings

READY = "Tillkey is ready at"
STOP_SECONDS = 15
OPEN_FILES = 65536
_APPLICATION = "tillkey_server.app:create_app"
_LISTEN = {
    errno.EADDRINUSE: "stop what listens there (`ss -ltnp` names it), or choose another port with --port; 0 takes any",
    errno.EACCES: "choose a port from 1024 on with --port, behind a proxy for instance, or give the service the right"
    " (CAP_NET_BIND_SERVICE)",
    errno.EADDRNOTAVAIL: "name an address of this machine with --host: 127.0.0.1 for itself alone, 0.0.0.0 for all",
}
"""What helps where an address cannot be listened at."""


def serve(
    *,
    data_dir: DataDir,
    host: Annotated[str, typer.Option(metavar="H", help="The address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(metavar="P", min=0, max=65535, help="The port; 0 takes a free one.")] = 8080,
    workers: Annotated[
        int, typer.Option(metavar="N", min=1, max=64, help="Processes that serve; more than one needs PostgreSQL.")
    ] = 1,
    inherited: Annotated[str | None, typer.Option(hidden=True)] = None,
) -> None:
    """Serve tills until SIGTERM or Ctrl-C. Says on stderr at which address it is ready; log lines are JSON.

    With TILLKEY_TLS_CERT and TILLKEY_TLS_KEY it speaks HTTPS. With several workers SIGHUP renews them one by one.
    """

    def work() -> Outcome:
        from tillkey_server import crash_points
        from tillkey_server.api import logs

        settings = initialized(data_dir)
        _refuse_workers_on_sqlite(settings, workers)
        if settings.crash_at is not None:
            crash_points.arm(settings.crash_at, testing=settings.testing, data_dir=settings.data_dir)
        tls = _tls(settings)
        _allow_many_connections()
        logs.configure(settings.log_level)
        if inherited is not None:
            _serve_inherited(settings, inherited, tls)
            return Done({}, lambda _output: None)
        with _listening(host, port) as listener:
            if workers > 1:
                _supervise(settings, listener, workers)
            else:
                _run(settings, listener, tls, lambda _server: _say_ready(settings, listener))
        return Done({}, lambda _output: None)

    conclude(work, as_json=False)


def _refuse_workers_on_sqlite(settings: Settings, workers: int) -> None:
    from tillkey_server.errors import BadInput

    if workers > 1 and settings.database_url.startswith("sqlite"):
        raise BadInput(
            "workers",
            "SQLite lets one process write at a time, so that more of them serve no faster: use PostgreSQL"
            " (TILLKEY_DATABASE_URL), or one worker",
        )


def _allow_many_connections() -> None:
    """Raise the limit of open files from its usual 1,024 towards what the system allows this process.

    A server that runs out of them accepts nobody, and whoever holds a thousand idle connections could bring it there.
    """
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = OPEN_FILES if most == resource.RLIM_INFINITY else min(OPEN_FILES, most)
        if now != resource.RLIM_INFINITY and now < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def _tls(settings: Settings) -> ssl.SSLContext | None:
    from tillkey_server.cli.connections import tls_context

    if settings.tls_cert is None or settings.tls_key is None:
        return None
    return tls_context(settings.tls_cert, settings.tls_key)


def _say_ready(settings: Settings, listener: socket.socket) -> None:
    if settings.public_url is not None:
        note(f"Tills reach it at {settings.public_url}")
    scheme = "http" if settings.tls_cert is None else "https"
    note(f"{READY} {scheme}://{_address(listener)}")


def _supervise(settings: Settings, listener: socket.socket, count: int) -> None:
    """Keep several workers; ends the command with a worker's exit code where none could start."""
    from tillkey_server.api.metrics import MULTIPROCESS
    from tillkey_server.cli.workers import Supervisor

    command = [sys.executable, "-m", "tillkey_server", "serve", "--data-dir", str(settings.data_dir)]

    async def supervising() -> int:
        return await Supervisor(command, count, listener, lambda: _say_ready(settings, listener)).run()

    with tempfile.TemporaryDirectory(prefix="tillkey-metrics-") as folder:
        # Inherited by the workers, which all count into it: whichever is asked for the metrics answers for all.
        os.environ[MULTIPROCESS] = folder
        code = asyncio.run(supervising())
    if code:
        raise typer.Exit(code if code > 0 else DEFECT)


def _serve_inherited(settings: Settings, inherited: str, tls: ssl.SSLContext | None) -> None:
    """Serve as a worker: on the socket, and with the word to the supervisor, that it handed over."""
    numbers = [int(number) for number in inherited.split(",")]
    with socket.socket(fileno=numbers[0]) as listener, socket.socket(fileno=numbers[1]) as control:

        def ready(server: Server) -> None:
            def stop() -> None:
                # Nothing is ever sent here: what can be read is that the supervisor is gone.
                server.should_exit = True
                asyncio.get_running_loop().remove_reader(control)

            asyncio.get_running_loop().add_reader(control, stop)
            control.send(b"1")

        _run(settings, listener, tls, ready)


@contextlib.contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    """Give a socket bound to the address; nobody is let in before the server is ready. Raises BadInput."""
    from tillkey_server.errors import BadInput

    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise BadInput("host", f"cannot listen there: {error.strerror}; {_LISTEN[errno.EADDRNOTAVAIL]}") from error
    with listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
        except OSError as error:
            mend = _LISTEN.get(error.errno or 0, "choose others with --host and --port")
            raise BadInput("port", f"cannot listen at {host}:{port}: {error.strerror}; {mend}") from error
        yield listener


def _run(
    settings: Settings, listener: socket.socket, tls: ssl.SSLContext | None, ready: Callable[[Server], None]
) -> None:
    """Open the services, serve, close them; the answers that are on their way out at a stop are still given."""
    from uvicorn.importer import import_from_string

    from tillkey_server.cli.connections import Server, configured
    from tillkey_server.jobs.running import background
    from tillkey_server.usecases.services import naming_the_database, open_services

    # By its name, as any ASGI server is told: the application stands above this room.
    create_app = import_from_string(_APPLICATION)

    async def serving() -> None:
        with naming_the_database(settings):
            services = await open_services(settings)
        try:
            config = configured(create_app(services), stop_seconds=STOP_SECONDS, tls=tls)
            async with background(services):
                await Server(config, ready).serve([listener])
        finally:
            await services.close()

    factory = configured(None, stop_seconds=STOP_SECONDS).get_loop_factory()
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(serving())


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
