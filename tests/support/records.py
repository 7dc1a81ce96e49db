"""Rows for the store's tests: each maker fills in what the test does not say."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.ids import new_id, new_token
from tillkey_server.store import activations, chains, customers, installations, leases, licenses, orders, policies
from tillkey_server.store import products as products_store
from tillkey_server.store import projects as projects_store
from tillkey_server.store.activations import ActivationRow
from tillkey_server.store.chains import ChainRow
from tillkey_server.store.customers import CustomerRow
from tillkey_server.store.installations import InstallationRow
from tillkey_server.store.leases import LeaseRow
from tillkey_server.store.licenses import LicenseRow
from tillkey_server.store.orders import OrderLineRow, OrderRow
from tillkey_server.store.policies import PolicyVersionRow
from tillkey_server.store.products import ProductRow
from tillkey_server.store.projects import ProjectRow

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def digest(text: str) -> bytes:
    """32 bytes that stand for a keyed hash."""
    return sha256(text.encode()).digest()


def jkt(name: str) -> str:
    """43 characters that stand for a thumbprint."""
    return f"{name:-<43}"


@dataclass(frozen=True)
class Shop:
    """One customer with a paid order of `licenses` licenses of one product, a project and an installation."""

    product: ProductRow
    policy: PolicyVersionRow
    customer: CustomerRow
    project: ProjectRow
    order: OrderRow
    line: OrderLineRow
    licenses: tuple[LicenseRow, ...]
    installation: InstallationRow

    @property
    def license(self) -> LicenseRow:
        """The first license."""
        return self.licenses[0]

    def activation(self, **changes: Any) -> ActivationRow:
        """An activation of the first license, to be inserted by the test."""
        values: dict[str, Any] = {
            "id": new_id(),
            "license_id": self.license.id,
            "product_id": self.product.id,
            "project_id": self.project.id,
            "jkt": self.installation.jkt,
            "environment": "production",
            "slot": "main",
            "fingerprint": {"machine": "m" * 43},
            "app_version": "1.0",
            "platform_version": None,
            "site": None,
            "started_at": NOW,
        }
        return ActivationRow(**(values | changes))


async def open_shop(conn: AsyncConnection, name: str = "corner", *, licenses_bought: int = 1) -> Shop:
    """Insert a shop; two of different names share nothing."""
    product = ProductRow(new_id(), f"pos-{name}", "Till", "POS", "default", 4990, "EUR", NOW)
    policy = PolicyVersionRow("default", 1, "0" * 64, "name = 'default'", NOW)
    customer = CustomerRow(new_id(), f"{name}@Shop.example", f"{name}@shop.example", NOW)
    project = ProjectRow(new_id(), customer.id, name.title(), name, None, NOW)
    order = OrderRow(new_id(), "shop", name, customer.id, NOW, NOW)
    line = OrderLineRow(new_id(), order.id, 0, product.id, licenses_bought, 4990, "EUR", "default", 1)
    installation = InstallationRow(jkt(name), customer.id, NOW)
    bought = tuple(_license(line, product, customer, position) for position in range(licenses_bought))
    await products_store.insert(conn, product)
    await policies.record(conn, policy)
    await customers.insert(conn, customer)
    await projects_store.insert(conn, project)
    await orders.insert(conn, order)
    await orders.insert_line(conn, line)
    for row in bought:
        await licenses.insert(conn, row)
    await installations.insert(conn, installation)
    return Shop(product, policy, customer, project, order, line, bought, installation)


async def activate(conn: AsyncConnection, shop: Shop, **changes: Any) -> tuple[ActivationRow, ChainRow, LeaseRow]:
    """Insert an activation with its chain and first step."""
    row = shop.activation(**changes)
    chain = ChainRow(row.id, 1, new_token(), new_token(), NOW)
    await activations.insert(conn, row)
    await chains.insert(conn, chain)
    first = step(row, chain)
    await leases.insert(conn, first)
    return row, chain, first


def step(activation: ActivationRow, chain: ChainRow, **changes: Any) -> LeaseRow:
    """The lease row of a chain's present step."""
    values: dict[str, Any] = {
        "activation_id": activation.id,
        "seq": chain.seq,
        "jkt": activation.jkt,
        "rid": chain.rid,
        "op": "activate" if chain.seq == 1 else "heartbeat",
        "license_key_given": chain.seq == 1,
        "created": chain.seq == 1,
        "nonce": chain.nonce,
        "issued_at": NOW,
        "soft_exp": NOW + 7 * DAY,
        "exp": NOW + 30 * DAY,
    }
    return LeaseRow(**(values | changes))


def _license(line: OrderLineRow, product: ProductRow, customer: CustomerRow, position: int) -> LicenseRow:
    return LicenseRow(
        id=new_id(),
        order_line_id=line.id,
        position=position,
        product_id=product.id,
        customer_id=customer.id,
        key_hash=digest(f"{line.id}{position}"),
        key_hint="POS-7XK2…9QRT",
        policy_name="default",
        policy_version=1,
        issued_at=NOW,
    )
