"""What a route needs besides its request: the services, opened by the composition root."""

from __future__ import annotations

from dataclasses import dataclass, field

from starlette.requests import Request

from tillkey_server.api.rate import Limiter
from tillkey_server.usecases.services import Services

CHECK_BURST = 30
CHECK_INTERVAL_SECONDS = 2.0


def _limiter() -> Limiter:
    return Limiter(burst=CHECK_BURST, interval=CHECK_INTERVAL_SECONDS)


@dataclass(frozen=True, slots=True)
class Context:
    """One application's services and its own counters."""

    services: Services
    checks: Limiter = field(default_factory=_limiter)


def context_of(request: Request) -> Context:
    """Return the application's context; the composition root has put it there before the first request."""
    context = request.app.state.context
    assert isinstance(context, Context), "the application was not started"
    return context


def services_of(request: Request) -> Services:
    """Return the application's services."""
    return context_of(request).services
