"""The first tables: catalogue, orders, licenses, activations with their chains, and the audit log."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None
oldest_code = "0001"


def upgrade() -> None:
    _catalogue()
    _customers()
    _orders()
    _license()
    _installation()
    _activation()
    _chain()
    _lease()
    _chain_event()
    _move_ticket()
    _forced_deactivation()
    _audit_event()


def _id(name: str = "id", *, optional: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Uuid(), nullable=optional)


def _text(name: str, length: int | None = None, *, optional: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.String(length) if length else sa.Text(), nullable=optional)


def _number(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer(), autoincrement=False, nullable=False)


def _big(name: str, *, optional: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger(), autoincrement=False, nullable=optional)


def _moment(name: str, *, optional: bool = False) -> sa.Column[Any]:
    """Whole seconds since the epoch."""
    return sa.Column(name, sa.BigInteger(), nullable=optional)


def _flag(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Boolean(), nullable=False)


def _json(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.JSON(), nullable=False)


def _key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=op.f(f"pk_{table}"))


def _unique(table: str, *columns: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(*columns, name=op.f(f"uq_{table}_{'_'.join(columns)}"))


def _refers(table: str, column: str, target: str, *, deferred: bool = False) -> sa.ForeignKeyConstraint:
    """Refer to `target` ("table.column"); `deferred` ones are checked at commit."""
    name = op.f(f"fk_{table}_{column}_{target.partition('.')[0]}")
    if deferred:
        return sa.ForeignKeyConstraint([column], [target], name=name, deferrable=True, initially="DEFERRED")
    return sa.ForeignKeyConstraint([column], [target], name=name)


def _refers_to_policy(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["policy_name", "policy_version"],
        ["policy_version.name", "policy_version.version"],
        name=op.f(f"fk_{table}_policy_name_policy_version_policy_version"),
    )


def _check(table: str, name: str, rule: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(rule, name=op.f(f"ck_{table}_{name}"))


def _one_of(table: str, column: str, *words: str) -> sa.CheckConstraint:
    listed = ", ".join(f"'{word}'" for word in words)
    return _check(table, column, f"{column} IN ({listed})")


def _index(table: str, *columns: str) -> None:
    op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, list(columns))


def _one_active(name: str, *columns: str) -> None:
    active = sa.text("ended_at IS NULL")
    op.create_index(name, "activation", list(columns), unique=True, sqlite_where=active, postgresql_where=active)


def _catalogue() -> None:
    op.create_table(
        "product",
        _id(),
        _text("code", 64),
        _text("name"),
        _text("key_prefix", 16),
        _text("policy_name", 64),
        _big("price_minor"),
        _text("currency", 3),
        _moment("created_at"),
        _key("product", "id"),
        _unique("product", "code"),
        _check("product", "price_minor", "price_minor >= 0"),
    )
    op.create_table(
        "policy_version",
        _text("name", 64),
        _number("version"),
        _text("digest", 128),
        _text("source"),
        _moment("recorded_at"),
        _key("policy_version", "name", "version"),
    )


def _customers() -> None:
    op.create_table(
        "customer",
        _id(),
        _text("email"),
        _text("email_key"),
        _moment("created_at"),
        _key("customer", "id"),
        _unique("customer", "email_key"),
    )
    op.create_table(
        "project",
        _id(),
        _id("customer_id"),
        _text("name"),
        _text("name_key"),
        _text("site", optional=True),
        _moment("created_at"),
        _key("project", "id"),
        _refers("project", "customer_id", "customer.id"),
        _unique("project", "customer_id", "name_key"),
    )


def _orders() -> None:
    op.create_table(
        "purchase_order",
        _id(),
        _text("channel", 64),
        _text("external_id", 255),
        _id("customer_id"),
        _moment("paid_at"),
        _moment("created_at"),
        _key("purchase_order", "id"),
        _refers("purchase_order", "customer_id", "customer.id"),
        _unique("purchase_order", "channel", "external_id"),
    )
    _index("purchase_order", "customer_id")
    op.create_table(
        "order_line",
        _id(),
        _id("order_id"),
        _number("position"),
        _id("product_id"),
        _number("quantity"),
        _big("price_minor"),
        _text("currency", 3),
        _text("policy_name", 64),
        _number("policy_version"),
        _key("order_line", "id"),
        _refers("order_line", "order_id", "purchase_order.id"),
        _refers("order_line", "product_id", "product.id"),
        _refers_to_policy("order_line"),
        _unique("order_line", "order_id", "position"),
        _check("order_line", "quantity", "quantity >= 1"),
        _check("order_line", "price_minor", "price_minor >= 0"),
    )


def _license() -> None:
    clocks = ("use_until", "updates_until", "support_until", "refund_until")
    standing = ("legal_hold_at", "terminated_at", "revoked_at", "refunded_at", "suspended_at", "suspended_until")
    op.create_table(
        "license",
        _id(),
        _id("order_line_id"),
        _number("position"),
        _id("product_id"),
        _id("customer_id"),
        sa.Column("key_hash", sa.LargeBinary(32), nullable=False),
        _text("key_hint", 64),
        _text("policy_name", 64),
        _number("policy_version"),
        _moment("issued_at"),
        *(_moment(name, optional=True) for name in clocks),
        _id("project_id", optional=True),
        _moment("bound_at", optional=True),
        *(_moment(name, optional=True) for name in standing),
        _key("license", "id"),
        _refers("license", "order_line_id", "order_line.id"),
        _refers("license", "product_id", "product.id"),
        _refers("license", "customer_id", "customer.id"),
        _refers("license", "project_id", "project.id"),
        _refers_to_policy("license"),
        _unique("license", "key_hash"),
        _unique("license", "order_line_id", "position"),
        _check("license", "key_hash", "length(key_hash) = 32"),
        _check("license", "bound", "(project_id IS NULL) = (bound_at IS NULL)"),
    )
    _index("license", "customer_id")
    _index("license", "project_id")


def _installation() -> None:
    op.create_table(
        "installation",
        _text("jkt", 43),
        _id("customer_id"),
        _moment("first_seen_at"),
        _moment("blocked_at", optional=True),
        _key("installation", "jkt"),
        _refers("installation", "customer_id", "customer.id"),
    )
    _index("installation", "customer_id")


def _activation() -> None:
    op.create_table(
        "activation",
        _id(),
        _id("license_id"),
        _id("product_id"),
        _id("project_id"),
        _text("jkt", 43),
        _text("environment", 16),
        _text("slot", 16),
        _json("fingerprint"),
        _text("app_version"),
        _text("platform_version", optional=True),
        _text("site", optional=True),
        _moment("started_at"),
        _moment("ended_at", optional=True),
        _text("end_reason", 16, optional=True),
        _id("superseded_by", optional=True),
        _key("activation", "id"),
        _refers("activation", "license_id", "license.id"),
        _refers("activation", "product_id", "product.id"),
        _refers("activation", "project_id", "project.id"),
        _refers("activation", "jkt", "installation.jkt"),
        _refers("activation", "superseded_by", "activation.id", deferred=True),
        _one_of("activation", "environment", "production", "staging", "development"),
        _one_of("activation", "slot", "main", "staging"),
        _one_of("activation", "end_reason", "released", "moved", "forced", "reinstalled", "conflict", "unseen"),
        _check("activation", "ended", "(ended_at IS NULL) = (end_reason IS NULL)"),
    )
    _index("activation", "license_id")
    _index("activation", "project_id")
    _index("activation", "jkt")
    _one_active("one_active_per_license", "license_id", "slot")
    _one_active("one_active_per_key", "jkt", "product_id")


def _chain() -> None:
    op.create_table(
        "chain",
        _id("activation_id"),
        _big("seq"),
        _text("nonce", 22),
        _text("rid", 22),
        _moment("last_seen_at"),
        _big("revision"),
        _key("chain", "activation_id"),
        _refers("chain", "activation_id", "activation.id"),
        postgresql_with={"fillfactor": 50},
    )


def _lease() -> None:
    op.create_table(
        "lease",
        _id("activation_id"),
        _big("seq"),
        _text("jkt", 43),
        _text("rid", 22),
        _text("op", 16),
        _flag("license_key_given"),
        _flag("created"),
        _text("nonce", 22),
        _text("nonce_state", 16),
        _moment("issued_at"),
        _moment("soft_exp"),
        _moment("exp"),
        _number("minted"),
        _key("lease", "activation_id", "seq"),
        _refers("lease", "activation_id", "activation.id"),
        _unique("lease", "jkt", "rid"),
        _unique("lease", "activation_id", "nonce"),
        _one_of("lease", "op", "activate", "heartbeat", "move"),
        _one_of("lease", "nonce_state", "live", "tombstone", "consumed"),
    )


def _chain_event() -> None:
    op.create_table(
        "chain_event",
        _id(),
        _id("activation_id"),
        _id("license_id"),
        _text("kind", 16),
        _moment("at"),
        _big("seq"),
        _text("detail"),
        _key("chain_event", "id"),
        _refers("chain_event", "activation_id", "activation.id"),
        _refers("chain_event", "license_id", "license.id"),
        _one_of("chain_event", "kind", "fork", "switch", "adopted", "conflict"),
    )
    _index("chain_event", "activation_id", "at")
    _index("chain_event", "license_id", "at")


def _move_ticket() -> None:
    op.create_table(
        "move_ticket",
        _id(),
        _id("license_id"),
        _text("environment", 16),
        sa.Column("ticket_hash", sa.LargeBinary(32), nullable=False),
        _id("activation_id", optional=True),
        _big("step_seq", optional=True),
        _moment("created_at"),
        _moment("expires_at"),
        _moment("used_at", optional=True),
        _id("used_by", optional=True),
        _text("issued_by"),
        _key("move_ticket", "id"),
        _refers("move_ticket", "license_id", "license.id"),
        _refers("move_ticket", "activation_id", "activation.id"),
        _refers("move_ticket", "used_by", "activation.id", deferred=True),
        _unique("move_ticket", "ticket_hash"),
        _one_of("move_ticket", "environment", "production", "staging", "development"),
        _check("move_ticket", "ticket_hash", "length(ticket_hash) = 32"),
    )
    _index("move_ticket", "license_id")


def _forced_deactivation() -> None:
    op.create_table(
        "forced_deactivation",
        _id(),
        _id("license_id"),
        _id("activation_id", optional=True),
        _text("kind", 16),
        _moment("at"),
        _text("actor"),
        _text("reason"),
        _flag("vendor_fault"),
        _text("override_reason", optional=True),
        _flag("counted"),
        _key("forced_deactivation", "id"),
        _refers("forced_deactivation", "license_id", "license.id"),
        _refers("forced_deactivation", "activation_id", "activation.id"),
        _one_of("forced_deactivation", "kind", "forced", "move_ticket"),
    )
    _index("forced_deactivation", "license_id", "at")


def _audit_event() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "audit_event",
        sa.Column("id", number, autoincrement=True, nullable=False),
        _moment("at"),
        _text("actor"),
        _text("action", 64),
        _text("outcome", 16),
        _text("code", 64),
        _json("clauses"),
        _text("policy_name", 64, optional=True),
        sa.Column("policy_version", sa.Integer(), nullable=True),
        _id("license_id", optional=True),
        _id("activation_id", optional=True),
        _json("facts"),
        _key("audit_event", "id"),
        _one_of("audit_event", "outcome", "allow", "deny", "pend"),
        sqlite_autoincrement=True,
    )
    _index("audit_event", "license_id", "id")
    _index("audit_event", "activation_id", "id")
