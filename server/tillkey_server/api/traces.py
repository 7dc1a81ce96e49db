"""Traces by OpenTelemetry, where the standard variables ask for them and the extra `otel` is installed.

FastAPI makes the spans: one for each request, named by its route's template. Off costs nothing: no SDK is loaded. No
path and no query stands in a span, since a caller may put into them what is not ours to tell (I16), and no exception's
message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tillkey_server.errors import ConfigError

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
