"""How one keyset follows another: at every moment a key can sign, and what no till would follow is not published."""

import json
from dataclasses import replace

import pytest

from tests.server.signing.keys import DAY, ISSUER, NOW, online, private_key, publish
from tillkey.wire.keyset import open_keyset, sign_keyset, step
from tillkey_server.clock import to_epoch
from tillkey_server.errors import BadInput, ConfigError
from tillkey_server.settings import Settings
from tillkey_server.signing import ceremony, succession
from tillkey_server.signing.keyring import Keyring, KeyState
from tillkey_server.signing.succession import Plan

PLANNED = Plan(NOW + 7 * DAY, NOW + 8 * DAY)


@pytest.fixture
def settings(tmp_path):
    made = Settings.load(tmp_path, {})
    ceremony.init(made, issuer=ISSUER, now=NOW)
    return made


@pytest.fixture
def held(settings):
    return Keyring.load(settings).keyset


def signed(settings, draft):
    return succession.signed(draft.text, [succession.read_root(settings.root_key_path)])


def test_the_new_key_begins_when_planned_and_those_before_end_and_stay(held):
    new = private_key().public
    following = succession.next_keyset(held, new, PLANNED, NOW)
    assert (following.version, following.issuer, following.roots) == (2, ISSUER, held.roots)
    assert [(key.not_before, key.not_after) for key in following.keys] == [
        (to_epoch(NOW), to_epoch(NOW + 8 * DAY)),
        (to_epoch(NOW + 7 * DAY), None),
    ]


def test_an_end_that_was_set_before_is_never_put_off(held):
    old = replace(held, keys=(online(private_key(), NOW - DAY, NOW + DAY), *held.keys))
    following = succession.next_keyset(old, private_key().public, PLANNED, NOW)
    assert following.keys[0].not_after == to_epoch(NOW + DAY)


def test_at_every_moment_one_key_can_sign(settings):
    made = succession.draft(settings, PLANNED, NOW)
    made.keep(settings)
    succession.publish(settings, signed(settings, made), NOW)
    keyring = Keyring.load(settings)
    names = [keyring.signer(NOW + day * DAY).public.thumbprint for day in range(60)]
    old, new = (key.key.thumbprint for key in keyring.keyset.keys)
    assert names == [old] * 7 + [new] * 53
    assert keyring.state(old, NOW + 8 * DAY) is KeyState.RETIRED


def test_a_plan_by_which_no_key_could_sign_for_a_time_is_refused(held):
    only = held.keys[0].key.thumbprint
    with pytest.raises(BadInput, match="--starts-in 0"):
        succession.next_keyset(held, private_key().public, replace(PLANNED, dropped=(only,)), NOW)
    with pytest.raises(BadInput, match="overlap"):
        succession.next_keyset(held, private_key().public, replace(PLANNED, others_end_at=NOW), NOW)


def test_a_draft_is_followed_by_no_till_and_a_signed_one_by_each(settings, held):
    made = succession.draft(settings, PLANNED, NOW)
    with pytest.raises(ValueError, match="threshold"):
        step(held, made.text)
    text = signed(settings, made)
    assert step(held, text) == made.keyset == open_keyset(text)
    assert len(json.loads(text)["signatures"]) == 1


def test_a_root_that_signs_twice_is_there_once(settings):
    made = succession.draft(settings, PLANNED, NOW)
    root = succession.read_root(settings.root_key_path)
    text = succession.signed(succession.signed(made.text, [root]), [root])
    assert succession.opened(text)[1] == (root.public.thumbprint,)


def test_another_servers_draft_and_one_for_another_version_are_refused(settings, held):
    made = succession.draft(settings, PLANNED, NOW)
    text = signed(settings, made)
    root = succession.read_root(settings.root_key_path)
    foreign = sign_keyset(replace(made.keyset, issuer="another"), [root])
    with pytest.raises(BadInput, match="another server's"):
        succession.publish(settings, foreign, NOW)
    publish(settings, *held.keys)
    with pytest.raises(BadInput, match="3 comes next"):
        succession.publish(settings, text, NOW)


def test_a_keyset_whose_key_is_not_here_is_not_published(settings):
    text = signed(settings, succession.draft(settings, PLANNED, NOW))
    before = settings.keyset_path.read_text()
    with pytest.raises(BadInput, match="copy it there first"):
        succession.publish(settings, text, NOW)
    assert settings.keyset_path.read_text() == before


def test_a_keyset_with_which_no_till_would_believe_the_server_is_not_published(settings, held):
    root = succession.read_root(settings.root_key_path)
    late = replace(held, version=2, keys=(replace(held.keys[0], not_before=to_epoch(NOW + DAY)),))
    with pytest.raises(ConfigError, match="no till would believe"):
        succession.publish(settings, sign_keyset(late, [root]), NOW)
    assert Keyring.load(settings).keyset.version == 1
