"""Every table of the server, in one MetaData.

Facts, not flags: a license holds when it was suspended, not that it is (law 3). No column has a default of the
database's clock, since `now` is an argument (law 2). Identifiers are UUIDv7 of `ids.new_id`, so that paging by id is
paging by age. The migrations under /migrations create exactly what this module describes; a test compares them.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from tillkey_server.store import (
    account_tables,  # noqa: F401 - its tables are of the same MetaData
    release_tables,
    warranty_tables,
)
from tillkey_server.store.access_tables import api_key, audit_seal, idempotency, rate_limit, worker_lease
from tillkey_server.store.columns import (
    HASH_BYTES,
    JKT_LENGTH,
    TOKEN_LENGTH,
    deferred_reference,
    instant,
    keyed_hash,
    metadata,
    one_of,
)
from tillkey_server.store.refund_tables import (
    HOLD_OUTCOMES,
    balance_entry,
    legal_hold,
    outbox,
    refund,
    refund_part,
    refund_request,
)
from tillkey_server.store.seat_tables import (
    CHAIN_EVENTS,
    ENVIRONMENTS,
    FORCED_KINDS,
    chain_event,
    forced_deactivation,
    move_ticket,
)
from tillkey_server.store.support_tables import (
    hotfix,
    remote_access_grant,
    support_event,
    support_request,
    vendor_closure,
)
from tillkey_server.store.term_tables import subscription, subscription_renewal, support_ending, support_term

__all__ = [
    "CHAIN_EVENTS",
    "END_REASONS",
    "ENVIRONMENTS",
    "FORCED_KINDS",
    "HOLD_OUTCOMES",
    "NONCE_STATES",
    "ONE_ACTIVE_PER_KEY",
    "ONE_ACTIVE_PER_LICENSE",
    "OUTCOMES",
    "SLOTS",
    "STEP_OPS",
    "activation",
    "api_key",
    "audit_event",
    "audit_seal",
    "balance_entry",
    "chain",
    "chain_event",
    "customer",
    "forced_deactivation",
    "hotfix",
    "idempotency",
    "installation",
    "lease",
    "legal_hold",
    "license_",
    "metadata",
    "move_ticket",
    "order_line",
    "outbox",
    "policy_version",
    "product",
    "project",
    "purchase_order",
    "rate_limit",
    "refund",
    "refund_part",
    "refund_request",
    "release_tables",
    "remote_access_grant",
    "served_code",
    "subscription",
    "subscription_renewal",
    "support_ending",
    "support_event",
    "support_request",
    "support_term",
    "vendor_closure",
    "warranty_tables",
    "worker_lease",
]

SLOTS = ("main", "staging")
END_REASONS = ("released", "moved", "forced", "reinstalled", "conflict", "unseen")
STEP_OPS = ("activate", "heartbeat", "move")
NONCE_STATES = ("live", "tombstone", "consumed")
OUTCOMES = ("allow", "deny", "pend")

ONE_ACTIVE_PER_LICENSE = "one_active_per_license"
ONE_ACTIVE_PER_KEY = "one_active_per_key"
_ACTIVE = text("ended_at IS NULL")


def _policy_reference() -> ForeignKeyConstraint:
    """Return the reference to the version of the terms that a row was sold under."""
    return ForeignKeyConstraint(["policy_name", "policy_version"], ["policy_version.name", "policy_version.version"])


product = Table(
    "product",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("code", String(64), nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("key_prefix", String(16), nullable=False),
    Column("policy_name", String(64), nullable=False),
    Column("price_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    instant("created_at"),
    # Facts that only some terms ask about; null: the product has none of it.
    Column("kind", String(16), nullable=True),
    Column("family", String(64), nullable=True),
    Column("requires", JSON(none_as_null=True), nullable=True),
    Column("parts", JSON(none_as_null=True), nullable=True),
    Column("advertised", JSON(none_as_null=True), nullable=True),
    Column("refund_days", Integer, nullable=True),
    instant("offline_at", optional=True),
    instant("retired_at", optional=True),
    CheckConstraint("price_minor >= 0", name="price_minor"),
)

policy_version = Table(
    "policy_version",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("digest", String(128), nullable=False),
    Column("source", Text, nullable=False),
    instant("recorded_at"),
)

customer = Table(
    "customer",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("email", Text, nullable=False),
    Column("email_key", Text, nullable=False, unique=True),
    instant("created_at"),
    instant("readdressed_at", optional=True),
)

project = Table(
    "project",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("customer_id", ForeignKey("customer.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False),
    Column("site", Text, nullable=True),
    instant("created_at"),
    UniqueConstraint("customer_id", "name_key"),
)

former_name = Table(
    "former_name",
    metadata,
    Column("customer_id", ForeignKey("customer.id"), primary_key=True),
    Column("name_key", Text, primary_key=True),
    Column("project_id", ForeignKey("project.id"), nullable=False, index=True),
    instant("until"),
)

_UNDER_REVIEW = text("released_at IS NULL AND held_at IS NOT NULL")
purchase_order = Table(
    "purchase_order",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("channel", String(64), nullable=False),
    Column("external_id", String(255), nullable=False),
    Column("customer_id", ForeignKey("customer.id"), nullable=False, index=True),
    instant("paid_at"),
    instant("created_at"),
    Column("customer_type", String(16), nullable=True),
    instant("held_at", optional=True),
    instant("released_at", optional=True),
    # When all of it was paid back that was under review and had no license (BC-37).
    instant("refunded_at", optional=True),
    UniqueConstraint("channel", "external_id"),
    # What waits for a person is looked through again and again, oldest first, among all that was ever sold.
    Index("orders_under_review", "held_at", "id", sqlite_where=_UNDER_REVIEW, postgresql_where=_UNDER_REVIEW),
)

order_line = Table(
    "order_line",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("order_id", ForeignKey("purchase_order.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("product_id", ForeignKey("product.id"), nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("price_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("policy_name", String(64), nullable=False),
    Column("policy_version", Integer, nullable=False),
    # What kind of thing was bought (null: a product with its licenses), beside which line, and at what it was listed.
    Column("kind", String(16), nullable=True),
    Column("beside", Integer, nullable=True),
    Column("list_price_minor", BigInteger, nullable=True),
    Column("tax_minor", BigInteger, nullable=True),
    Column("advertised", JSON(none_as_null=True), nullable=True),
    # How long the support lasts that was chosen at the purchase, or what a renewal was paid for.
    Column("term_months", Integer, nullable=True),
    # Of a bundle's part: the bundle's code, and which of the lines that were told it was.
    Column("bundle", String(64), nullable=True),
    Column("bundle_line", Integer, nullable=True),
    # What of the whole line's price was paid with a gift card or a coupon that is worth money.
    Column("coupon_minor", BigInteger, nullable=True),
    # The product's own refund window as it was then.
    Column("refund_days", Integer, nullable=True),
    _policy_reference(),
    UniqueConstraint("order_id", "position"),
    CheckConstraint("quantity >= 1", name="quantity"),
    CheckConstraint("price_minor >= 0", name="price_minor"),
)

license_ = Table(
    "license",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("order_line_id", ForeignKey("order_line.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("product_id", ForeignKey("product.id"), nullable=False),
    Column("customer_id", ForeignKey("customer.id"), nullable=False, index=True),
    keyed_hash("key_hash"),
    Column("key_hint", String(64), nullable=False),
    Column("policy_name", String(64), nullable=False),
    Column("policy_version", Integer, nullable=False),
    instant("issued_at"),
    instant("use_until", optional=True),
    instant("updates_until", optional=True),
    instant("support_until", optional=True),
    instant("refund_until", optional=True),
    Column("project_id", ForeignKey("project.id"), nullable=True, index=True),
    instant("bound_at", optional=True),
    instant("legal_hold_at", optional=True),
    instant("terminated_at", optional=True),
    instant("revoked_at", optional=True),
    instant("refunded_at", optional=True),
    instant("suspended_at", optional=True),
    instant("suspended_until", optional=True),
    instant("clocks_from", optional=True),
    # The account's suspension as a till's heartbeat sees it: it reads this row alone (DESIGN section 8).
    instant("account_suspended_at", optional=True),
    instant("account_stops_at", optional=True),
    instant("account_suspended_until", optional=True),
    # The license whose loss suspended it (NX-13); null: somebody did, or nobody.
    Column("suspended_for", Uuid, nullable=True),
    Column("support_project_id", Uuid, nullable=True),
    _policy_reference(),
    UniqueConstraint("order_line_id", "position"),
    CheckConstraint(f"length(key_hash) = {HASH_BYTES}", name="key_hash"),
    CheckConstraint("(project_id IS NULL) = (bound_at IS NULL)", name="bound"),
)

installation = Table(
    "installation",
    metadata,
    Column("jkt", String(JKT_LENGTH), primary_key=True),
    Column("customer_id", ForeignKey("customer.id"), nullable=False, index=True),
    instant("first_seen_at"),
    instant("blocked_at", optional=True),
)

activation = Table(
    "activation",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("license_id", ForeignKey("license.id"), nullable=False, index=True),
    Column("product_id", ForeignKey("product.id"), nullable=False),
    Column("project_id", ForeignKey("project.id"), nullable=False, index=True),
    Column("jkt", ForeignKey("installation.jkt"), nullable=False, index=True),
    Column("environment", String(16), nullable=False),
    Column("slot", String(16), nullable=False),
    Column("fingerprint", JSON, nullable=False),
    Column("app_version", Text, nullable=False),
    Column("platform_version", Text, nullable=True),
    Column("site", Text, nullable=True),
    instant("started_at"),
    instant("ended_at", optional=True),
    Column("end_reason", String(16), nullable=True),
    Column("superseded_by", deferred_reference("activation.id"), nullable=True),
    # When its till gave it back although a refund had ended it: no copy runs on there (CJ-13).
    instant("given_back_at", optional=True),
    one_of("environment", ENVIRONMENTS),
    one_of("slot", SLOTS),
    one_of("end_reason", END_REASONS),
    CheckConstraint("(ended_at IS NULL) = (end_reason IS NULL)", name="ended"),
    # Law 6: the database itself holds one active activation per license; the locked license row is the other guard.
    Index(ONE_ACTIVE_PER_LICENSE, "license_id", "slot", unique=True, sqlite_where=_ACTIVE, postgresql_where=_ACTIVE),
    Index(ONE_ACTIVE_PER_KEY, "jkt", "product_id", unique=True, sqlite_where=_ACTIVE, postgresql_where=_ACTIVE),
)

chain = Table(
    "chain",
    metadata,
    Column("activation_id", ForeignKey("activation.id"), primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("nonce", String(TOKEN_LENGTH), nullable=False),
    Column("rid", String(TOKEN_LENGTH), nullable=False),
    instant("last_seen_at"),
    Column("revision", BigInteger, nullable=False),
    # Narrow, with no index but the key and room left on each page: PostgreSQL then updates in place (HOT).
    postgresql_with={"fillfactor": 50},
)

lease = Table(
    "lease",
    metadata,
    Column("activation_id", ForeignKey("activation.id"), primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("jkt", String(JKT_LENGTH), nullable=False),
    Column("rid", String(TOKEN_LENGTH), nullable=False),
    Column("op", String(16), nullable=False),
    Column("license_key_given", Boolean, nullable=False),
    Column("created", Boolean, nullable=False),
    Column("nonce", String(TOKEN_LENGTH), nullable=False),
    Column("nonce_state", String(16), nullable=False),
    instant("issued_at"),
    instant("soft_exp"),
    instant("exp"),
    Column("minted", Integer, nullable=False),
    UniqueConstraint("jkt", "rid"),
    UniqueConstraint("activation_id", "nonce"),
    one_of("op", STEP_OPS),
    one_of("nonce_state", NONCE_STATES),
)

audit_event = Table(
    "audit_event",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    instant("at"),
    Column("actor", Text, nullable=False),
    Column("action", String(64), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("code", String(64), nullable=False),
    Column("clauses", JSON, nullable=False),
    Column("policy_name", String(64), nullable=True),
    Column("policy_version", Integer, nullable=True),
    # No foreign keys: the log outlives what it speaks of, and a refusal may name what never came to be.
    Column("license_id", Uuid, nullable=True),
    Column("activation_id", Uuid, nullable=True),
    Column("facts", JSON, nullable=False),
    one_of("outcome", OUTCOMES),
    Index(None, "license_id", "id"),
    Index(None, "activation_id", "id"),
    sqlite_autoincrement=True,
)

# Which versions of the code may run on this database; see `store.compatibility`.
served_code = Table("served_code", metadata, Column("revision", String(32), primary_key=True))
