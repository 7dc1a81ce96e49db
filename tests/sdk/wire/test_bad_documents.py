"""Every bad document is refused by the SDK for its own fault, and the same document without that fault is believed."""

from collections import Counter

import pytest

from scripts.golden.documents import private
from tests.support.vectors import READERS, GoldenTill, answer, bad_documents, good, read
from tillkey.effects import Declined, Granted, Reply, Unreached
from tillkey.wire import b64
from tillkey.wire.errors import WireError

KINDS = ("request", "lease", "statement", "keyset")
PLACES = {"lease": "perpetual", "statement": "revoked"}
PARTS = ("header", "payload", "signature")
AT_LEAST = 60


def cases(vectors):
    return [pytest.param(vector, id=f"{vector['kind']}-{vector['name']}") for vector in vectors]


def refused_for(read_it, text):
    """The code and the place that a reader names; None where it believes the document."""
    try:
        read_it(text)
    except WireError as error:
        return error.code, error.field
    return None


def went_back(vector):
    return vector["field"] == "seq"


def test_there_are_more_than_sixty_bad_documents_and_no_two_of_a_kind_are_the_same():
    vectors = read("bad_documents")
    texts = Counter((vector["kind"], vector["text"]) for vector in vectors)
    names = Counter((vector["kind"], vector["name"]) for vector in vectors)
    assert len(texts) == len(names) == len(vectors)
    assert len({vector["text"] for vector in vectors}) >= AT_LEAST


@pytest.mark.parametrize("vector", cases(bad_documents(*KINDS, reader="anyone")))
def test_a_bad_document_is_refused_for_its_own_fault_and_believed_without_it(vector):
    opened = READERS[vector["kind"]]
    assert refused_for(opened, vector["text"]) == (vector["code"], vector["field"])
    assert refused_for(opened, good(vector["kind"], vector["mended"])) is None


@pytest.mark.parametrize("vector", cases(bad_documents(*KINDS, reader="session")))
def test_a_good_answer_to_somebody_else_can_be_opened_by_whoever_holds_the_keyset(vector):
    assert refused_for(READERS[vector["kind"]], vector["text"]) is None


def of_its_claims(vector):
    """Tell whether a compact document is refused for something that its payload says."""
    kind, _, place = vector["field"].partition(".")
    return vector["kind"] != "keyset" and kind == vector["kind"] and place.split(".")[0] not in {*PARTS, ""}


@pytest.mark.parametrize("vector", cases([vector for vector in bad_documents(*KINDS) if of_its_claims(vector)]))
def test_a_document_that_is_refused_for_its_claims_is_truly_signed(vector):
    # Else it would be refused for its signature, whatever became of the check that it is there to prove.
    signed, _, signature = vector["text"].rpartition(".")
    signer = private("till-1" if vector["kind"] == "request" else "online-1")
    assert signer.public.verify(b64.decode(signature), signed.encode())


@pytest.mark.parametrize("kind", PLACES)
def test_the_good_answer_is_believed_and_stored(kind):
    till = GoldenTill()
    text = good(kind, PLACES[kind])
    result = till.beat(answer(kind, text)).result
    assert isinstance(result, Granted if kind == "lease" else Declined)
    assert getattr(till.state, kind) == text
    assert till.state.pending is None
    assert not till.unchanged()


@pytest.mark.parametrize("vector", cases(v for v in bad_documents("lease", "statement") if not went_back(v)))
def test_a_bad_answer_changes_nothing_in_a_till_and_its_request_stays_pending(vector):
    till = GoldenTill()
    result = till.beat(answer(vector["kind"], vector["text"])).result
    assert isinstance(result, Unreached)
    assert (result.kind, result.detail.split()[0]) == ("bad_answer", vector["field"])
    assert till.unchanged()
    assert till.state.pending == till.asked.pending


@pytest.mark.parametrize("vector", cases(vector for vector in bad_documents("lease") if went_back(vector)))
def test_a_lease_of_an_older_step_drops_the_request_and_changes_nothing_else(vector):
    # The server went back (PROTOCOL section 5): the till drops its request and rebinds, and believes nothing.
    till = GoldenTill()
    assert isinstance(till.beat(answer("lease", vector["text"])).result, Unreached)
    assert till.unchanged()
    assert till.state.pending is None or till.state.pending.rid == till.asked.pending.rid


@pytest.mark.parametrize("kind", PLACES)
def test_no_request_and_no_keyset_good_or_bad_passes_for_an_answer(kind):
    texts = [vector["text"] for vector in (*bad_documents("request", "keyset"), *read("requests"), *read("keysets"))]
    believed = []
    for text in texts:
        till = GoldenTill()
        result = till.beat(answer(kind, text)).result
        if not (isinstance(result, Unreached) and till.unchanged()):
            believed.append(text)
    # The one answer among them is the good lease, or the good statement, that stands in a request's or keyset's place.
    assert set(believed) <= {good(kind, PLACES[kind])}


def test_no_lease_passes_for_a_statement_nor_a_statement_for_a_lease():
    for kind, other in (("lease", "statement"), ("statement", "lease")):
        for text in (vector["text"] for vector in bad_documents(kind)):
            till = GoldenTill()
            result = till.beat(answer(other, text)).result
            believed = not (isinstance(result, Unreached) and till.unchanged())
            assert believed == (text in {good("lease", "perpetual"), good("statement", "revoked")}), text


def beat_over_a_new_keyset(keyset):
    """A heartbeat whose lease is by a key of the second keyset, which the server gives as `keyset`."""
    till = GoldenTill()
    lease = good("lease", "offline for a term")
    result = till.beat(answer("lease", lease), Reply(200, "application/json", keyset.encode())).result
    return till, result


def test_the_good_keyset_is_walked_to_and_its_lease_believed():
    till, result = beat_over_a_new_keyset(good("keyset", "v2"))
    assert isinstance(result, Granted)
    assert till.exchange.trust.newest.version == 2
    assert len(till.state.keysets) == 2


@pytest.mark.parametrize("vector", cases(bad_documents("keyset")))
def test_a_bad_keyset_is_not_walked_to_and_its_lease_not_believed(vector):
    till, result = beat_over_a_new_keyset(vector["text"])
    assert (result.kind, result.detail.split()[0]) == ("bad_answer", "lease.header.kid")
    assert till.exchange.trust.newest.version == 1
    assert till.unchanged()
