"""Figures for Prometheus at `/metrics`: how many requests of each kind, how long they and the database took, refusals.

1. Labels are a route's template, a method, a status, a code, a transaction's kind and outcome: few values, and nothing
   personal or secret.
2. `TILLKEY_METRICS` says who sees them: `local` (this machine alone, and nothing that came through a proxy), `open`
   (whoever reaches the server), `off`. Whoever may not see them finds no such address.
3. Several workers count into one folder (`PROMETHEUS_MULTIPROC_DIR`, set by the supervisor), so that each of them
   answers for all.
"""

from __future__ import annotations

import ipaddress
import os
from importlib.metadata import version

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.requests import Request
from starlette.responses import Response

from tillkey_server.api import openapi
from tillkey_server.api.context import address_of, services_of
from tillkey_server.api.responses import NO_STORE, Refused
from tillkey_server.rules.decision import Refusal
from tillkey_server.store.watching import Kind, Outcome, Past
from tillkey_server.usecases.audit import count_unsealed
from tillkey_server.usecases.services import Services

router = APIRouter(tags=["operations"])

MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"
_FORWARDED = ("x-forwarded-for", "forwarded", "x-real-ip", "via")
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

_counted = CollectorRegistry()
_requests = Counter("tillkey_requests_total", "Requests answered.", ("method", "route", "status"), registry=_counted)
_seconds = Histogram(
    "tillkey_request_seconds", "How long a request took.", ("method", "route"), buckets=_BUCKETS, registry=_counted
)
_refusals = Counter("tillkey_refusals_total", "Requests refused, by code.", ("code",), registry=_counted)
_transactions = Histogram(
    "tillkey_transaction_seconds",
    "How long a transaction of the database took, waiting included.",
    ("kind", "outcome"),
    buckets=_BUCKETS,
    registry=_counted,
)
_waits = Histogram(
    "tillkey_transaction_wait_seconds",
    "How long a transaction waited before it began: for its turn, a connection and, on SQLite, the lock.",
    ("kind",),
    buckets=_BUCKETS,
    registry=_counted,
)
# Looked up once: a heartbeat should not pay for it.
_taken = {(kind, outcome): _transactions.labels(kind.value, outcome.value) for kind in Kind for outcome in Outcome}
_waited = {kind: _waits.labels(kind.value) for kind in Kind}


def count(method: str, route: str, status: int, seconds: float, code: str | None) -> None:
    """Count one request that was answered; `code` is that of its problem, where it was refused."""
    _requests.labels(method, route, str(status)).inc()
    _seconds.labels(method, route).observe(seconds)
    if code is not None:
        _refusals.labels(code).inc()


def count_transaction(past: Past) -> None:
    """Count one transaction of the database; what `Database.watch` is given."""
    _taken[past.kind, past.outcome].observe(past.seconds)
    _waited[past.kind].observe(past.waited)


@router.get(
    "/metrics",
    operation_id="metrics",
    summary="Figures for Prometheus",
    response_class=Response,
    responses={
        200: {
            "description": "The figures, in Prometheus' text format.",
            "content": {CONTENT_TYPE_LATEST: {"schema": {"type": "string"}}},
        },
        **openapi.refusals(Refusal.NOT_FOUND, Refusal.UNAVAILABLE),
    },
)
async def metrics(request: Request) -> Response:
    """Tell the figures to whom they are for."""
    services = services_of(request)
    if not _may_see(request, services.settings.metrics):
        raise Refused(Refusal.NOT_FOUND)
    text = generate_latest(_registry()) + generate_latest(await _now(services))
    return Response(text, media_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": NO_STORE})


def _registry() -> CollectorRegistry:
    if MULTIPROCESS not in os.environ:
        return _counted
    together = CollectorRegistry()
    MultiProcessCollector(together)  # type: ignore[no-untyped-call]
    return together


async def _now(services: Services) -> CollectorRegistry:
    """Return what is looked up at each question: the same whichever worker answers."""
    build = GaugeMetricFamily("tillkey_build_info", "The server's version.", labels=("version",))
    build.add_metric((version("tillkey-server"),), 1)
    keyset = GaugeMetricFamily("tillkey_keyset_version", "The keyset whose keys sign.")
    keyset.add_metric((), services.keyring.keyset.version)
    waiting = GaugeMetricFamily("tillkey_audit_unsealed_rows", "Decisions that wait for the sealer.")
    waiting.add_metric((), await count_unsealed(services))
    found = CollectorRegistry()
    found.register(_Found([build, keyset, waiting]))
    return found


class _Found:
    """Families that were made already, as prometheus-client collects them."""

    def __init__(self, families: list[GaugeMetricFamily]) -> None:
        self._families = families

    def collect(self) -> list[GaugeMetricFamily]:
        return self._families


def _may_see(request: Request, who: str) -> bool:
    if who == "open":
        return True
    # A proxy on this machine asks from this machine, for whoever asked it.
    if who == "off" or any(name in request.headers for name in _FORWARDED):
        return False
    try:
        address = ipaddress.ip_address(address_of(request))
    except ValueError:
        return False
    return address.is_loopback
