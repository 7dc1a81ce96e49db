"""The fake server says what the real one says: status, code, sentence, clauses, facts and every claim that is signed.

Each story is one conversation by raw requests, held with both; what they said has to be equal, word for word.
"""

import json
from datetime import timedelta

import httpx
import pytest

from tests.support.till import new_rid
from tests.support.twins import Told
from tests.support.worlds import FakeWorld, real_world
from tillkey.testing import refusals, support
from tillkey.wire.fields import LANGUAGES
from tillkey.wire.license_key import format_key
from tillkey.wire.request import Deactivate, Move, Support, path_of
from tillkey_server.words import catalogue
from tillkey_server.words.catalogue import sentence

STAGING = {"environment": "staging"}
NOBODYS = "01a219c8-f44a-75e3-947f-3c175130cda8"
JSON = {"content-type": "application/json"}


async def the_chain(told):
    key, till = told.world.license(), told.till()
    rid = new_rid()
    await till.activate(key, rid=rid)
    copied, older = till.copied(), till.held.nonce
    await till.activate(key, rid=rid)
    beat = new_rid()
    await till.heartbeat(rid=beat)
    told.world.turn(hours=3)
    await till.heartbeat(rid=beat)
    await till.heartbeat()
    await till.heartbeat(rid=beat)
    await till.activate(key, rid=beat)
    await till.heartbeat(nonce=older)
    await copied.heartbeat()
    await till.heartbeat(nonce=new_rid())
    await till.activate(key)
    await till.activate()
    await copied.activate()


async def the_keys_of_licenses(told):
    till, known = told.till(), told.till("known")
    await known.activate(told.world.license())
    for asking in (till, known):
        await asking.activate(format_key("POS", bytes))
        await asking.activate("POS-1")
        await asking.activate(told.world.license("pos-loyalty"))
    known.product = "no-such-product"
    await known.activate(told.world.license())
    await till.activate(told.world.license(), project=None)
    await till.activate(told.world.license(), project="  ")


async def the_seat(told):
    world, key = told.world, told.world.license()
    first, second = told.till("first"), told.till("second")
    await first.activate(key)
    world.turn(minutes=5)
    await second.activate(key)
    await second.activate(key, **STAGING)
    await first.activate(key, project="Airport")
    await first.activate(key, project=" corner shop", site="corner.example")
    await first.activate(world.license())
    await first.activate(world.license(customer="somebody@else.example"))
    await first.activate(key, **STAGING)
    await second.activate(key)
    await second.activate(key, environment="development")


async def the_project(told):
    world, till = told.world, told.till()
    staged = world.license()
    await till.activate(staged, **STAGING)
    await told.till("second").activate(staged, project="Airport")
    await till.deactivate()
    await told.till("second").activate(staged, project="Airport")
    world.turn(days=1)
    await told.till("second").activate(staged, project="Corner Shop")
    await told.till("third").activate(staged, project="Corner Shop")


async def the_tickets(told):
    world, key, other = told.world, told.world.license(), told.world.license()
    staging, production = told.till("staging"), told.till("production")
    await staging.activate(key, **STAGING)
    await told.till("elsewhere").activate(other, **STAGING)
    foreign = world.move_ticket(other)
    rid = new_rid()
    before = staging.held
    ticket = (await staging.move(rid=rid)).ticket
    await staging.ask(Move(before.sub, before.nonce, "production"), rid=rid)
    for presented in ("MOVE-1", foreign, ticket):
        await production.activate(key, environment="development", move_ticket=presented)
    world.turn(hours=24)
    await production.activate(key, move_ticket=ticket)
    ticket = (await staging.move()).ticket
    await production.activate(key, move_ticket=ticket)
    await staging.heartbeat()
    await staging.move()
    await staging.activate()
    await told.till("third").activate(key, **STAGING, move_ticket=ticket)
    await production.deactivate()
    await told.till("third").activate(key, **STAGING)
    await production.activate(key, move_ticket=ticket)
    await production.activate(key, move_ticket=world.move_ticket(key))


async def a_ticket_of_another_holder(told):
    key, staging = told.world.license(), told.till("staging")
    await staging.activate(key, **STAGING)
    ticket = (await staging.move()).ticket
    await staging.deactivate()
    await told.till("second").activate(key, **STAGING)
    await told.till("production").activate(key, move_ticket=ticket)


async def the_ends(told):
    world, key, till = told.world, told.world.license(), told.till()
    rid = new_rid()
    await till.activate(key, rid=rid)
    await till.deactivate(rid=rid)
    await till.deactivate()
    world.turn(hours=1)
    await till.deactivate()
    await till.heartbeat()
    await till.move()
    await till.activate()
    await till.activate(key, rid=rid)
    await till.activate(key)
    world.release(key)
    await till.heartbeat()
    await till.activate(key)
    world.force_deactivate(key)
    await told.till("second").activate(key)
    await till.heartbeat()
    await till.activate()
    await till.activate(key)
    await till.deactivate()
    await till.heartbeat()


async def the_standing(told):
    world, key, till = told.world, told.world.license(), told.till()
    await till.activate(key)
    world.turn(hours=1)

    async def asked():
        await till.heartbeat()
        await till.move()
        await till.activate()
        await till.activate(key)
        await told.till("stranger").activate(key)
        await told.ask("POST", "/v1/licenses/check", json={"license_key": key, "product": "pos-core"})

    world.suspend(key, until=world.clock.now + timedelta(hours=2))
    await asked()
    world.turn(hours=2)
    await asked()
    world.suspend(key)
    await asked()
    world.resume(key)
    world.hold(key)
    await asked()
    world.lift_hold(key)
    world.renew(key, timedelta(days=3))
    await asked()
    world.turn(days=3)
    await asked()
    world.revoke(key)
    await asked()
    world.terminate(key)
    await asked()
    await till.deactivate()
    await till.heartbeat()


async def a_lost_history(told):
    world, key, till = told.world, told.world.license(), told.till()
    before = world.back_up()
    await till.activate(key)
    held = world.back_up()
    await till.heartbeat()
    world.restore(held)
    await till.heartbeat()
    lost = till.copied()
    await till.activate()
    await lost.heartbeat()
    world.restore(before)
    await till.heartbeat()
    await till.activate()
    world.restore(before)
    world.turn(hours=1)
    await told.till("second").activate(key)
    await till.activate()
    world.restore(before)
    second = told.till("second")
    await second.activate(key, project="Airport")
    await second.deactivate()
    await till.activate()
    world.restore(before)
    await second.activate(key, **STAGING)
    await till.activate(world.license())
    await till.activate()


async def a_history_that_went_on(told):
    world, key, till = told.world, told.world.license(), told.till()
    await till.activate(key)
    behind, held = till.copied(), world.back_up()
    await till.heartbeat()
    world.restore(held)
    for _ in range(3):
        await behind.heartbeat()
    lost = till.copied()
    await till.activate()
    await lost.heartbeat()


async def a_history_in_which_another_held_the_license(told):
    world, key = told.world, told.world.license()
    first, till, thief = told.till("first"), told.till(), told.till("thief")
    empty = world.back_up()
    await first.activate(key)
    held = world.back_up()
    await first.deactivate()
    world.turn(hours=1)
    await till.activate(key)
    thief.lease, thief.lease_text = till.lease, till.lease_text
    for backup in (held, empty):
        world.restore(backup)
        await thief.activate()
        lost = till.copied()
        await till.activate()
        await lost.heartbeat()
        await first.heartbeat()


async def a_lease_that_is_another_s(told):
    key, till = told.world.license(), told.till()
    await till.activate(key)
    thief = told.till("thief")
    thief.lease, thief.lease_text = till.lease, till.lease_text
    await thief.activate()
    await thief.heartbeat()
    await thief.deactivate()
    till.product = "pos-loyalty"
    await till.activate()
    till.lease_text = till.lease_text[:-4] + "AAAA"
    await till.activate()


async def a_machine_set_up_afresh(told):
    key = told.world.license()
    for number in range(5):
        await told.till(f"key {number}", machine="one").activate(key)
        told.world.turn(minutes=1)
    await told.till("key 0", machine="one").activate(key)
    await told.till("elsewhere", machine="one", location="/opt/other").activate(key)
    told.world.turn(days=30)
    await told.till("key 9", machine="one").activate(key)


async def the_times_of_leases(told):
    key, till = told.world.license(), told.till()
    await till.activate(key)
    for days in (29, 1, 1, 400):
        told.world.turn(days=days)
        await till.heartbeat()


async def what_is_no_request(told):
    till = told.till()
    await till.activate(told.world.license())
    await told.ask("GET", f"/v1/activations/{till.held.sub}/heartbeat")
    for path in ("/v1/activations", "/v1/keyset", "/v1/keyset/1", "/v1/nothing", "/v1/licenses/check"):
        await told.ask("POST", path, content=b"{}", headers=JSON)
    for path in ("/v1/nothing", "/v1/licenses/check"):
        await told.ask("GET", path)
    await told.ask("GET", "/v1/keyset/2")
    await told.ask("GET", "/v1/keyset/01")
    await told.ask("POST", "/v1/activations", content=b'{"request":"x"}', headers={"content-type": "text/plain"})
    for body in (b"", b"[]", b'{"request":1}', b'{"request":"x"}', b'{"request":"a.b.c"}', b'{"request":"x","y":1}'):
        await told.ask("POST", "/v1/activations", content=body, headers=JSON)
    await told.ask("POST", "/v1/activations", content=json.dumps({"request": "x" * 17000}), headers=JSON)
    for product in ("pos-core", "pos-loyalty", "none"):
        asked = {"license_key": told.world.license(), "product": product}
        await told.ask("POST", "/v1/licenses/check", json=asked)
    await told.ask("POST", "/v1/licenses/check", json={"license_key": "?", "product": "pos-core"})


async def a_request_at_the_wrong_address(told):
    till = told.till()
    await till.activate(told.world.license())
    body, rid = Deactivate(till.held.sub), new_rid()
    text = till.sign(body, rid=rid)
    await till.send(text, f"/v1/activations/{till.held.sub}/heartbeat", rid=rid)
    await till.send(text, f"/v1/activations/{till.held.sub[:-1]}/deactivate", rid=rid)
    await till.send(text, "/v1/activations", rid=rid)
    await till.send(till.sign(body, rid=rid, aud="another server"), path_of(body), rid=rid)
    await till.send(text[:-8] + "AAAAAAA" + text[-1], path_of(body), rid=rid)
    stranger = told.till("stranger")
    for unknown in (body, Move(till.held.sub, new_rid(), "staging"), Deactivate(NOBODYS), Support(NOBODYS, "help")):
        await stranger.ask(unknown)


async def the_questions_about_support(told):
    world, key, till = told.world, told.world.license(), told.till()
    rid = new_rid()
    await till.activate(key, rid=rid)
    for language in ("en", "fr", "it"):
        await till.support("fix_issue", feature="returns", language=language)
    await till.support("fix_issue", rid=rid)
    await till.heartbeat()
    world.turn(days=400)
    await till.heartbeat()
    await till.support("fix_issue", platform_version="9")
    world.suspend(key)
    await till.support("fix_issue")
    world.resume(key)
    world.renew(key, timedelta(days=3))
    world.turn(days=3)
    await till.support("fix_issue")
    stranger = told.till("stranger")
    stranger.lease = till.lease
    await stranger.support("fix_issue")
    await told.ask("GET", f"/v1/activations/{till.held.sub}/support")
    world.release(key)
    await till.support("fix_issue")
    world.renew(key, timedelta(days=30))
    await till.activate(key)
    world.force_deactivate(key)
    await till.support("fix_issue")


STORIES = [
    the_chain,
    the_keys_of_licenses,
    the_seat,
    the_project,
    the_tickets,
    a_ticket_of_another_holder,
    the_ends,
    the_standing,
    a_lost_history,
    a_history_that_went_on,
    a_history_in_which_another_held_the_license,
    a_lease_that_is_another_s,
    a_machine_set_up_afresh,
    the_times_of_leases,
    what_is_no_request,
    a_request_at_the_wrong_address,
    the_questions_about_support,
]


async def heard(world, story):
    async with httpx.AsyncClient(base_url=world.direct, trust_env=False, timeout=30) as http:
        told = Told(world, http)
        await story(told)
        return told


async def from_the_fake(story):
    with FakeWorld(issuer="test-house") as fake:
        return await heard(fake, story)


@pytest.fixture
def real(databases, tmp_path):
    with real_world(databases, tmp_path) as world:
        yield world


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
async def test_the_fake_says_what_the_server_says(story, real):
    expected = (await heard(real, story)).plain()
    found = (await from_the_fake(story)).plain()
    for one, other in zip(found, expected, strict=True):
        assert one == other


async def test_every_refusal_that_the_fake_knows_is_compared():
    codes = set()
    for story in STORIES:
        codes |= (await from_the_fake(story)).codes
    assert set(refusals._KINDS) - codes == set()


def test_the_fake_has_the_server_s_sentences_about_support():
    for code, told in support._SENTENCES.items():
        assert told == tuple(sentence(code, {}, language) for language in LANGUAGES)
    assert LANGUAGES == catalogue.LANGUAGES
    assert set(support._SENTENCES) == set(support.CODES.values())
