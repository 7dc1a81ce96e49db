"""Valid requests about accounts."""

from dataclasses import replace
from uuid import UUID

from tests.support.administration.catalogue import BOTH, ordered
from tests.support.administration.example import NOBODY, Example, Make, Shelf
from tests.support.house import AGENT
from tillkey_server.ids import new_token
from tillkey_server.usecases.appeal import appeal_termination
from tillkey_server.usecases.suspension import suspend_account
from tillkey_server.usecases.termination import request_termination, terminate_account

EVIDENCE = {"behavior": "pb_key_sharing", "evidence": "ticket 12"}


async def _of(shelf: Shelf, body: dict[str, object] | None = None) -> Example:
    # A customer of its own for each: what one is suspended for would hold the next one's order.
    held = await ordered(replace(shelf, customer=f"{new_token().lower()}@shop.example"))
    return Example({"customer_id": held["customer_id"]}, body, missing={"customer_id": NOBODY}, concerns=BOTH)


async def _show(shelf: Shelf) -> Example:
    return await _of(shelf)


async def _ask(shelf: Shelf) -> Example:
    return await _of(shelf, {})


async def _judged(shelf: Shelf) -> Example:
    return await _of(shelf, dict(EVIDENCE))


async def _lift(shelf: Shelf) -> Example:
    example = await _of(shelf, {"reason": "a mistake"})
    customer = UUID(example.path["customer_id"])
    await suspend_account(shelf.house.services, customer, actor=AGENT, **EVIDENCE)
    return example


async def _request(shelf: Shelf) -> Example:
    return await _of(shelf, {"verified": True, "reason": "closing the shop"})


async def _asked_before(shelf: Shelf, body: dict[str, object]) -> Example:
    example = await _of(shelf, body)
    customer = UUID(example.path["customer_id"])
    await request_termination(shelf.house.services, customer, verified=True, reason="", actor=AGENT)
    return example


async def _cancel(shelf: Shelf) -> Example:
    return await _asked_before(shelf, {})


async def _ended(shelf: Shelf, body: dict[str, object]) -> Example:
    example = await _of(shelf, body)
    await terminate_account(shelf.house.services, UUID(example.path["customer_id"]), actor=AGENT, **EVIDENCE)
    return example


async def _take_back(shelf: Shelf) -> Example:
    return await _ended(shelf, {"reason": "a slip"})


async def _appeal(shelf: Shelf) -> Example:
    return await _ended(shelf, {})


async def _decide_appeal(shelf: Shelf) -> Example:
    example = await _ended(shelf, {"granted": True, "reason": "it was another one"})
    await appeal_termination(shelf.house.services, UUID(example.path["customer_id"]), actor=AGENT)
    return example


async def _waive(shelf: Shelf) -> Example:
    return await _asked_before(shelf, {"amount": "5.00 EUR", "verified": True})


async def _erased(_shelf: Shelf) -> Example:
    return Example()


async def _again(_shelf: Shelf) -> Example:
    return Example(body={"customers": [NOBODY]})


EXAMPLES: dict[str, Make] = {
    "get_account": _show,
    "suspend_account": _judged,
    "lift_suspension": _lift,
    "preview_termination": _ask,
    "request_termination": _request,
    "cancel_termination": _cancel,
    "take_termination_back": _take_back,
    "appeal_termination": _appeal,
    "decide_termination_appeal": _decide_appeal,
    "waive_balance": _waive,
    "terminate_account": _judged,
    "list_erased": _erased,
    "erase_again": _again,
}
