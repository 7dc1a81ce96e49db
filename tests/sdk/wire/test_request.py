"""What a till asks is read back as it was meant, and asks with one proof of the license."""

import pytest

from tests.sdk.wire.documents import (
    ACTIVATION,
    BODIES,
    ISSUER,
    LEASE,
    NOW,
    ONLINE,
    RID,
    TILL,
    claims_of,
    compact,
    request_text,
    with_member,
)
from tillkey.wire.answers import sign_lease
from tillkey.wire.errors import WireError
from tillkey.wire.request import Activate, Project, open_request, path_of, sign_request


def activate(**changes):
    return compact("request", {**claims_of(request_text("activate")), **changes})


@pytest.mark.parametrize("name", BODIES)
def test_a_request_is_read_as_it_was_written(name):
    request = open_request(request_text(name), aud=ISSUER)
    assert request.body == BODIES[name]
    assert (request.aud, request.rid, request.keyset, request.iat) == (ISSUER, RID, 1, NOW)
    assert request.op == ("activate" if name == "rebind" else name)
    assert (request.key, request.jkt) == (TILL.public, TILL.public.thumbprint)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("activate", "/v1/activations"),
        ("rebind", "/v1/activations"),
        ("heartbeat", f"/v1/activations/{ACTIVATION}/heartbeat"),
        ("move", f"/v1/activations/{ACTIVATION}/move"),
        ("deactivate", f"/v1/activations/{ACTIVATION}/deactivate"),
        ("support", f"/v1/activations/{ACTIVATION}/support"),
    ],
)
def test_each_verb_has_its_path(name, path):
    assert path_of(BODIES[name]) == path


def test_the_license_key_and_the_lease_together_are_malformed():
    with pytest.raises(WireError, match="not both") as refused:
        open_request(activate(lease="a.b.c"), aud=ISSUER)
    assert (refused.value.code, refused.value.field) == ("malformed", "request.license_key")
    assert open_request(activate(lease=None), aud=ISSUER).body == BODIES["activate"]


def test_neither_of_the_two_is_malformed_and_so_is_an_empty_one():
    for changes in ({"license_key": None, "lease": None}, {"license_key": ""}, {"license_key": None, "lease": ""}):
        with pytest.raises(WireError) as refused:
            open_request(activate(**changes), aud=ISSUER)
        assert refused.value.code == "malformed"


def test_a_real_lease_fits_into_a_rebind():
    body = Activate("pos", None, "production", {}, "1", lease=sign_lease(LEASE, ONLINE))
    text = sign_request(body, aud=ISSUER, rid=RID, keyset=1, iat=NOW, key=TILL)
    assert open_request(text, aud=ISSUER).body == body


def test_the_tills_clock_is_no_reason_to_refuse():
    for iat in (0, 1, 2**53 - 1):
        text = compact("request", with_member(claims_of(request_text("deactivate")), "iat", iat))
        assert open_request(text, aud=ISSUER).iat == iat


def test_a_project_may_have_no_address():
    body = Activate("pos", Project("Caf\u00e9 \U0001f337"), "production", {}, "1", license_key="x")
    text = sign_request(body, aud=ISSUER, rid=RID, keyset=1, iat=NOW, key=TILL)
    assert "site" not in claims_of(text)["project"]
    assert open_request(text, aud=ISSUER).body.project == Project("Caf\u00e9 \U0001f337", None)


def test_text_that_no_json_can_carry_is_refused_when_it_is_signed():
    for name in ("a\ud800", "a\x00b"):
        body = Activate("pos", Project(name), "production", {}, "1", license_key="x")
        with pytest.raises(WireError):
            sign_request(body, aud=ISSUER, rid=RID, keyset=1, iat=NOW, key=TILL)


def test_secrets_do_not_show_in_the_representation():
    shown = repr(open_request(activate(license_key="SECRET-KEY", move_ticket="SECRET-TICKET"), aud=ISSUER))
    assert "SECRET" not in shown
    assert "SECRET" not in repr(Activate("pos", None, "production", {}, "1", lease="SECRET"))


def test_an_error_does_not_repeat_the_license_key():
    with pytest.raises(WireError) as refused:
        open_request(activate(license_key="SECRET" * 30), aud=ISSUER)
    assert "SECRET" not in str(refused.value)
