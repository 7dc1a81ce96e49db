"""What is left of a customer that was erased: ids, codes, amounts and instants (NX-38, ADR 0020)."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from tests.support.administration import EXAMPLES
from tests.support.administration.example import Example, Shelf
from tests.support.administration.operations import DOCUMENT, OPERATIONS, WRITES, ask, shape
from tests.support.callers import Callers
from tests.support.house import AGENT, House
from tests.support.picture import picture
from tillkey_server.ids import new_id
from tillkey_server.money import Money
from tillkey_server.store import outbox, tables, warranty_tables
from tillkey_server.store.erasure import CODED
from tillkey_server.store.support import SupportEventRow, add_event
from tillkey_server.usecases.audit import verify_audit
from tillkey_server.usecases.catalogue import add_product
from tillkey_server.usecases.erasure import erase_again
from tillkey_server.usecases.sealing import seal
from tillkey_server.usecases.support_details import MEMBERS

MARK = "Hannah"
ADDRESS = f"{MARK}@shop.example"
WORDS: dict[str, dict[str, object]] = {
    "add_customer": {"email": ADDRESS},
    "change_customer": {"email": f"new-{ADDRESS}"},
    "add_project": {"name": f"{MARK}'s", "site": f"https://{MARK}.example"},
    "rename_project": {"name": f"{MARK}'s"},
    "place_order": {"customer": ADDRESS},
    "issue_license": {"customer": ADDRESS},
    "import_license": {"customer": ADDRESS, "code": f"{MARK}-0123-4567"},
    "start_trial": {"customer": ADDRESS},
    "transfer_license": {},
    "open_support_request": {"matter": f"{MARK}'s printer", "reference": f"{MARK} rang"},
    "take_support_request": {"matter": f"{MARK}'s printer", "reference": f"{MARK} rang"},
    "move_license": {},
    "record_support_event": {"kind": "finding", "finding": "malfunction", "in_tool": None, "evidence": f"{MARK} rang"},
    "grant_remote_access": {"scope": f"{MARK} looks on"},
    "open_warranty_claim": {
        "symptoms": f"{MARK} smelled smoke",
        "diagnostics": f"the log of {MARK}",
        "known_by": f"the mail of {MARK}",
    },
    "record_warranty_contract": {"contacts": [ADDRESS]},
    "add_warranty_finding": {"evidence": f"a photograph of {MARK}"},
    "send_warranty_quote": {"reason": f"{MARK} dropped it"},
    "request_refund": {"order_number": f"{MARK} 7", "explanation": f"{MARK} wants it back"},
    "attest_destruction": {"statement": f"I, {MARK}, destroyed it"},
    "fail_payout_of_refund": {"failure": f"{MARK}'s account is closed"},
    "request_termination": {"reason": f"{MARK} retires"},
    "suspend_account": {"evidence": f"{MARK} shared it"},
    "terminate_account": {"evidence": f"{MARK} shared it"},
    "force_deactivate": {"evidence": f"a photograph of {MARK}"},
}
"""What of each request is about a person: an erasure takes all of it."""
OTHER_WORDS = {("record_support_event", name) for name in ("cause", "prevention", "no_intervention_reason")}
"""Members of events of other kinds, which are written here beside the example's."""
OWN = {"reason", "override_reason"}
"""The vendor's own words on its own act, in the audit log for good; the API says to name nobody in them."""
IDS = {
    *("number", "channel", "order", "renews", "reference", "provider_refund_id", "token", "grant", "license_key"),
    *("serial", "new_serial", "fault", "installation", "amount", "price", "tax"),
}
"""Numbers and names of things, which the books go by, and what is stored as a keyed hash or not at all."""
COVERED = {"site", "contact", "customer", "email"}
"""What is compared and not kept, and the addresses of customers: each of them is marked here, in every request."""
NOBODYS = {"add_closure", "add_product", "change_product", "check_policy", "diff_policy", "publish_release"} | {
    *("create_api_key", "erase_again", "search_customers", "search_licenses", "verify_audit", "withdraw_release"),
}
"""Requests that are about no customer, or write nothing."""


def free(schema: dict[str, Any]) -> bool:
    """Tell whether any text goes, with no form that it must have."""
    if "$ref" in schema:
        schema = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        return any(free(one) for one in schema["anyOf"])
    if schema.get("type") == "array":
        return free(schema["items"])
    return schema.get("type") == "string" and not {"pattern", "enum", "format", "const"} & schema.keys()


@pytest.mark.clause("NX-38")
def test_whatever_free_text_can_be_told_is_erased_or_is_known_to_be_about_nobody() -> None:
    """Who adds a field of free text says here what becomes of it."""
    unknown = [
        (name, field)
        for name in WRITES
        if "requestBody" in OPERATIONS[name].told and name not in NOBODYS and not name.startswith("preview_")
        for field, schema in shape(name).get("properties", {}).items()
        if free(schema) and field not in WORDS.get(name, {}) and field not in OWN | IDS | COVERED
        if (name, field) not in OTHER_WORDS
    ]
    assert unknown == []


@pytest.mark.clause("NX-38", "BC-05")
def test_what_an_event_tells_in_words_that_rules_read_outlives_the_customer() -> None:
    """An automatic acceptance does not become a person's, nor a request another task."""
    words = {"evidence", "cause", "prevention", "no_intervention_reason", "files", "manifest"}
    assert frozenset().union(*MEMBERS.values()) - words == CODED


async def marked(house: House, name: str, number: int) -> Example:
    """A valid request of a customer and a product of its own, with what it says of a person marked."""
    code = f"product-{number}"
    price = Money(7900, "USD")
    await add_product(house.services, code=code, name=code, key_prefix=f"K{number}", policy="default", price=price)
    example = await EXAMPLES[name](Shelf(house, customer=f"{MARK}{number}@shop.example", product=code))
    body = {**(example.body or {}), **WORDS[name]}
    return replace(example, body={field: value for field, value in body.items() if value is not None})


@pytest.mark.clause("NX-38")
async def test_of_an_erased_customer_nothing_is_left_in_any_table(house: House, callers: Callers) -> None:
    client = await callers.client()
    for number, name in enumerate(WORDS):
        answer = await ask(client, name, await marked(house, name, 10 + number))
        assert answer.status_code in {200, 201}, (name, answer.text)
    services = house.services
    async with services.db.writing() as tx:
        request_id = (await tx.execute(select(tables.support_request.c.id))).scalars().first()
        assert request_id is not None
        for kind in ("refused", "closed", "intervention"):
            told = {
                "code": "nosup_abusive",
                "files": {MARK: "00"},
                "note": MARK,
                **{name: MARK for _, name in OTHER_WORDS},
            }
            await add_event(
                tx, SupportEventRow(new_id(), request_id, kind, house.clock.now(), told, house.clock.now(), AGENT)
            )
    assert MARK.lower() in str(await picture(house)).lower()
    async with services.db.reading() as tx:
        everybody = list((await tx.execute(select(tables.customer.c.id))).scalars())
    await erase_again(services, everybody, actor=AGENT)
    left = {
        f"{table}: {row}"
        for table, found in (await picture(house)).items()
        for row in found
        if MARK.lower() in row.lower()
    }
    assert left == set()
    async with services.db.reading() as tx:
        contacts = (await tx.execute(select(warranty_tables.warranty_contract.c.contacts))).scalars().all()
        assert [one for one in contacts if one] == []
        assert await outbox.waiting(tx) != ()
    await seal(services, holder="test", thorough=True)
    assert (await verify_audit(services))["ok"] is True
    # What is left can still be read: a request whose events lost their words, a refund without its explanation.
    for path in ("support-requests", "refunds", "warranty-claims"):
        assert (await client.get(f"/v1/{path}")).status_code == 200


@pytest.mark.clause("NX-38", "I13")
async def test_what_was_noted_of_a_license_goes_with_whom_it_was_about_and_not_with_its_owner_of_today(
    house: House, callers: Callers
) -> None:
    client = await callers.client()
    names = ("force_deactivate", "request_refund", "open_warranty_claim", "add_warranty_finding", "send_warranty_quote")
    names = (*names, "record_warranty_contract")
    examples = {name: await marked(house, name, 10 + number) for number, name in enumerate(names)}
    for name, example in examples.items():
        answer = await ask(client, name, example)
        assert answer.status_code in {200, 201}, (name, answer.text)
    async with house.services.db.reading() as tx:
        held = (await tx.execute(select(tables.license_.c.id, tables.license_.c.customer_id))).all()
    heirs = []
    for heir in ("second@else.example", "third@else.example"):
        heirs.append((await client.post("/v1/customers", json={"email": heir})).json()["id"])
        house.clock.turn(days=1)
        for license_id, _ in held:
            sale = {"customer": heir, "reason": "the shop was sold"}
            assert (await client.post(f"/v1/licenses/{license_id}/transfer", json=sale)).status_code == 200
    house.clock.turn(days=1)
    reported = examples["open_warranty_claim"]
    body = {**(reported.body or {}), **dict.fromkeys(("symptoms", "diagnostics", "known_by"), "of the heir")}
    assert (await ask(client, "open_warranty_claim", replace(reported, body=body))).status_code == 201
    for heir in (heirs[0], *(str(owner) for _, owner in held)):
        assert MARK in str(await picture(house))
        erased = await client.post("/v1/accounts/erase-again", json={"customers": [heir]})
        assert erased.status_code == 200
    left = await picture(house)
    assert [row for found in left.values() for row in found if MARK.lower() in row.lower()] == []
    assert "of the heir" in str(left["warranty_claim"])
    async with house.services.db.reading() as tx:
        contacts = (await tx.execute(select(warranty_tables.warranty_contract.c.contacts))).scalars().all()
    assert [one for one in contacts if one] == []
