"""Traces by OpenTelemetry, where the standard variables ask for them and the extra `otel` is installed.

FastAPI makes a span for each request, named by its route's template; below it stands one for each transaction of the
database. Off costs nothing: no SDK is loaded, nothing is counted. No path and no query stands in a span, since a caller
may put into them what is not ours to tell (I16), no statement with or without its values, and no exception's message.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode

from tillkey_server.errors import ConfigError
from tillkey_server.store.watching import Outcome, Past, Watch

if TYPE_CHECKING:
    from fastapi.telemetry import TelemetryConfig

OFF: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}
_TOLD_BY_CALLERS = ("url.path", "url.query")


def telemetry_of(*, traces: bool) -> TelemetryConfig:
    """Return how the application is traced; `traces` is whether an exporter is named by the environment.

    Raises ConfigError where it is and the extra is missing.
    """
    if not traces:
        return OFF
    return {**OFF, "tracing": True, "operation_spans": False, "tracer_provider": _provider()}


def watch_of(telemetry: TelemetryConfig, dialect: str) -> Watch:
    """Return what makes a span of each transaction that a request needed, for `Database.watch`.

    In: what `telemetry_of` returned with `traces`, and the name of the database. Transactions of the background work
    belong to no request, and get none.
    """
    provider = telemetry["tracer_provider"]
    assert provider is not None, "traces are on"
    tracer = provider.get_tracer("tillkey_server")

    def span(past: Past) -> None:
        if not trace.get_current_span().get_span_context().is_valid:
            return
        # Made when it is over: nothing is done inside it that would have to find it as its parent.
        ended = time.time_ns()
        made = tracer.start_span(
            f"transaction {past.kind}",
            kind=SpanKind.CLIENT,
            start_time=ended - int(past.seconds * 1e9),
            attributes={
                "db.system.name": dialect,
                "tillkey.transaction.outcome": past.outcome.value,
                "tillkey.transaction.statements": past.statements or 0,
                "tillkey.transaction.wait_ms": round(past.waited * 1e3, 3),
            },
        )
        if past.outcome is Outcome.UNAVAILABLE:
            made.set_status(StatusCode.ERROR)
        made.end(ended)

    return span


def _provider() -> Any:
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415 - the extra `otel`
            OTLPSpanExporter,
        )
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - the same
        from opentelemetry.sdk.trace import SpanProcessor, TracerProvider  # noqa: PLC0415 - the same
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415 - the same
    except ImportError as error:
        raise ConfigError(
            "OTEL_EXPORTER_OTLP_ENDPOINT asks for traces: install tillkey-server[otel], or unset it"
        ) from error

    class WithoutWords(SpanProcessor):
        def on_start(self, span: Any, parent_context: Any = None) -> None:  # noqa: ARG002 - OpenTelemetry's signature
            for name in _TOLD_BY_CALLERS:
                if span.attributes and name in span.attributes:
                    span.set_attribute(name, "")

    provider = TracerProvider(resource=Resource.create({"service.name": "tillkey-server"}))
    provider.add_span_processor(WithoutWords())
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider
