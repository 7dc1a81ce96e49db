"""`serve`: the HTTP server, from opening its services to a stop without loss."""

# ruff: noqa: PLC0415 - commands import what they need, so that `--help` is quick

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from tillkey_server.cli.output import note
from tillkey_server.cli.running import DataDir, Done, Outcome, conclude, initialized

if TYPE_CHECKING:
    from tillkey_server.settings import Settings

READY = "Tillkey is ready at"
STOP_SECONDS = 15
_APPLICATION = "tillkey_server.app:create_app"


def serve(
    *,
    data_dir: DataDir,
    host: Annotated[str, typer.Option(metavar="H", help="The address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(metavar="P", min=0, max=65535, help="The port; 0 takes a free one.")] = 8080,
) -> None:
    """Serve tills until SIGTERM or Ctrl-C. Says on stderr at which address it is ready; log lines are JSON."""

    def work() -> Outcome:
        from tillkey_server import crash_points
        from tillkey_server.api import logs

        settings = initialized(data_dir)
        if settings.crash_at is not None:
            crash_points.arm(settings.crash_at, testing=settings.testing, data_dir=settings.data_dir)
        logs.configure(settings.log_level)
        with _listening(host, port) as listener:
            _run(settings, listener)
        return Done({}, lambda _output: None)

    conclude(work, as_json=False)


@contextlib.contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    """Give a socket bound to the address; nobody is let in before the server is ready. Raises BadInput."""
    from tillkey_server.errors import BadInput

    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise BadInput("host", f"cannot listen there: {error.strerror}") from error
    with listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
        except OSError as error:
            raise BadInput("port", f"cannot listen at {host}:{port}: {error.strerror}") from error
        yield listener


def _run(settings: Settings, listener: socket.socket) -> None:
    """Open the services, serve, close them; the answers that are on their way out at a stop are still given."""
    from uvicorn.importer import import_from_string

    from tillkey_server.cli.connections import Server, configured
    from tillkey_server.usecases.services import naming_the_database, open_services

    # By its name, as any ASGI server is told: the application stands above this room.
    create_app = import_from_string(_APPLICATION)

    async def serving() -> None:
        with naming_the_database(settings):
            services = await open_services(settings)
        try:
            config = configured(create_app(services), stop_seconds=STOP_SECONDS)
            await Server(config, lambda: note(f"{READY} http://{_address(listener)}")).serve([listener])
        finally:
            await services.close()

    factory = configured(None, stop_seconds=STOP_SECONDS).get_loop_factory()
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(serving())


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
