"""The composition root: services and HTTP interface, put together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache

from fastapi import APIRouter, FastAPI
from fastapi.telemetry import TelemetryConfig
from starlette.routing import BaseRoute

from tillkey_server.api import activations, handlers, health, keysets, licenses, metrics, openapi, traces
from tillkey_server.api.administration import table
from tillkey_server.api.context import Context
from tillkey_server.api.logs import RequestLog
from tillkey_server.api.proxies import TrustedProxies
from tillkey_server.settings import Settings
from tillkey_server.usecases.services import Services, open_services

_ROUTERS: tuple[APIRouter, ...] = (
    activations.router,
    licenses.router,
    keysets.router,
    health.router,
    metrics.router,
)


@cache
def _routes() -> tuple[BaseRoute, ...]:
    """Return every route, made once for the process: none of them holds anything of an application."""
    return tuple(route for router in (*_ROUTERS, table.make_router()) for route in router.routes)


def create_app(source: Services | Settings) -> FastAPI:
    """Return the application.

    With `Services` it uses them, and whoever opened them closes them; with `Settings` it opens its own when it starts
    and closes them when it stops, and a start that cannot succeed raises what `open_services` raises. No pages of
    documentation are served, since they would be fetched from another company's servers; the document itself is at
    /openapi.json.
    """
    settings = source.settings if isinstance(source, Services) else source
    telemetry = traces.telemetry_of(traces=settings.traces)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if isinstance(source, Services):
            yield
            return
        services = await open_services(source)
        app.state.context = _watched(services, telemetry)
        try:
            yield
        finally:
            await services.close()

    app = FastAPI(
        title=openapi.TITLE,
        version=openapi.VERSION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        telemetry=telemetry,
    )
    if isinstance(source, Services):
        app.state.context = _watched(source, telemetry)
    app.router.routes.extend(_routes())
    handlers.install(app)
    openapi.install(app)
    app.add_middleware(RequestLog)
    app.add_middleware(TrustedProxies, networks=settings.trusted_proxies)
    return app


def _watched(services: Services, telemetry: TelemetryConfig) -> Context:
    """Let the database's time be counted and, where requests are traced, traced."""
    services.db.watch(metrics.count_transaction)
    if services.settings.traces:
        services.db.watch(traces.watch_of(telemetry, services.db.dialect), statements=True)
    return Context(services)
