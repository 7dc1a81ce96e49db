"""The measure: a FastAPI application whose one route answers an empty object, served as Tillkey is.

`python -m bench.empty PORT_FILE` writes the port that it took into the file.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from pathlib import Path

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tillkey_server.cli.connections import Server, configured


def create_app() -> FastAPI:
    """Return the application: it reads the body, as any POST must, and answers `{}`."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    @app.post("/", response_class=Response)
    async def answer(request: Request) -> Response:
        await request.json()
        return JSONResponse({})

    return app


def main() -> None:
    """Serve until SIGTERM."""
    listener = socket.create_server(("127.0.0.1", 0))
    ready = Path(sys.argv[1])
    config = configured(create_app(), stop_seconds=1)
    server = Server(config, lambda _server: _tell(ready, listener.getsockname()[1]))
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(server.serve([listener]))


def _tell(ready: Path, port: int) -> None:
    aside = ready.with_suffix(".new")
    aside.write_text(str(port))
    aside.rename(ready)


if __name__ == "__main__":
    main()
