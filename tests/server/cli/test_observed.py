"""A real server, watched: several workers count together, and spans go out over OTLP without a word of anybody's."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.support.databases import DIALECTS
from tests.support.record import RECORD
from tests.support.server import Installation
from tests.support.till import RawTill

CUSTOMER = "owner@shop.example"
SECONDS = 30.0
READS = 'tillkey_transaction_seconds_count{kind="read",outcome="done"}'


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


def exporting(collector):
    """Return the environment of a server that sends its spans there."""
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.server_address[1]}",
        "OTEL_BSP_SCHEDULE_DELAY": "100",
        "NO_PROXY": "127.0.0.1",
    }


def collected(collector, count):
    """Wait until so many spans have come."""
    deadline = time.monotonic() + SECONDS
    while len(collector.spans) < count and time.monotonic() < deadline:
        time.sleep(0.05)


@pytest.fixture(params=DIALECTS)
def url(request, fresh_database):
    return fresh_database(request.param)


@pytest.mark.clause("I16")
def test_requests_are_spans_by_their_route_and_hold_no_word_of_the_caller(tmp_path, collector):
    installation = Installation(tmp_path / "data", environment=exporting(collector)).init(examples=False)
    with installation.serving() as server:
        httpx.get(f"{server.url}/v1/keyset/owner@shop.example?email=owner@shop.example", trust_env=False)
        collected(collector, 1)
        server.stop()
    assert [span.name for span in collector.spans] == ["GET /v1/keyset/{version}"]
    assert "owner" not in "".join(collector.texts)


@pytest.mark.clause("I16")
async def test_each_transaction_of_a_request_is_a_span_below_it_without_a_word_of_what_it_wrote(
    tmp_path, collector, url
):
    installation = Installation(tmp_path / "data", database_url=url, environment=exporting(collector)).init()
    sold = installation.issue(customer=CUSTOMER)
    with installation.serving() as server:
        async with server.client() as http:
            till = RawTill(http, installation.keyset)
            assert (await till.activate(sold.license_key)).status == 201
            assert (await till.heartbeat()).status == 200
        collected(collector, 4)
        server.stop()
    spans = {span.span_id: span for span in collector.spans}
    beat = next(span for span in spans.values() if span.name.endswith("/heartbeat"))
    [step] = [span for span in spans.values() if span.parent_span_id == beat.span_id]
    told = {one.key: one.value for one in step.attributes}
    assert (step.name, told["tillkey.transaction.outcome"].string_value) == ("transaction write", "done")
    assert told["tillkey.transaction.statements"].int_value == 3
    assert told["db.system.name"].string_value == url.partition("+")[0]
    assert beat.start_time_unix_nano <= step.start_time_unix_nano < step.end_time_unix_nano
    # What runs in the background belongs to no request.
    assert all(span.parent_span_id in spans for span in spans.values() if span.name.startswith("transaction"))
    text = "".join(collector.texts)
    assert not [word for word in (CUSTOMER, sold.license_key, sold.license_id, "SELECT", "INSERT") if word in text]


def test_several_workers_count_together(tmp_path, fresh_database):
    installation = Installation(tmp_path / "data", database_url=fresh_database("postgresql")).init(examples=False)
    with installation.serving(more=("--workers", "2")) as server:
        for _ in range(20):
            assert httpx.get(f"{server.url}/healthz", trust_env=False).status_code == 200
        told = {httpx.get(f"{server.url}/metrics", trust_env=False).text for _ in range(6)}
        server.stop()
    line = 'tillkey_requests_total{method="GET",route="/healthz",status="200"} 20.0'
    assert all(line in text for text in told)
    # Each answer looks into the database once, and counts those of all workers before it.
    counts = [line for text in told for line in text.splitlines() if line.startswith(READS)]
    assert max(float(line.removeprefix(READS)) for line in counts) >= len(told) - 1
    assert all(text.count("# TYPE tillkey_build_info") == 1 for text in told)
