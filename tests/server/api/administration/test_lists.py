"""Lists of 250 rows, with ties in their order and rows put in between pages: nothing is lost or repeated."""

import base64
import json
from datetime import timedelta
from typing import Any

import pytest

from tests.support.administration.operations import LISTS, OPERATIONS
from tests.support.callers import Callers
from tests.support.house import House
from tests.support.records import open_shop, step
from tillkey_server.ids import new_id, new_token
from tillkey_server.store import (
    account_tables,
    activations,
    api_keys,
    audit,
    chains,
    customers,
    forced,
    leases,
    orders,
    projects,
    refunds,
    rows,
    software_releases,
    support_extras,
    tables,
    warranty,
)
from tillkey_server.store import licenses as license_store
from tillkey_server.store import products as product_store
from tillkey_server.store import support as support_store
from tillkey_server.store import tickets as ticket_store
from tillkey_server.store.api_keys import ApiKeyRow
from tillkey_server.store.chains import ChainRow
from tillkey_server.store.customers import CustomerRow
from tillkey_server.store.forced import ForcedRow
from tillkey_server.store.orders import OrderLineRow, OrderRow
from tillkey_server.store.products import ProductRow
from tillkey_server.store.projects import ProjectRow
from tillkey_server.store.refunds import RequestRow
from tillkey_server.store.software_releases import SoftwareReleaseRow
from tillkey_server.store.support import SupportRequestRow
from tillkey_server.store.support_extras import ClosureRow
from tillkey_server.store.terminations import TombstoneRow
from tillkey_server.store.tickets import TicketRow
from tillkey_server.store.warranty import ClaimRow

ROWS = 250
TIES = 40
"""So many rows in a row share a moment."""


class Filler:
    """Puts rows into a list, many of the same moment; remembers their ids."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.ids: list[str] = []
        self._number = 0
        self._shop: Any = None

    async def put(self, tx: Any, kind: str, how_many: int) -> list[str]:
        if self._shop is None:
            self._shop = await open_shop(tx, "ties", licenses_bought=1)
            # What is shown by the terms is shown by real ones.
            terms = self.house.services.policies.offered("default").ref
            real = {"policy_name": terms.name, "policy_version": terms.version}
            for table in (tables.license_, tables.order_line):
                await tx.execute(table.update().values(real))
        made = []
        for _ in range(how_many):
            self._number += 1
            at = self.house.clock.now() + timedelta(seconds=self._number // TIES)
            made.append(str(await getattr(self, f"_{kind}")(tx, self._number, at)))
        return made

    async def _customers(self, tx: Any, number: int, at: Any) -> Any:
        row = CustomerRow(new_id(), f"{number}@x.example", f"{number}@x.example", at)
        await customers.insert(tx, row)
        return row.id

    async def _products(self, tx: Any, number: int, at: Any) -> Any:
        row = ProductRow(new_id(), f"p-{number}", "P", "P", "default", 1, "EUR", at)
        await product_store.insert(tx, row)
        return row.id

    async def _projects(self, tx: Any, number: int, at: Any) -> Any:
        row = ProjectRow(new_id(), self._shop.customer.id, f"P {number}", f"p {number}", None, at)
        await projects.insert(tx, row)
        return row.id

    async def _orders(self, tx: Any, number: int, at: Any) -> Any:
        row = OrderRow(new_id(), "ties", str(number), self._shop.customer.id, at, at)
        await orders.insert(tx, row)
        return row.id

    async def _api_keys(self, tx: Any, number: int, at: Any) -> Any:
        hashed = self.house.services.pepper.hash_request(str(number).encode())
        row = ApiKeyRow(new_id(), "same name", "agent", hashed, "tks_x…", None, None, at, "cli:test")
        await api_keys.insert(tx, row)
        return row.id

    async def _licenses(self, tx: Any, number: int, at: Any) -> Any:
        order = await self._orders(tx, number, at)
        line = OrderLineRow(new_id(), order, 0, self._shop.product.id, 1, 1, "EUR", "default", 1)
        await orders.insert_line(tx, line)
        hashed = self.house.services.pepper.hash_request(f"license {number}".encode())
        row = license_store.LicenseRow(
            new_id(), line.id, 0, self._shop.product.id, self._shop.customer.id, hashed, "X-1…2", "default", 1, at
        )
        await license_store.insert(tx, row)
        return row.id

    async def _activations(self, tx: Any, _number: int, at: Any) -> Any:
        row = self._shop.activation(id=new_id(), started_at=at, ended_at=at, end_reason="released")
        chain = ChainRow(row.id, 1, new_token(), new_token(), at)
        await activations.insert(tx, row)
        await chains.insert(tx, chain)
        await leases.insert(tx, step(row, chain))
        return row.id

    async def _move_tickets(self, tx: Any, number: int, at: Any) -> Any:
        hashed = self.house.services.pepper.hash_request(f"ticket {number}".encode())
        row = TicketRow(new_id(), self._shop.license.id, "production", hashed, None, None, at, at, "cli:test")
        await ticket_store.insert(tx, row)
        return row.id

    async def _forced_deactivations(self, tx: Any, _number: int, at: Any) -> Any:
        row = ForcedRow(new_id(), self._shop.license.id, None, "forced", at, "cli:test", "why", False, None, True)
        await forced.insert(tx, row)
        return row.id

    async def _erased(self, tx: Any, _number: int, at: Any) -> Any:
        row = TombstoneRow(new_id(), new_id(), at)
        await rows.insert(tx, account_tables.tombstone, row)
        return row.customer_id

    async def _closures(self, tx: Any, _number: int, at: Any) -> Any:
        row = ClosureRow(new_id(), at, at, at + timedelta(days=1), "closed", at, "cli:test")
        await support_extras.add_closure(tx, row)
        return row.id

    async def _refunds(self, tx: Any, _number: int, at: Any) -> Any:
        terms, of = self.house.services.policies.offered("default").ref, self._shop.license.id
        told: tuple[Any, ...] = ({}, "deny", "ref_denied_by_person", [], {}, terms.name, terms.version)
        row = RequestRow(new_id(), of, at, at, "cli:test", *told, at, "cli:test", "why", at)
        await refunds.insert_request(tx, row)
        return row.id

    async def _releases(self, tx: Any, number: int, at: Any) -> Any:
        version, file = f"1.{number}", ("00" * 32, 1, "https://files.example/x", None)
        kind = ("feature", None, None, None, False, False)
        row = SoftwareReleaseRow(new_id(), self._shop.product.id, version, version, *kind, *file, at, at)
        await software_releases.insert(tx, row)
        return row.id

    async def _support_requests(self, tx: Any, _number: int, at: Any) -> Any:
        terms, shop = self.house.services.policies.offered("default").ref, self._shop
        whose = (shop.customer.id, shop.product.id, shop.license.id, None, terms.name, terms.version)
        row = SupportRequestRow(
            new_id(), *whose, "usage", False, None, None, None, None, "support_task_ok", at, at, "cli:test"
        )
        await support_store.insert(tx, row)
        return row.id

    async def _warranty_claims(self, tx: Any, _number: int, at: Any) -> Any:
        row = ClaimRow(new_id(), self._shop.license.id, "device", None, "dead", None, "vendor", at, at, "cli:test")
        await warranty.insert(tx, row)
        return row.id

    async def _audit(self, tx: Any, _number: int, at: Any) -> Any:
        return await audit.append(tx, at=at, actor="cli:test", action="test", outcome="allow", code="license_issued")


KEY = "01890a5d-ac96-774b-bcce-b302099a8057"
FORGED = (
    ("t", 5, 5),
    ("t", 5, [1]),
    ("t", 5, {}),
    ("s", "x", None),
    ("s", "x", True),
    ("n", 5, KEY),
    ("n", 2**52, KEY),
    ("t", 2**52, KEY),
    ([], 1, KEY),
)
"""Kind, value and key of places that no page ends at, whatever the list is ordered by."""

KINDS = {
    "list_products": ("products", ("id", "created_at", "code")),
    "list_customers": ("customers", ("id", "created_at", "email")),
    "list_projects": ("projects", ("id", "created_at", "name")),
    "list_orders": ("orders", ("id", "created_at", "paid_at")),
    "list_licenses": ("licenses", ("id", "issued_at")),
    "list_activations": ("activations", ("id", "started_at")),
    "list_move_tickets": ("move_tickets", ("id", "created_at", "expires_at")),
    "list_forced_deactivations": ("forced_deactivations", ("id", "at")),
    "list_api_keys": ("api_keys", ("id", "created_at", "name")),
    "list_erased": ("erased", ("id", "at")),
    "list_closures": ("closures", ("id", "starts_at")),
    "list_refunds": ("refunds", ("id", "recorded_at")),
    "list_releases": ("releases", ("id", "published_at")),
    "list_support_requests": ("support_requests", ("id", "received_at")),
    "list_warranty_claims": ("warranty_claims", ("id", "reported_at")),
    "list_audit": ("audit", ("id",)),
}


def test_every_list_is_tried() -> None:
    # Policies are a vendor's handful of files; a search is `list_licenses` with its question in the body.
    assert set(KINDS) == set(LISTS) - {"list_policies"}


@pytest.mark.parametrize("sort", ["", "-"], ids=["rising", "falling"])
@pytest.mark.parametrize(("name", "by"), [(name, by) for name, (_, sorts) in KINDS.items() for by in sorts])
async def test_pages_lose_and_repeat_nothing(
    one_house: House, one_callers: Callers, name: str, by: str, sort: str
) -> None:
    filler, kind = Filler(one_house), KINDS[name][0]
    async with one_house.services.db.writing() as tx:
        expected = await filler.put(tx, kind, ROWS)
    client = await one_callers.client()
    found: list[str] = []
    after: dict[str, str] = {}
    while True:
        query = {"limit": "60", "sort": f"{sort}{by}", **after}
        page = (await client.get(OPERATIONS[name].path, params=query)).json()
        found += [str(item["customer_id"] if name == "list_erased" else item["id"]) for item in page["items"]]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
        async with one_house.services.db.writing() as tx:
            await filler.put(tx, kind, 3)
    assert len(found) == len(set(found))
    assert set(expected) <= set(found)


def _word(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize(("name", "by"), [(name, by) for name, (_, sorts) in KINDS.items() for by in sorts])
async def test_a_place_that_somebody_made_up_is_refused_by_name(
    one_house: House, one_callers: Callers, name: str, by: str
) -> None:
    client = await one_callers.client()
    # A text where moments are ordered, and a moment where texts are: no database compares the two.
    other = ("t", 5) if by in {"code", "email", "name"} else ("s", "x")
    for kind, value, key in (*FORGED, (*other, KEY)):
        query = {"sort": by, "after": _word(by, kind, value, key)}
        answer = await client.get(OPERATIONS[name].path, params=query)
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed"), query
        assert answer.json()["detail"].startswith("after"), query


async def test_a_list_goes_on_behind_the_longest_name_that_there_is(one_house: House, one_callers: Callers) -> None:
    client = await one_callers.client()
    customer = (await client.post("/v1/customers", json={"email": "owner@shop.example"})).json()["id"]
    # A letter that is written out as eighteen.
    names = ["\ufdfa" * 200, "a shop", "\ufdfb" * 200]
    for name in names:
        assert (await client.post("/v1/projects", json={"customer_id": customer, "name": name})).status_code == 201
    found, after = [], None
    while after is not None or not found:
        query = {"sort": "name", "limit": 1, **({} if after is None else {"after": after})}
        page = (await client.get("/v1/projects", params=query)).json()
        found += [one["name"] for one in page["items"]]
        after = page["next"]
    assert sorted(found) == sorted(names)
