"""A till asks about support: what comes back is an answer in every detail, or nothing was learned."""

import copy
import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.sdk.http_server import closed_port
from tillkey import ConfigurationError, NotActivated, Refused, SupportAnswer, Unreachable, cli, support
from tillkey.effects import Declined, Reply, Unreached
from tillkey.storage import StateFolder
from tillkey.testing import FakeServer
from tillkey.testing.clock import MORNING
from tillkey.testing.support import CODES

ANSWER = {
    "decision": "allow",
    "code": "support_task_ok",
    "clauses": ["NX-20", "ZG-06"],
    "policy": {"name": "01generator", "version": 3},
    "evaluated_at": "2026-03-02T09:00:00Z",
    "facts": {
        "charge": "free",
        "care_banner": {"active": True, "text": "Care\u202e\nruns", "until": "2027-03-03T00:00:00Z", "more": 1},
        "clocks": [
            {"clock": "ack", "due_at": "2026-03-03T15:00:00Z"},
            {"clock": "fix", "due_at": None},
            {"clock": "of a later version", "due_at": 1},
        ],
        "a later fact": {},
    },
    "retry_at": None,
    "options": [],
    "words": "The request is taken; it is free of charge.",
}


def came(document, status=200, kind="application/json"):
    return support.read(Reply(status, kind, json.dumps(document).encode()))


def changed(path, value):
    document = copy.deepcopy(ANSWER)
    *parents, last = path.split(".")
    place = document
    for parent in parents:
        place = place[parent]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return document


@pytest.fixture
def fake():
    with FakeServer() as server:
        yield server


@pytest.fixture
def key(fake):
    return fake.license()


@pytest.fixture
def till(fake, key, tmp_path):
    client = fake.client("pos-core", tmp_path / "till", platform_version="6.1")
    client.activate(key, project="Corner Shop")
    return client


def test_an_answer_is_read_in_every_detail():
    answer = came(ANSWER)
    assert answer.as_dict() == {
        "decision": "allow",
        "allowed": True,
        "code": "support_task_ok",
        "text": "The request is taken; it is free of charge.",
        "clauses": ["NX-20", "ZG-06"],
        "charged": False,
        "acknowledge_by": "2026-03-03T15:00:00Z",
        "reply_by": None,
        "resolve_by": None,
        "fix_by": None,
        "missing": [],
        "options": [],
        "retry_at": None,
        "care_active": True,
        "care_until": "2027-03-03T00:00:00Z",
        "care_text": "Care  runs",
        "policy_name": "01generator",
        "policy_version": 3,
        "as_of": "2026-03-02T09:00:00Z",
    }
    assert answer.acknowledge_by == datetime(2026, 3, 3, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("decision", "yes"),
        ("decision", True),
        ("code", "No such code!"),
        ("clauses", "NX-20"),
        ("policy", None),
        ("evaluated_at", "today"),
        ("evaluated_at", 1_900_000_000),
        ("facts", []),
        ("facts.care_banner", ...),
        ("facts.care_banner.active", "yes"),
        ("facts.care_banner.text", 1),
        ("facts.clocks", ...),
        ("facts.clocks", [1]),
        ("facts.clocks", [{"clock": "ack", "due_at": "soon"}]),
        ("facts.missing", "steps"),
        ("retry_at", "2026-03-03"),
        ("options", ...),
        ("words", None),
    ],
)
@pytest.mark.clause("X-03")
def test_what_has_not_the_form_of_an_answer_is_none_and_never_a_no(path, value):
    found = came(changed(path, value))
    assert isinstance(found, Unreached)
    assert found.kind == "bad_answer"


@pytest.mark.parametrize(
    ("decision", "charge", "options", "charged"),
    [
        ("allow", "free", [], False),
        ("allow", "paid", [], True),
        ("deny", None, ["paid_offer"], True),
        ("deny", None, ["renew"], None),
        ("pend", None, ["review"], None),
    ],
)
def test_it_is_free_or_charged_or_nobody_said(decision, charge, options, charged):
    document = changed("facts.charge", charge)
    answer = came({**document, "decision": decision, "options": options})
    assert (answer.allowed, answer.charged) == (decision == "allow", charged)


def test_what_is_no_answer_of_a_license_server_is_unreached():
    for status, kind, wanted in (
        (200, "text/html", "not_json"),
        (403, "text/html", "http_4xx"),
        (429, "", "rate_limited"),
    ):
        found = support.read(Reply(status, kind, b"<html>"))
        assert (type(found), found.kind) == (Unreached, wanted)
    refused = came({"code": "not_found", "detail": "There is no such thing."}, 404, "application/problem+json")
    assert refused == Declined("not_found", (), None, "There is no such thing.")


def test_a_till_that_was_never_activated_asks_nobody(fake, tmp_path):
    with pytest.raises(NotActivated):
        fake.client("pos-core", tmp_path / "new").support("fix_issue")
    assert fake.asked == ()


@pytest.mark.parametrize(
    "asked",
    [{"task": "Fix it"}, {"feature": "a-b"}, {"platform_version": ""}, {"language": "de"}, {"task": None}],
)
def test_what_cannot_be_right_is_said_before_anybody_is_asked(fake, till, asked):
    name = next(iter(asked))
    with pytest.raises(ConfigurationError, match=f"^{name}: "):
        till.support(**{"task": "fix_issue", **asked})
    assert fake.asked == ("activate",)


def test_the_version_that_the_till_runs_on_is_told_with_the_question(fake, till):
    till.support("fix_issue", feature="returns")
    till.support("fix_issue", platform_version="7", language="it")
    first, second = [request.body for request in fake._office.seen[1:]]
    assert (first.task, first.feature, first.platform_version, first.language) == ("fix_issue", "returns", "6.1", "en")
    assert (second.platform_version, second.language) == ("7", "it")


def test_a_question_waits_for_no_beat_and_writes_nothing(fake, till, tmp_path):
    file = tmp_path / "till" / "tillkey-pos-core.json"
    before = file.read_bytes()
    with StateFolder(tmp_path / "till", "pos-core", "tillkey-testing").locked(0):
        assert till.support("fix_issue").decision == "pend"
    assert file.read_bytes() == before


def test_a_server_that_is_away_leaves_it_open(fake, till):
    fake.go_down()
    with pytest.raises(Unreachable):
        till.support("fix_issue")
    fake.come_up()
    assert isinstance(till.support("fix_issue"), SupportAnswer)


def test_a_vendor_s_test_says_what_the_terms_say(fake, key, till):
    fake.answer_support(key, clauses=("NX-20",), acknowledge_within=timedelta(days=1), fix_within=timedelta(days=30))
    answer = till.support("fix_issue")
    assert (answer.allowed, answer.charged, answer.clauses) == (True, False, ("NX-20",))
    assert (answer.acknowledge_by, answer.fix_by) == (MORNING + timedelta(days=1), MORNING + timedelta(days=30))
    fake.answer_support(key, "deny", options=("paid_offer",))
    answer = till.support("fix_issue", language="it")
    assert (answer.decision, answer.code, answer.charged) == ("deny", CODES["deny"], True)
    fake.answer_support(key, "deny", code="our_own", text="Not on Sundays.")
    assert till.support("fix_issue").text == "Not on Sundays."
    fake.answer_support(key, "pend", code="our_own")
    assert till.support("fix_issue").text == "our own."
    with pytest.raises(ValueError, match="decision"):
        fake.answer_support(key, "maybe")


def test_support_that_has_ended_does_not_run(fake, till):
    fake.turn(days=400)
    till.heartbeat()
    answer = till.support("fix_issue")
    assert (answer.care_active, answer.care_until) == (False, datetime(2027, 3, 3, tzinfo=UTC))


def test_a_till_that_gave_the_license_back_is_refused(till):
    till.deactivate()
    with pytest.raises(Refused, match="activation_released"):
        till.support("fix_issue")


@pytest.fixture
def tillkey(fake, key, till, tmp_path, monkeypatch, capsys):
    (tmp_path / "keyset.json").write_text(fake.keyset)
    for name, value in (("SERVER", fake.url), ("PRODUCT", "pos-core"), ("KEYSET", str(tmp_path / "keyset.json"))):
        monkeypatch.setenv(f"TILLKEY_{name}", value)
    monkeypatch.setenv("TILLKEY_STATE_DIR", str(tmp_path / "till"))

    def run(*arguments):
        code = cli.main(list(arguments))
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_the_command_shows_the_answer_to_a_person_and_to_a_script(fake, key, tillkey):
    fake.answer_support(key, "deny", clauses=("NX-20",), options=("paid_offer",))
    code, out, err = tillkey("support", "--task", "paint_the_shop")
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == "Support does not cover this."
    assert {"answer           deny", "charged          yes", "clauses          NX-20"} <= set(out.splitlines())
    code, out, _ = tillkey("support", "--task", "paint_the_shop", "--language", "fr", "--json")
    assert (code, json.loads(out)["text"]) == (0, "L'assistance ne couvre pas cela.")
    assert json.loads(out)["allowed"] is False


def test_the_command_tells_no_answer_from_a_no(fake, tillkey):
    away = f"http://127.0.0.1:{closed_port()}"
    code, out, _ = tillkey("support", "--task", "fix_issue", "--json", "--server", away)
    assert (code, json.loads(out)["code"]) == (3, "unreachable")
    code, out, _ = tillkey("support", "--task", "No Word", "--json")
    assert (code, json.loads(out)["code"]) == (2, "usage")
