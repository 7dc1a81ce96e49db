import json
from dataclasses import replace

import pytest
from joserfc import jws
from joserfc.jwk import KeySet

from tests.server.signing.keys import DAY, ISSUER, NOW, add_key, online, private_key, publish, request
from tillkey.wire.answers import Lease, Statement, open_lease, open_statement
from tillkey_server.clock import to_epoch
from tillkey_server.errors import ConfigError, Unavailable
from tillkey_server.ids import new_id, new_token
from tillkey_server.policies.loader import bundled_policies
from tillkey_server.rules.lease import lease_times
from tillkey_server.rules.standing import LicenseFacts
from tillkey_server.settings import Settings
from tillkey_server.signing import ceremony
from tillkey_server.signing.keyring import Keyring
from tillkey_server.signing.mint import LeaseContent, Mint


@pytest.fixture
def settings(tmp_path):
    made = Settings.load(tmp_path, {})
    ceremony.init(made, issuer=ISSUER, now=NOW)
    return made


@pytest.fixture
def keyring(settings):
    return Keyring.load(settings)


@pytest.fixture
def policy():
    return next(iter(bundled_policies().values())).policy


def _content(policy, now=NOW, **facts):
    license_facts = LicenseFacts(id=new_id(), issued_at=NOW, **facts)
    return LeaseContent(
        activation=new_id(),
        product="pos-core",
        project=new_id(),
        environment="production",
        license=license_facts,
        policy=policy,
        times=lease_times(license_facts, policy, now),
        seq=7,
        nonce=new_token(),
    )


def test_a_lease_says_what_its_step_says(keyring, policy):
    asked = request()
    content = _content(policy, use_until=NOW + 90 * DAY, support_until=NOW + 60 * DAY, updates_until=None)
    lease = open_lease(Mint(keyring).lease(asked, content), keyring.keyset)
    assert lease == Lease(
        iss=ISSUER,
        sub=str(content.activation),
        aud="pos-core",
        iat=to_epoch(NOW),
        nbf=to_epoch(NOW),
        exp=to_epoch(content.times.exp),
        jti=lease.jti,
        jkt=asked.jkt,
        rid=asked.rid,
        license=str(content.license.id),
        project=str(content.project),
        environment="production",
        entitlements=policy.entitlements.granted,
        degraded=policy.entitlements.degraded,
        refresh_at=to_epoch(content.times.refresh_at),
        soft_exp=to_epoch(content.times.soft_exp),
        use_until=to_epoch(NOW + 90 * DAY),
        support_until=to_epoch(NOW + 60 * DAY),
        updates_until=None,
        seq=7,
        nonce=content.nonce,
        min_keyset=1,
        policy_name=policy.ref.name,
        policy_version=policy.ref.version,
        offline=False,
    )


def test_an_offline_lease_says_so(keyring, policy):
    content = replace(_content(policy), offline=True)
    assert open_lease(Mint(keyring).lease(request(), content), keyring.keyset).offline


def test_every_answer_has_a_name_of_its_own(keyring, policy):
    mint, asked, content = Mint(keyring), request(), _content(policy)
    first, second = (open_lease(mint.lease(asked, content), keyring.keyset) for _ in range(2))
    assert first == replace(second, jti=first.jti)
    assert first.jti != second.jti


def test_a_statement_answers_its_request(keyring):
    asked, activation = request(), new_id()
    text = Mint(keyring).statement(
        request=asked,
        code="license_suspended",
        clauses=("K-13",),
        now=NOW,
        sub=activation,
        retry_at=NOW + DAY,
        options=("ask_support",),
    )
    statement = open_statement(text, keyring.keyset)
    assert statement == Statement(
        iss=ISSUER,
        iat=to_epoch(NOW),
        jti=statement.jti,
        jkt=asked.jkt,
        rid=asked.rid,
        code="license_suspended",
        clauses=("K-13",),
        sub=str(activation),
        retry_at=to_epoch(NOW + DAY),
        options=("ask_support",),
    )


def test_a_statement_about_no_activation_has_no_subject(keyring):
    text = Mint(keyring).statement(request=request(), code="license_invalid", clauses=("K-14",), now=NOW)
    statement = open_statement(text, keyring.keyset)
    assert (statement.sub, statement.retry_at, statement.options) == (None, None, ())


def test_a_lease_can_be_checked_by_another_library_with_the_published_keys(keyring, policy):
    content = _content(policy)
    text = Mint(keyring).lease(request(), content)
    opened = jws.deserialize_compact(text, KeySet.import_key_set(keyring.jwks()), algorithms=["Ed25519"])
    assert opened.headers()["kid"] == keyring.keyset.keys[0].key.thumbprint
    assert json.loads(opened.payload)["sub"] == str(content.activation)


def test_answers_are_signed_by_the_key_of_their_time(settings, keyring, policy):
    second = private_key()
    add_key(settings, second)
    publish(settings, keyring.keyset.keys[0], online(second, NOW + DAY))
    rotated = Keyring.load(settings)
    for now in (NOW, NOW + DAY):
        text = Mint(rotated).lease(request(), _content(policy, now))
        lease = open_lease(text, rotated.keyset)
        assert lease.min_keyset == 2


def test_without_a_key_that_may_sign_nothing_is_minted(keyring, policy):
    with pytest.raises(Unavailable):
        Mint(keyring).lease(request(), _content(policy, NOW - DAY))
    with pytest.raises(Unavailable):
        Mint(keyring).statement(request=request(), code="license_invalid", clauses=("K-14",), now=NOW - DAY)


def test_the_canary_sings_when_a_till_could_believe_this_server(keyring):
    Mint(keyring).prove(NOW)


def test_a_server_without_a_private_key_must_not_start(settings):
    next(settings.online_keys_dir.iterdir()).unlink()
    with pytest.raises(ConfigError, match="keyset"):
        Mint(Keyring.load(settings)).prove(NOW)


def test_a_server_whose_only_key_is_not_yet_valid_must_not_start(keyring):
    with pytest.raises(ConfigError, match="keyset"):
        Mint(keyring).prove(NOW - DAY)


@pytest.mark.parametrize(
    "wrong",
    [
        {"x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
        {"kid": "A" * 43},
        {"crv": "X25519"},
    ],
)
def test_a_server_that_publishes_other_keys_than_it_signs_with_must_not_start(keyring, monkeypatch, wrong):
    published = {"keys": [keyring.jwks()["keys"][0] | wrong]}
    monkeypatch.setattr(Keyring, "jwks", lambda _: published)
    with pytest.raises(ConfigError):
        Mint(keyring).prove(NOW)


def test_a_server_whose_private_key_is_not_the_one_it_claims_must_not_start(keyring):
    kid = keyring.keyset.keys[0].key.thumbprint
    forged = Keyring({1: (keyring.keyset, keyring.text)}, {kid: private_key()})
    with pytest.raises(ConfigError):
        Mint(forged).prove(NOW)


@pytest.mark.clause("I16")
def test_a_mint_and_what_it_signs_show_no_secret(settings, keyring, policy):
    secret = json.loads(next(settings.online_keys_dir.iterdir()).read_text())["d"]
    content = _content(policy)
    assert secret not in repr(Mint(keyring))
    assert content.nonce not in repr(content)
