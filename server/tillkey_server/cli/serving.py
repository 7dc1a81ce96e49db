"""`serve`: the HTTP server, from opening its services to a stop without loss."""

# ruff: noqa: PLC0415 - commands import what they need, so that `--help` is quick

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tillkey_server.cli.output import note
from tillkey_server.cli.running import DataDir, Done, Outcome, conclude, initialized

if TYPE_CHECKING:
    from uvicorn import Config

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
    import uvicorn
    from uvicorn.importer import import_from_string

    from tillkey_server.cli.connections import BoundedProtocol
    from tillkey_server.usecases.services import open_services

    # By its name, as any ASGI server is told: the application stands above this room.
    create_app = import_from_string(_APPLICATION)

    def configured(application: Any) -> Config:
        return uvicorn.Config(
            application,
            http=BoundedProtocol,
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=STOP_SECONDS,
        )

    class Server(uvicorn.Server):
        """uvicorn, but it says where it is ready, and a stop that was asked for is no failure (uvicorn: 143)."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            """Start, and tell the address."""
            await super().startup(sockets)
            note(f"{READY} http://{_address(listener)}")

        def handle_exit(self, sig: int, _frame: Any) -> None:
            """Stop; a second Ctrl-C does not wait for the answers on their way out."""
            self.force_exit = self.should_exit and sig == signal.SIGINT
            self.should_exit = True

    async def serving() -> None:
        services = await open_services(settings)
        try:
            await Server(configured(create_app(services))).serve([listener])
        finally:
            await services.close()

    with asyncio.Runner(loop_factory=configured(None).get_loop_factory()) as runner:
        runner.run(serving())


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
