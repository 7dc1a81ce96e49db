"""What a till lives through, told once: against the fake server and the real one, synchronously and under asyncio.

Where the two servers differ, the fake is wrong. No story waits: both clocks are turned.
"""

import inspect
import shutil
from datetime import datetime, timedelta

import pytest

from tests.support.premises import EXEMPT
from tests.support.worlds import FakeWorld, real_world
from tillkey import LicenseClient, NotActivated, Refused, Unreachable
from tillkey.aio import AsyncLicenseClient
from tillkey.wire.license_key import format_key

SHOP = "Corner Shop"
EVERYTHING = ("sell", "reports", "loyalty")
CLIENTS = {"sync": LicenseClient, "async": AsyncLicenseClient}


@pytest.fixture(params=["fake", "real"])
def world(request, databases, tmp_path):
    if request.param == "fake":
        with FakeWorld() as fake:
            yield fake
        return
    with real_world(databases, tmp_path / "server") as real:
        yield real


@pytest.fixture(params=CLIENTS)
def till(request, world, tmp_path):
    """Start a till's program: each name is a computer, the same name again is that till started anew."""

    def start(name="till", product="pos-core"):
        traits = {trait: f"{trait} of {name}" for trait in ("machine_id", "hostname", "hardware")}
        options = {"machine_traits": traits, "app_version": "1.0", "clock": world.clock}
        return CLIENTS[request.param](world.url, product, world.keyset, tmp_path / name, **options)

    return start


async def told(answer):
    """Return what a client's verb came to, whichever kind of client it is."""
    return await answer if inspect.isawaitable(answer) else answer


async def refused(verb, *arguments, **options):
    """Return the refusal that a verb meets."""
    with pytest.raises(Refused) as caught:
        await told(verb(*arguments, **options))
    return caught.value


async def activated(client, key, **options):
    verdict = await told(client.activate(key, **{"project": SHOP, **options}))
    assert (verdict.status, verdict.usable, verdict.entitlements) == ("valid", True, EVERYTHING)
    return verdict


def day(moment):
    return moment.strftime("%Y-%m-%d %H:%M")


async def test_an_activated_till_has_full_rights_and_each_beat_renews_them(world, till):
    client = till()
    first = await activated(client, world.license())
    assert (first.project, first.environment, day(first.support_until)) == (SHOP, "production", "2027-03-03 00:00")
    world.turn(hours=7)
    assert client.check().status == "refresh_due"
    renewed = await told(client.heartbeat())
    assert (renewed.status, renewed.activation) == ("valid", first.activation)
    assert renewed.lease_ends_at > first.lease_ends_at


async def test_activate_at_every_start_is_a_heartbeat_of_the_same_activation(world, till):
    key = world.license()
    first = await activated(till(), key)
    again = await activated(till(), key, project=" corner  SHOP ")
    assert (again.activation, world.suspicions(key)) == (first.activation, (0, 0))


async def test_a_second_till_is_told_that_the_license_is_in_use(world, till):
    key = world.license()
    await activated(till("first"), key)
    second = till("second")
    no = await refused(second.activate, key, project=SHOP)
    assert (no.code, no.clauses, no.statement.code) == ("license_in_use", ("NX-03",), "license_in_use")
    assert no.detail.startswith("Another installation holds the license. Deactivate it there")
    assert second.check().status == "unlicensed"
    assert till("first").check().usable


async def test_a_license_goes_from_staging_to_production_by_ticket(world, till):
    key, staging, production = world.license(), till("staging"), till("production")
    await activated(staging, key, environment="staging")
    assert (await refused(production.activate, key, project=SHOP)).code == "staging_must_be_deactivated"
    ticket = await told(staging.move_ticket("production"))
    assert staging.check().usable
    await activated(production, key, move_ticket=ticket)
    assert (await refused(staging.heartbeat)).code == "activation_superseded"
    assert staging.check().status == "superseded"
    no = await refused(till("third").activate, key, project=SHOP, move_ticket=ticket)
    assert no.code == "move_ticket_invalid"


async def test_the_same_till_goes_from_staging_to_production_without_a_ticket(world, till):
    client, key = till(), world.license()
    staged = await activated(client, key, environment="staging")
    moved = await activated(client, key)
    assert moved.activation != staged.activation
    assert moved.environment == "production"


async def test_a_ticket_made_by_support_frees_a_staging_machine_that_is_gone(world, till):
    key = world.license()
    await activated(till("staging"), key, environment="staging")
    await activated(till("production"), key, move_ticket=world.move_ticket(key))
    assert (await refused(till("staging").heartbeat)).code == "activation_superseded"


async def test_where_the_terms_exempt_staging_it_stands_beside_production(world, till):
    key = world.license(EXEMPT)
    for environment in ("staging", "production"):
        client = till(environment, EXEMPT)
        assert (await told(client.activate(key, project=SHOP, environment=environment))).entitlements == (
            "sell",
            "care",
        )
    third = till("third", EXEMPT)
    for environment in ("production", "development"):
        assert (await refused(third.activate, key, project=SHOP, environment=environment)).code == "license_in_use"
    assert till("staging", EXEMPT).check().usable


async def test_a_license_stays_in_its_project_after_production(world, till):
    client, key = till(), world.license()
    await activated(client, key)
    assert (await refused(client.activate, key, project="Airport")).code == "bound_to_other_project"
    assert client.check().usable
    await told(client.deactivate())
    no = await refused(till("elsewhere").activate, key, project="Airport")
    assert (no.code, no.options) == ("bound_to_other_project", ("use_bound_project", "buy_license", "ask_support"))


async def test_a_license_is_used_within_a_project(world, till):
    assert (await refused(till().activate, world.license())).code == "project_required"


async def test_a_till_sells_on_and_starts_while_the_server_is_down(world, till):
    key = world.license()
    await activated(till(), key)
    world.go_down()
    client = till()
    assert (await told(client.activate(key, project=SHOP))).usable
    assert isinstance(client.last_error, Unreachable)
    with pytest.raises(Unreachable):
        await told(client.heartbeat())
    assert client.check().status == "valid"
    world.come_up()
    assert (await told(client.heartbeat())).status == "valid"
    assert client.last_error is None


async def test_a_first_start_needs_the_server_and_the_next_one_completes_it(world, till):
    client, key = till(), world.license()
    world.go_down()
    with pytest.raises(Unreachable):
        await told(client.activate(key, project=SHOP))
    assert client.check().status == "unlicensed"
    world.come_up()
    assert (await told(client.heartbeat())).status == "valid"
    assert world.suspicions(key) == (0, 0)


async def test_without_the_server_comes_a_notice_and_then_the_extras_go_and_the_till_sells(world, till):
    client = till()
    await activated(client, world.license())
    seen = []
    for hours in (5, 2, 161, 73):  # 5 h, 7 h, 7 days, 10 days and an hour; the refund window is open
        world.turn(hours=hours)
        verdict = client.check()
        seen.append((verdict.status, verdict.usable, verdict.entitlements))
    assert seen == [
        ("valid", True, EVERYTHING),
        ("refresh_due", True, EVERYTHING),
        ("grace", True, EVERYTHING),
        ("degraded", True, ("sell",)),
    ]
    assert (await told(client.heartbeat())).entitlements == EVERYTHING


async def test_full_rights_last_longer_once_the_refund_window_is_over(world, till):
    client = till()
    first = await activated(client, world.license())
    world.turn(days=31)
    later = await told(client.heartbeat())
    assert (day(first.lease_ends_at), day(later.lease_ends_at)) == ("2026-03-12 09:00", "2026-05-02 09:00")


async def test_a_revoked_till_learns_it_with_its_next_beat_and_not_before(world, till):
    client, key = till(), world.license()
    await activated(client, key)
    world.revoke(key)
    assert client.check().usable
    no = await refused(client.heartbeat)
    assert (no.code, no.clauses) == ("license_revoked", ("K-13", "X-04"))
    assert (client.check().status, client.check().usable) == ("revoked", False)
    assert (await refused(till("other").activate, key, project=SHOP)).code == "license_revoked"


async def test_a_suspension_stops_a_till_and_its_end_lets_it_go_on(world, till):
    client, key = till(), world.license()
    activation = (await activated(client, key)).activation
    world.suspend(key)
    assert (await refused(client.heartbeat)).code == "license_suspended"
    assert (client.check().status, client.check().usable) == ("suspended", False)
    world.resume(key)
    verdict = await told(client.heartbeat())
    assert (verdict.status, verdict.activation) == ("valid", activation)


async def test_a_suspension_with_an_end_says_when_and_ends_by_itself(world, till):
    client, key = till(), world.license()
    await activated(client, key)
    until = datetime.fromisoformat("2026-03-05T09:00:00+00:00")
    world.suspend(key, until=until)
    assert (await refused(client.heartbeat)).retry_at == until.timestamp()
    world.turn(days=3)
    assert (await told(client.heartbeat())).status == "valid"


async def test_a_right_with_an_end_runs_out_as_told_and_a_renewal_lets_the_till_go_on(world, till):
    client, key = till(), world.license()
    world.renew(key, timedelta(days=20))
    told_before = await activated(client, key)
    assert day(told_before.use_until) == "2026-03-22 09:00"
    world.turn(days=20)
    assert (client.check().status, client.check().usable) == ("expired", False)
    assert (await refused(client.heartbeat)).code == "license_expired"
    world.renew(key, timedelta(days=20))
    assert (await told(client.heartbeat())).status == "valid"


async def test_a_released_license_can_be_taken_elsewhere(world, till):
    first, key = till("first"), world.license()
    await activated(first, key)
    assert (await told(first.deactivate())).status == "released"
    await activated(till("second"), key)
    with pytest.raises(Refused, match="activation_released"):
        await told(first.heartbeat())
    assert (await refused(first.activate, key, project=SHOP)).code == "license_in_use"


async def test_a_license_that_the_vendor_gave_back_in_its_till_s_stead_is_released(world, till):
    client, key = till(), world.license()
    await activated(client, key)
    world.release(key)
    assert (await refused(client.heartbeat)).code == "activation_released"
    assert client.check().status == "released"
    await activated(till("second"), key)


async def test_a_till_that_was_freed_by_support_is_superseded(world, till):
    old, key = till("old"), world.license()
    await activated(old, key)
    world.force_deactivate(key)
    await activated(till("new"), key)
    assert old.check().usable
    assert (await refused(old.heartbeat)).code == "activation_superseded"
    assert old.check().status == "superseded"


async def test_a_lost_answer_is_asked_for_again_and_nobody_is_suspected(world, till):
    client, key = till(), world.license()
    world.drop_next_answer()
    with pytest.raises(Unreachable):
        await told(client.activate(key, project=SHOP))
    await activated(client, key)
    world.drop_next_answer()
    with pytest.raises(Unreachable):
        await told(client.heartbeat())
    assert (await told(client.heartbeat())).status == "valid"
    assert world.suspicions(key) == (0, 0)


async def test_a_restored_state_folder_is_a_fork_and_sells_on(world, till, tmp_path):
    key = world.license()
    await activated(till(), key)
    shutil.copytree(tmp_path / "till", tmp_path / "backup")
    await told(till().heartbeat())
    shutil.rmtree(tmp_path / "till")
    shutil.copytree(tmp_path / "backup", tmp_path / "till")
    assert (await told(till().heartbeat())).status == "valid"
    assert world.suspicions(key) == (1, 0)


async def test_two_live_copies_of_one_folder_are_a_switch(world, till, tmp_path):
    key, original = world.license(), till()
    await activated(original, key)
    shutil.copytree(tmp_path / "till", tmp_path / "copy")
    copied = till("copy")
    for client in (original, copied, original):
        assert (await told(client.heartbeat())).status == "valid"
    assert world.suspicions(key) == (2, 1)


async def test_a_machine_set_up_afresh_takes_its_own_seat_back(world, till, tmp_path):
    key = world.license()
    lost = await activated(till(), key)
    shutil.rmtree(tmp_path / "till")
    assert (await activated(till(), key)).activation != lost.activation


async def test_a_server_restored_from_a_backup_takes_its_tills_up_again(world, till):
    empty = world.license()
    backup = world.back_up()
    activation = (await activated(till(), empty)).activation
    world.restore(backup)
    verdict = await told(till().heartbeat())
    assert (verdict.status, verdict.activation, world.suspicions(empty)) == ("valid", activation, (0, 0))


async def test_a_key_of_another_product_an_unknown_and_a_mistyped_one_are_invalid_alike(world, till):
    foreign, unknown = world.license("pos-loyalty"), format_key("POS", bytes)
    for key in (foreign, unknown, f"{unknown[:-1]}2"):
        no = await refused(till().activate, key, project=SHOP)
        assert (no.code, no.clauses, no.statement) == ("license_invalid", ("K-14",), None)
    assert till().check().status == "unlicensed"


async def test_two_products_on_one_till_are_two_licenses(world, till):
    core, loyalty = till(), till(product="pos-loyalty")
    await activated(core, world.license())
    await activated(loyalty, world.license("pos-loyalty"))
    await told(loyalty.deactivate())
    assert (core.check().status, loyalty.check().status) == ("valid", "released")


async def test_a_till_that_was_never_activated_has_nothing_to_beat(world, till):
    with pytest.raises(NotActivated):
        await told(till().heartbeat())
    assert till().check().reason == "never_activated"


async def test_a_till_asks_whether_support_is_given_and_is_told_so_in_its_language(world, till):
    client = till()
    with pytest.raises(NotActivated):
        await told(client.support("fix_issue"))
    await activated(client, world.license())
    before = client.check()
    answer = await told(client.support("fix_issue"))
    assert (answer.decision, answer.allowed, answer.code) == ("pend", False, "support_pending_review")
    assert (answer.clauses, answer.options) == (("X-01", "K-05", "K-06"), ("review",))
    assert (answer.text, answer.charged) == ("The terms do not say it; a person decides.", None)
    assert (answer.care_active, day(answer.care_until)) == (True, "2027-03-03 00:00")
    french = await told(client.support("fix_issue", feature="returns", platform_version="9", language="fr"))
    assert french.text == "Les conditions ne le disent pas ; une personne décide."
    assert client.check() == before


async def test_a_question_that_does_not_reach_the_server_is_no_answer_and_changes_nothing(world, till):
    client = till()
    await activated(client, world.license())
    world.go_down()
    with pytest.raises(Unreachable):
        await told(client.support("fix_issue"))
    assert client.check().usable
    world.come_up()
    assert (await told(client.support("fix_issue"))).decision == "pend"


async def test_a_question_leaves_a_request_of_unknown_outcome_as_it_is(world, till):
    client, key = till(), world.license()
    await activated(client, key)
    world.drop_next_answer()
    with pytest.raises(Unreachable):
        await told(client.heartbeat())
    assert (await told(client.support("fix_issue"))).decision == "pend"
    assert (await told(client.heartbeat())).status == "valid"
    assert world.suspicions(key) == (0, 0)


async def test_a_till_that_was_freed_is_refused_and_learns_its_end_with_the_next_beat(world, till):
    old, key = till("old"), world.license()
    await activated(old, key)
    world.force_deactivate(key)
    no = await refused(old.support, "fix_issue")
    assert (no.code, no.statement) == ("activation_superseded", None)
    assert old.check().usable
    assert (await refused(old.heartbeat)).code == "activation_superseded"
    assert not old.check().usable
