"""A real server, watched: several workers count together, and spans go out over OTLP without a word of anybody's."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.support.record import RECORD
from tests.support.server import Installation

SECONDS = 30.0


class Collector(ThreadingHTTPServer):
    """Receives spans as an OpenTelemetry collector does."""

    daemon_threads = True

    def __init__(self) -> None:
        self.spans = []
        self.texts = []
        super().__init__(("127.0.0.1", 0), _Receiver)


class _Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        told = ExportTraceServiceRequest()
        told.ParseFromString(self.rfile.read(int(self.headers["content-length"])))
        self.server.texts.append(str(told))
        RECORD.left("trace", str(told))
        for resource in told.resource_spans:
            self.server.spans += [span for scope in resource.scope_spans for span in scope.spans]
        self.send_response(200)
        self.end_headers()

    def log_message(self, *arguments):
        pass


@pytest.fixture
def collector():
    server = Collector()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.clause("I16")
def test_requests_are_spans_by_their_route_and_hold_no_word_of_the_caller(tmp_path, collector):
    endpoint = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.server_address[1]}",
        "OTEL_BSP_SCHEDULE_DELAY": "100",
        "NO_PROXY": "127.0.0.1",
    }
    installation = Installation(tmp_path / "data", environment=endpoint).init(examples=False)
    with installation.serving() as server:
        httpx.get(f"{server.url}/v1/keyset/owner@shop.example?email=owner@shop.example", trust_env=False)
        deadline = time.monotonic() + SECONDS
        while not collector.spans and time.monotonic() < deadline:
            time.sleep(0.05)
        server.stop()
    assert [span.name for span in collector.spans] == ["GET /v1/keyset/{version}"]
    assert "owner" not in "".join(collector.texts)


def test_several_workers_count_together(tmp_path, fresh_database):
    installation = Installation(tmp_path / "data", database_url=fresh_database("postgresql")).init(examples=False)
    with installation.serving(more=("--workers", "2")) as server:
        for _ in range(20):
            assert httpx.get(f"{server.url}/healthz", trust_env=False).status_code == 200
        told = {httpx.get(f"{server.url}/metrics", trust_env=False).text for _ in range(6)}
        server.stop()
    line = 'tillkey_requests_total{method="GET",route="/healthz",status="200"} 20.0'
    assert all(line in text for text in told)
    assert all(text.count("# TYPE tillkey_build_info") == 1 for text in told)
