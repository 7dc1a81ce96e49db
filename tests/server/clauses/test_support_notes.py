"""NX-28 through the API: what an intervention leaves behind, in which language, and that no closing goes around it."""

from typing import Any

import httpx
import pytest

from tests.support.callers import Callers
from tests.support.help_desk import CRM, MARKET, HelpDesk, help_desk
from tests.support.house import House
from tests.support.refunding import own_terms
from tillkey_server.usecases.catalogue import change_product
from tillkey_server.usecases.services import open_services

NOTED = {"cause": "disco pieno", "prevention": "controllare il disco ogni mese"}


async def told(desk: HelpDesk, **body: Any) -> httpx.Response:
    """Tell an event that may be ill-formed."""
    return await desk.http.post(f"/v1/support-requests/{desk.request_id}/events", json=body)


@pytest.mark.clause("NX-28")
async def test_a_note_is_kept_with_its_language(house: House, callers: Callers) -> None:
    desk = await help_desk(house, callers, MARKET)
    await desk.open()
    for tag in ("it", "fr-CA", "zh-Hant-TW", "de-CH-1996"):
        noted = await desk.event("intervention", note_language=tag, **NOTED)
        assert (noted["code"], noted["clauses"]) == ("support_event_recorded", ["NX-28"])
        assert (await desk.shown())["events"][-1]["details"] == {**NOTED, "note_language": tag}
    for tag in ("", "italian language", "i", "it_IT", "it-", "-it", "it-abcdefghi"):
        wrong = await told(desk, kind="intervention", note_language=tag, **NOTED)
        assert (wrong.status_code, wrong.json()["code"]) == (400, "malformed"), tag
    foreign = await told(desk, kind="human_reply", note_language="it")
    assert (foreign.status_code, foreign.json()["detail"].partition(":")[0]) == (400, "note_language")


@pytest.mark.clause("NX-28")
@pytest.mark.parametrize("blank", [" ", "\n\t ", "\u00a0\u2003", "\u200b\ufeff"])
async def test_what_nobody_can_see_is_no_note(house: House, callers: Callers, blank: str) -> None:
    desk = await help_desk(house, callers, MARKET)
    await desk.open()
    for body in (
        {"kind": "intervention", **NOTED, "cause": blank},
        {"kind": "intervention", **NOTED, "prevention": blank},
        {"kind": "closed", "no_intervention_reason": blank},
    ):
        assert (await told(desk, **body)).status_code == 400
    bare = await desk.event("closed")
    assert (bare["code"], bare["clauses"]) == ("intervention_note_required", ["NX-28"])


@pytest.mark.clause("NX-28", "CJ-09")
async def test_the_customers_silence_closes_nothing_without_a_note(house: House) -> None:
    noted = '[support.interventions]\nclauses = ["NX-28"]\n\n[deadlines.objection]'
    text = own_terms("own-notes", "crmjetty", ("[deadlines.objection]", noted))
    (house.services.settings.policies_dir / "own-notes.toml").write_text(text, "utf-8")
    services = await open_services(house.services.settings, house.clock)
    try:
        await change_product(services, CRM, policy="own-notes", actor="cli:test")
        async with Callers(services) as callers:
            desk = await help_desk(House(services, house.clock, house.http), callers, CRM)
            await desk.open(described=["problem"])
            house.clock.turn(days=15)
            bare = await desk.event("closed", unanswered=True)
            assert (bare["code"], bare["clauses"]) == ("intervention_note_required", ["NX-28"])
            reason = {"no_intervention_reason": "nobody told which store"}
            closed = await desk.event("closed", unanswered=True, **reason)
            assert (closed["code"], closed["clauses"]) == ("closed_unanswered", ["CJ-09"])
            assert closed["request"]["state"] == "closed"
    finally:
        await services.close()
