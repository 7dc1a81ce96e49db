"""Valid requests about warranty claims and quotes."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tests.support.administration.example import NOBODY, Example, Make, Shelf
from tests.support.administration.licenses import CONCERNS, licensed
from tillkey_server.money import Money
from tillkey_server.rules.warranty_policy import Ground
from tillkey_server.usecases import claim, warranty
from tillkey_server.usecases.catalogue import change_product
from tillkey_server.usecases.warranty import Contract, Finding, Report, StartBasis

EVIDENCE = "a photograph of the board"
CONTRACT = {
    "number": "C-1",
    "serial": "S-1",
    "starts_on": "2026-01-31",
    "start_basis": "delivery",
    "warranty_months": 24,
    "partner": "partner-1",
    "region": "south",
    "contacts": ["buyer@shop.example"],
}


@dataclass(frozen=True)
class Opened:
    """A claim of the shelf's customer for the shelf's product."""

    license_id: UUID
    claim_id: UUID

    def example(self, body: dict[str, Any] | None = None) -> Example:
        """Return a request about it."""
        place = {"claim_id": str(self.claim_id)}
        return Example(place, body, missing={"claim_id": NOBODY}, concerns=CONCERNS)


async def sold_with_terms(shelf: Shelf) -> UUID:
    """Sell a license under terms that know a warranty."""
    await change_product(shelf.house.services, shelf.product, policy="netposa", actor="cli:test")
    return UUID(await licensed(shelf))


async def opened(shelf: Shelf) -> Opened:
    """Open a claim under a contract."""
    services = shelf.house.services
    license_id = await sold_with_terms(shelf)
    starts_on = shelf.house.clock.now().date()
    told = Contract("C-1", "S-1", starts_on, StartBasis.DELIVERY)
    await warranty.record_contract(services, license_id, told, actor="cli:test")
    report = Report("device", "S-1", "it does not start", "boot.log")
    done: Any = await warranty.open_claim(services, report, actor="cli:test", license_id=license_id)
    return Opened(license_id, done.claim_id)


async def found(shelf: Shelf, ground: Ground = Ground.QUALITY) -> Opened:
    """Open a claim, and find where its fault comes from."""
    made = await opened(shelf)
    told = Finding("board", ground, EVIDENCE, caused=True, hardware=True)
    await warranty.add_finding(shelf.house.services, made.claim_id, told, actor="cli:test")
    return made


async def decided(shelf: Shelf, signed: str = "free") -> Opened:
    """Open a claim, and sign it."""
    made = await found(shelf, Ground.QUALITY if signed == "free" else Ground.MISUSE)
    await warranty.decide_claim(shelf.house.services, made.claim_id, signed=signed, actor="cli:test")
    return made


async def _contract(shelf: Shelf) -> Example:
    place = {"license_id": str(await sold_with_terms(shelf))}
    return Example(place, CONTRACT, missing={"license_id": NOBODY}, concerns=CONCERNS)


async def _preview(shelf: Shelf) -> Example:
    finding = {"fault": "board", "ground": "abnormal", "caused": True, "cause": "fall"}
    body = {"license_id": str(await sold_with_terms(shelf)), "findings": [finding]}
    return Example(body=body, concerns=CONCERNS)


async def _open(shelf: Shelf) -> Example:
    body = {
        "license_id": str(await sold_with_terms(shelf)),
        "serial": "S-1",
        "symptoms": "it does not start",
        "diagnostics": "boot.log",
        "region": "south",
        "reported_at": "2026-03-01T10:00:00Z",
        "known_by": "ticket 17",
    }
    return Example(body=body, concerns=CONCERNS)


async def _finding(shelf: Shelf) -> Example:
    body = {"fault": "board", "ground": "abnormal", "evidence": EVIDENCE, "caused": True, "hardware": True}
    more = {"cause": "other", "worked_by": "vendor", "worked_on": "2026-02-01", "withdrawn": False}
    return (await opened(shelf)).example(body | more)


async def _decide(shelf: Shelf) -> Example:
    return (await found(shelf)).example({"signed": "free"})


async def _rma(shelf: Shelf) -> Example:
    return (await found(shelf)).example({})


async def _quote(shelf: Shelf) -> Example:
    body = {"amount": "120.00 CNY", "reason": "a new board", "valid_until": "2030-01-01T00:00:00Z"}
    return (await decided(shelf, "chargeable")).example(body)


async def _accept(shelf: Shelf) -> Example:
    made = await decided(shelf, "chargeable")
    price = Money(12000, "CNY")
    services = shelf.house.services
    sent: Any = await claim.send_quote(services, made.claim_id, amount=price, reason="a board", actor="cli:test")
    return made.example({"token": sent.token, "contact": shelf.customer})


async def _start(shelf: Shelf) -> Example:
    made = await decided(shelf)
    await claim.issue_rma(shelf.house.services, made.claim_id, actor="cli:test")
    return made.example({"serial": "S-1"})


async def _replace(shelf: Shelf) -> Example:
    return (await decided(shelf)).example({"new_serial": "S-2"})


async def _show(shelf: Shelf) -> Example:
    return (await decided(shelf)).example()


async def _list(shelf: Shelf) -> Example:
    made = await opened(shelf)
    return Example(query={"license": str(made.license_id)})


EXAMPLES: dict[str, Make] = {
    "record_warranty_contract": _contract,
    "preview_warranty": _preview,
    "open_warranty_claim": _open,
    "add_warranty_finding": _finding,
    "decide_warranty_claim": _decide,
    "issue_warranty_rma": _rma,
    "send_warranty_quote": _quote,
    "accept_warranty_quote": _accept,
    "start_warranty_work": _start,
    "replace_warranty_device": _replace,
    "get_warranty_claim": _show,
    "list_warranty_claims": _list,
}
