"""Valid requests about support: of a product under terms that have support and deadlines."""

from datetime import datetime
from typing import Any
from uuid import UUID

from tests.support.administration.example import NOBODY, Example, Make, Shelf
from tillkey_server.store.licenses import by_id
from tillkey_server.usecases.catalogue import change_product
from tillkey_server.usecases.closure import ToldClosure, add_closure
from tillkey_server.usecases.project import add_project
from tillkey_server.usecases.support import TakenRequest, open_support_request
from tillkey_server.usecases.support_details import ToldEvent
from tillkey_server.usecases.support_events import record_support_event
from tillkey_server.usecases.support_facts import SupportQuestion

CONCERNS = ("customer", "product")
WHOLE = ("steps", "expected", "actual", "version", "fresh_install_checked")


async def licensed(shelf: Shelf) -> tuple[UUID, UUID]:
    """Sell a license under a marketplace's terms to a customer with one project; return its id and the customer's."""
    await change_product(shelf.house.services, shelf.product, policy="nexopos", actor="cli:test")
    sold = await shelf.house.license(shelf.product, shelf.customer)
    async with shelf.house.services.db.reading() as tx:
        row = await by_id(tx, sold.license_id)
    assert row is not None
    await add_project(shelf.house.services, row.customer_id, name="Corner Shop")
    return row.id, row.customer_id


async def requested(shelf: Shelf) -> tuple[str, UUID]:
    """Put a request on record that nobody could reproduce; return its id and the customer's."""
    license_id, customer_id = await licensed(shelf)
    question = SupportQuestion(task="fix_issue", license_id=license_id, described=WHOLE)
    taken = await open_support_request(shelf.house.services, question, actor="cli:test")
    assert isinstance(taken, TakenRequest)
    request_id = str(taken.shown["id"])
    found = ToldEvent("finding", details={"finding": "not_reproducible", "evidence": "tried on a fresh installation"})
    await record_support_event(shelf.house.services, UUID(request_id), found, actor="cli:test")
    return request_id, customer_id


async def _preview(shelf: Shelf) -> Example:
    license_id, _ = await licensed(shelf)
    body = {"task": "fix_issue", "license_id": str(license_id), "causes": ["product"], "described": list(WHOLE)}
    return Example(body=body, concerns=CONCERNS)


async def _open(shelf: Shelf) -> Example:
    preview = await _preview(shelf)
    return Example(body={**(preview.body or {}), "reference": "T-1", "matter": "printer"}, concerns=CONCERNS)


async def _take(shelf: Shelf) -> Example:
    opened = await _open(shelf)
    return Example(body={**(opened.body or {}), "reason": "the fault is ours"}, concerns=CONCERNS)


async def _list(shelf: Shelf) -> Example:
    await requested(shelf)
    return Example()


def _about(body: dict[str, Any] | None = None) -> Make:
    async def make(shelf: Shelf) -> Example:
        request_id, _ = await requested(shelf)
        return Example({"request_id": request_id}, body, missing={"request_id": NOBODY}, concerns=CONCERNS)

    return make


async def _grant(shelf: Shelf) -> Example:
    request_id, customer_id = await requested(shelf)
    body = {"granted_by": str(customer_id), "scope": "look at the printer", "until": "2030-01-01T00:00:00Z"}
    return Example({"request_id": request_id}, body, missing={"request_id": NOBODY}, concerns=CONCERNS)


async def _close(_shelf: Shelf) -> Example:
    body = {
        "policy": "prestashop-care",
        "notified_at": "2026-02-01T00:00:00Z",
        "starts_at": "2026-08-01T00:00:00Z",
        "ends_at": "2026-08-15T00:00:00Z",
        "reason": "summer",
    }
    return Example(body=body)


async def _withdraw(shelf: Shelf) -> Example:
    told = (await _close(shelf)).body or {}
    moments = {name: datetime.fromisoformat(told[name]) for name in ("notified_at", "starts_at", "ends_at")}
    added = await add_closure(
        shelf.house.services, policy=told["policy"], reason=told["reason"], actor="cli:test", **moments
    )
    assert isinstance(added, ToldClosure)
    body = {"policy": told["policy"], "reason": "we stay open"}
    return Example({"closure_id": str(added.shown["id"])}, body, missing={"closure_id": NOBODY})


async def _closures(_shelf: Shelf) -> Example:
    return Example()


EXAMPLES: dict[str, Make] = {
    "preview_support": _preview,
    "open_support_request": _open,
    "take_support_request": _take,
    "list_support_requests": _list,
    "get_support_request": _about(),
    "record_support_event": _about({"kind": "human_reply", "in_tool": True}),
    "grant_remote_access": _grant,
    "record_hotfix": _about({"severity": "severe", "files": {"src/till.php": "0" * 64}}),
    "add_closure": _close,
    "withdraw_closure": _withdraw,
    "list_closures": _closures,
}
