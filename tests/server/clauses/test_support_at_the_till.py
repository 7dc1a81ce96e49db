"""A till asks whether support is given: the help desk's answer, about itself alone and without anybody's data."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from tests.support.callers import Callers
from tests.support.help_desk import ADDON, CARE, CRM, MARKET, HelpDesk, help_desk
from tests.support.house import House
from tests.support.statements import counted
from tests.support.till import RawTill, Reply, new_rid
from tillkey import support
from tillkey.effects import Reply as Sent
from tillkey_server.api.documents import SupportBody
from tillkey_server.rules.rate import SUPPORT_QUESTIONS
from tillkey_server.rules.standing import Event
from tillkey_server.store import tables
from tillkey_server.usecases import license as licenses
from tillkey_server.usecases.forced_deactivation import force_deactivate

SITE = "https://shop.example"
TASKS = {MARKET: "fix_issue", ADDON: "technical_issue", CRM: "technical_issue", CARE: "technical_issue"}
PAGE = {"features": ["returns"], "platform": {"from": "1.7", "to": "8.1"}}
PERSONAL = ("customer", "project", "purchase_order", "order_line", "license", "activation", "installation")
PUBLIC = {"support_until", "use_until", "product_id"}
"""Columns of these tables that say nothing about a person."""


async def a_till(house: House, callers: Callers, product: str, **described: Any) -> tuple[HelpDesk, RawTill]:
    """Sell a license, and let a till in its owner's shop use it."""
    desk = await help_desk(house, callers, product, **described)
    till = house.till(product=product)
    taken = await till.activate(desk.sold.license_key, site=SITE)
    assert taken.status == 201, taken.body
    return desk, till


async def everything(house: House) -> dict[str, list[str]]:
    """Every row of every table, but who asked how often."""
    async with house.services.db.reading() as conn:
        return {
            table.name: sorted(str(row) for row in await conn.execute(select(table)))
            for table in tables.metadata.sorted_tables
            if table is not tables.rate_limit
        }


def said(reply: Reply) -> tuple[int, str | None, list[str]]:
    return reply.status, reply.code, reply.body["clauses"]


@pytest.mark.parametrize("language", ["en", "fr", "it"])
@pytest.mark.parametrize("product", TASKS)
async def test_a_till_is_told_what_the_help_desk_is_told(
    house: House, callers: Callers, product: str, language: str
) -> None:
    desk, till = await a_till(house, callers, product, advertised=PAGE)
    for task in (TASKS[product], "paint_the_shop", "install_service"):
        asked = {"task": task, "feature": "returns", "platform_version": "1.8", "language": language}
        await told_alike(desk, till, asked)


async def told_alike(desk: HelpDesk, till: RawTill, asked: dict[str, str]) -> None:
    preview = await desk.preview(
        **{"described": [], **asked},
        project_id=desk.project_id,
        site=SITE,
        installation=till.jkt,
    )
    reply = await till.support(**asked)
    assert reply.status == 200
    assert {**reply.body, "facts": None} == {**preview, "facts": None}
    assert reply.body["clauses"] != []
    facts = reply.body["facts"]
    assert facts["care_banner"].items() <= preview["facts"]["care_banner"].items()
    for clock, whole in zip(facts["clocks"], preview["facts"].get("clocks", []), strict=True):
        assert clock.items() <= whole.items()
        assert "alarm_at" in whole
        assert "alarm_at" not in clock
    SupportBody.model_validate(reply.body)
    read = support.read(Sent(200, "application/json", json.dumps(dict(reply.body)).encode()))
    assert isinstance(read, support.SupportAnswer), read
    due = {clock["clock"]: clock["due_at"] for clock in facts["clocks"]}
    told = read.as_dict()
    assert [due.get(name) for name in ("ack", "reply", "resolve", "fix")] == [
        told[name] for name in ("acknowledge_by", "reply_by", "resolve_by", "fix_by")
    ]


@pytest.mark.clause("ZG-06", "ZG-07")
async def test_a_till_is_told_until_when_it_is_answered_and_corrected_and_that_it_is_free(
    house: House, callers: Callers
) -> None:
    _, till = await a_till(house, callers, ADDON)
    reply = await till.support("technical_issue")
    assert (reply.body["decision"], reply.code, reply.body["facts"]["charge"]) == ("allow", "support_task_ok", "free")
    assert {"ZG-06", "ZG-07"} <= set(reply.body["clauses"])
    due = {clock["clock"]: clock["due_at"] for clock in reply.body["facts"]["clocks"]}
    assert due == {"reply": "2026-03-03T15:00:00Z", "fix": "2026-04-16T14:00:00Z"}


@pytest.mark.clause("NX-20")
async def test_a_no_of_the_terms_is_an_answer_in_the_language_asked_for(house: House, callers: Callers) -> None:
    _, till = await a_till(house, callers, MARKET)
    reply = await till.support("paint_the_shop", language="fr")
    assert said(reply) == (200, "support_task_not_covered", ["NX-20", "NX-21"])
    assert (reply.body["decision"], reply.body["options"]) == ("deny", ["paid_offer"])
    assert reply.body["words"] == "L'assistance ne couvre pas cela."
    assert reply.statement is None


@pytest.mark.clause("BC-17")
async def test_ended_support_is_a_no_that_tells_no_price(house: House, callers: Callers) -> None:
    _, till = await a_till(house, callers, CARE)
    house.clock.turn(days=800)
    await till.activate()
    reply = await till.support("technical_issue")
    assert (reply.status, reply.body["decision"], reply.code) == (200, "deny", "nosup_support_expired")
    assert "BC-17" in reply.body["clauses"]
    assert reply.body["facts"]["care_banner"]["active"] is False
    assert "quote" not in str(dict(reply.body))


async def test_the_version_is_the_activation_s_unless_the_till_names_another(house: House, callers: Callers) -> None:
    _, till = await a_till(house, callers, CARE, advertised=PAGE)
    unread = await till.support("technical_issue")
    assert (unread.code, unread.body["facts"]["missing"]) == ("ticket_needs_info", ["platform_version"])
    assert (await till.support("technical_issue", platform_version="1.8")).body["decision"] == "allow"
    newer = await till.support("technical_issue", platform_version="9")
    assert newer.body["facts"]["may_refuse"] == ["nosup_version_not_advertised"]


@pytest.mark.parametrize(
    ("event", "code", "clause"),
    [
        (Event.SUSPEND, "license_suspended", "NX-42"),
        (Event.REVOKE, "license_revoked", "K-13"),
        (Event.HOLD, "legal_hold", "K-13"),
    ],
)
@pytest.mark.clause("K-13", "NX-42")
async def test_how_the_license_stands_is_an_answer_of_the_terms_and_no_refusal(
    house: House, callers: Callers, event: Event, code: str, clause: str
) -> None:
    desk, till = await a_till(house, callers, MARKET)
    await licenses.change_standing(
        house.services, desk.sold.license_id, event=event, actor="agent:test", reason="a secret of the desk"
    )
    reply = await till.support("fix_issue")
    assert (reply.status, reply.body["decision"], reply.code, reply.statement) == (200, "deny", code, None)
    assert clause in reply.body["clauses"]
    assert reply.body["facts"]["care_banner"]["active"] is False
    assert "secret" not in str(dict(reply.body))
    assert (await till.heartbeat()).code == code


@pytest.mark.clause("NX-07", "NX-08")
async def test_an_ended_activation_gets_the_statement_that_a_heartbeat_gets(house: House, callers: Callers) -> None:
    desk, till = await a_till(house, callers, MARKET)
    await till.deactivate()
    released = await till.support("fix_issue")
    assert said(released) == (403, "activation_released", ["NX-07", "NX-50"])
    second = house.till(product=MARKET)
    await second.activate(desk.sold.license_key)
    held = second.held.sub
    freed = await force_deactivate(house.services, UUID(held), actor="agent:test", reason="burnt", confirm=True)
    assert freed.decision.allowed
    superseded, beat = await second.support("fix_issue"), await second.heartbeat()
    assert said(superseded) == said(beat)
    assert superseded.code == "activation_superseded"
    assert "NX-08" in superseded.body["clauses"]
    assert superseded.statement is not None
    assert (superseded.statement.sub, superseded.statement.code) == (held, "activation_superseded")


@pytest.mark.clause("NX-49")
async def test_a_blocked_key_is_told_nothing(house: House, callers: Callers) -> None:
    _, till = await a_till(house, callers, MARKET)
    async with house.services.db.writing() as tx:
        await tx.execute(update(tables.installation).values(blocked_at=house.clock.now()))
    reply = await till.support("fix_issue")
    assert (reply.status, reply.code) == (409, "installation_key_blocked")
    assert "NX-49" in reply.body["clauses"]
    assert reply.statement is not None


async def test_a_till_asks_about_itself_alone(house: House, callers: Callers) -> None:
    _, till = await a_till(house, callers, MARKET)
    stranger, other = house.till(product=MARKET), house.till(product=MARKET)
    await other.activate(await house.key(MARKET), site=SITE)
    before = await everything(house)
    for asking in (stranger, other):
        asking.lease = till.lease
        for _ in range(SUPPORT_QUESTIONS.burst + 1):
            reply = await asking.support("fix_issue")
            assert (reply.status, reply.code, reply.statement) == (409, "unknown_installation", None)
            assert set(reply.body) == {"type", "title", "status", "detail", "code", "clauses", "options"}
    assert await everything(house) == before
    assert (await till.support("fix_issue")).status == 200, "strangers count for nobody"


@pytest.mark.clause("X-11")
async def test_nothing_in_the_answer_is_of_the_customer(house: House, callers: Callers) -> None:
    desk, till = await a_till(house, callers, MARKET)
    secrets = set()
    async with house.services.db.reading() as tx:
        for name in PERSONAL:
            for row in await tx.execute(select(tables.metadata.tables[name])):
                for column, value in row._mapping.items():
                    if column not in PUBLIC and value is not None and not isinstance(value, bool):
                        secrets.add(str(value))
    secrets = {one for one in secrets if len(one) > 5 and one not in {"nexopos", MARKET}}
    assert {desk.customer_id, desk.project_id, "owner@shop.example", "Corner Shop", till.jkt} <= secrets
    for task in ("fix_issue", "paint_the_shop", "install_service", "hands_on"):
        reply = await till.support(task)
        assert reply.status == 200
        text = str(dict(reply.body))
        assert [one for one in secrets if one in text] == []
        assert "shop.example" not in text


async def test_a_question_writes_nothing_and_is_no_step_of_the_chain(house: House, callers: Callers) -> None:
    _, till = await a_till(house, callers, MARKET)
    before, rid = await everything(house), new_rid()
    with counted(house.services.db) as sent:
        assert (await till.support("fix_issue", rid=rid)).status == 200
    assert len(sent) < 40, sent
    assert await everything(house) == before
    seq = till.held.seq
    beat = await till.heartbeat(rid=rid)
    assert (beat.status, beat.granted.seq) == (200, seq + 1)


async def test_a_till_that_asks_too_often_waits_and_beats_on(house: House, callers: Callers) -> None:
    _, till = await a_till(house, callers, MARKET)
    for _ in range(SUPPORT_QUESTIONS.burst):
        assert (await till.support("fix_issue")).status == 200
    reply = await till.support("fix_issue")
    assert (reply.status, reply.code, reply.headers["retry-after"], reply.statement) == (
        429,
        "rate_limited",
        "60",
        None,
    )
    assert (await till.heartbeat()).status == 200
    _, other = await a_till(house, callers, ADDON)
    assert (await other.support("technical_issue")).status == 200
    house.clock.turn(seconds=SUPPORT_QUESTIONS.interval / timedelta(seconds=1))
    assert (await till.support("fix_issue")).status == 200
