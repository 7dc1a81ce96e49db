"""What a route needs besides its request: the services, opened by the composition root."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

from tillkey_server.usecases.services import Services


@dataclass(frozen=True, slots=True)
class Context:
    """One application's services."""

    services: Services


def context_of(request: Request) -> Context:
    """Return the application's context; the composition root has put it there before the first request."""
    context = request.app.state.context
    assert isinstance(context, Context), "the application was not started"
    return context


def services_of(request: Request) -> Services:
    """Return the application's services."""
    return context_of(request).services


def address_of(request: Request) -> str:
    """Return where a request comes from, as the connection says; empty for one without an address."""
    return request.client.host if request.client else ""
