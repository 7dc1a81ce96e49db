"""Which keysets are believed after restarts, rotations and updates of the host."""

import pytest

from tests.sdk.license_server import LicenseServer, key_from
from tests.sdk.tills import PaperTill
from tillkey import trust
from tillkey.wire.errors import WireError
from tillkey.wire.keyset import Keyset, OnlineKey, sign_keyset


@pytest.fixture
def server():
    made = LicenseServer()
    made.publish([made.mint.online, key_from("second")])
    made.publish([key_from("second"), key_from("third")])
    return made


def texts(server, *versions):
    return tuple(server.keysets[version] for version in versions)


def test_stored_keysets_are_walked_from_the_pinned_one(server):
    held = trust.resumed(trust.pinned(server.keysets[1]), texts(server, 1, 2, 3))
    assert held.newest.version == 3
    assert held.texts == texts(server, 1, 2, 3)


def test_a_gap_ends_the_walk(server):
    assert trust.resumed(trust.pinned(server.keysets[1]), texts(server, 1, 3)).newest.version == 1


@pytest.mark.parametrize("junk", ["", "{}", "not a keyset"])
def test_junk_among_the_stored_keysets_is_passed_over(server, junk):
    assert trust.resumed(trust.pinned(server.keysets[1]), (junk, *texts(server, 2))).newest.version == 2


def test_a_stored_keyset_that_does_not_follow_is_not_believed(server):
    stranger = LicenseServer(server.issuer)
    stranger.mint.root = key_from("stranger")
    stranger.keysets.clear()
    stranger.publish([key_from("x")])
    stranger.publish([key_from("x")])
    held = trust.resumed(trust.pinned(server.keysets[1]), (server.keysets[1], stranger.keysets[2]))
    assert held.newest.version == 1


def test_another_keyset_of_the_same_version_does_not_replace_the_held_one(server):
    other = (OnlineKey(key_from("y").public, 0, None),)
    twin = sign_keyset(Keyset(server.issuer, 1, 1, (server.mint.root.public,), other, 5), [server.mint.root])
    held = trust.resumed(trust.pinned(server.keysets[1]), (twin, server.keysets[2]))
    assert held.walk[0] == trust.pinned(server.keysets[1]).newest
    assert held.newest.version == 2
    with pytest.raises(WireError):
        held.advanced(twin)


def test_after_the_host_ships_a_newer_pin_an_old_lease_is_still_read(server):
    first = LicenseServer()
    till = PaperTill(first)
    till.activate(first.sell())
    lease = till.state.lease
    held = trust.resumed(trust.pinned(server.keysets[3]), texts(server, 1))
    assert held.newest.version == 3
    assert held.texts == texts(server, 1, 3)
    opened, current = trust.held_lease(held, lease)
    assert (opened.seq, current) == (1, False)


def test_a_keyset_below_the_pin_that_its_roots_did_not_sign_reads_nothing(server):
    stranger = LicenseServer(server.issuer)
    stranger.mint.root = key_from("stranger")
    stranger.keysets.clear()
    stranger.publish([key_from("x")])
    held = trust.resumed(trust.pinned(server.keysets[3]), (stranger.keysets[1],))
    assert held.below == ()


def test_only_a_lease_or_statement_with_a_strange_key_asks_for_a_newer_keyset(server):
    held = trust.pinned(server.keysets[1])
    till = PaperTill(LicenseServer())
    till.activate(till.server.sell())
    assert not trust.names_unknown_key(held, till.state.lease)
    assert not trust.names_unknown_key(held, "junk")
    assert not trust.names_unknown_key(held, 5)
    newer = PaperTill(server, pinned=server.keysets[3])
    newer.activate(server.sell())
    assert trust.names_unknown_key(held, newer.state.lease)


def test_what_no_keyset_verifies_is_not_read(server):
    assert trust.held_lease(trust.pinned(server.keysets[1]), "a.b.c") is None
    assert trust.held_lease(trust.pinned(server.keysets[1]), None) is None
    assert trust.held_statement(trust.pinned(server.keysets[1]), None) is None
