"""The tables of refunds: what was asked and decided, what went back, the ledger of balances, and the outbox.

A balance is the sum of its entries and stands nowhere else (I7). The ledger is only ever added to: the database itself
refuses to change or remove an entry, by triggers that the migration makes.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from tillkey_server.store.columns import HASH_BYTES, instant, metadata, one_of

HOLD_OUTCOMES = ("cleared", "violation_confirmed")
ENTRY_KINDS = ("refund", "refund_reversed", "spent", "paid_out", "adjusted")
ONE_OPEN_REQUEST = "one_open_refund_request_per_license"
_OPEN = text("closed_at IS NULL")
_TO_PAY = text("paid_out_at IS NULL AND failed_at IS NULL")

refund_request = Table(
    "refund_request",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("license_id", ForeignKey("license.id"), nullable=False, index=True),
    instant("asked_at"),
    instant("recorded_at"),
    Column("recorded_by", Text, nullable=False),
    # What was asked, as the rule takes it; the support request that it rests on is named there, if any.
    Column("asked", JSON, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("code", String(64), nullable=False),
    Column("clauses", JSON, nullable=False),
    Column("facts", JSON, nullable=False),
    Column("policy_name", String(64), nullable=False),
    Column("policy_version", Integer, nullable=False),
    instant("decided_at"),
    Column("decided_by", Text, nullable=False),
    Column("reason", Text, nullable=True),
    instant("closed_at", optional=True),
    one_of("outcome", ("allow", "deny", "pend")),
    # Two who ask at once: the second finds the first one's.
    Index(ONE_OPEN_REQUEST, "license_id", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
)

refund = Table(
    "refund",
    metadata,
    Column("id", Uuid, primary_key=True),
    # Law 6: what one request grants goes back once.
    Column("request_id", ForeignKey("refund_request.id"), nullable=False, unique=True),
    Column("license_id", ForeignKey("license.id"), nullable=False, index=True),
    Column("customer_id", ForeignKey("customer.id"), nullable=False, index=True),
    Column("amount_minor", BigInteger, nullable=False),
    Column("tax_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("destination", String(32), nullable=False),
    Column("ends", String(16), nullable=False),
    Column("code", String(64), nullable=False),
    instant("granted_at"),
    Column("active_at_grant", Integer, nullable=False),
    instant("effective_latest_at", optional=True),
    instant("attested_at", optional=True),
    Column("attested_by", Text, nullable=True),
    Column("statement", Text, nullable=True),
    Column("vouched", Boolean, nullable=False),
    instant("paid_out_at", optional=True),
    Column("provider_refund_id", String(255), nullable=True, unique=True),
    instant("failed_at", optional=True),
    Column("failure", Text, nullable=True),
    # When use was first noticed after the grace, and since then: how often, no more than once an hour, and when last.
    instant("used_after_at", optional=True),
    # What of the amount goes back as a coupon; null: nothing.
    Column("coupon_minor", BigInteger, nullable=True),
    Column("used_after_times", Integer, nullable=True),
    instant("used_after_last_at", optional=True),
    # When it was told that the payout is late (CJ-30).
    instant("late_told_at", optional=True),
    # Keyed hashes of the customer's address and its domain, where the terms want him known by them (CJ-05); else null.
    Column("email_hash", LargeBinary(HASH_BYTES), nullable=True, index=True),
    Column("domain_hash", LargeBinary(HASH_BYTES), nullable=True, index=True),
    CheckConstraint("amount_minor > 0", name="amount_minor"),
    CheckConstraint("tax_minor >= 0 AND tax_minor <= amount_minor", name="tax_minor"),
    # The few that are to be paid are looked at again and again.
    Index("refunds_to_pay", "id", sqlite_where=_TO_PAY, postgresql_where=_TO_PAY),
)

refund_part = Table(
    "refund_part",
    metadata,
    Column("refund_id", ForeignKey("refund.id"), primary_key=True),
    Column("order_line_id", ForeignKey("order_line.id"), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("minor", BigInteger, nullable=False),
    Column("tax_minor", BigInteger, nullable=False),
    Column("coupon_minor", BigInteger, nullable=True),
    CheckConstraint("minor >= 0 AND tax_minor >= 0", name="amounts"),
)

balance_entry = Table(
    "balance_entry",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("customer_id", ForeignKey("customer.id"), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("kind", String(16), nullable=False),
    # What moved the money: a refund's id, an order's number; one entry of a kind for each.
    Column("reference", String(255), nullable=False),
    instant("at"),
    Column("actor", Text, nullable=False),
    CheckConstraint("amount_minor <> 0", name="amount_minor"),
    one_of("kind", ENTRY_KINDS),
    UniqueConstraint("kind", "reference"),
    Index(None, "customer_id", "currency"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("kind", String(64), nullable=False),
    Column("subject", String(255), nullable=False),
    Column("payload", JSON, nullable=False),
    instant("created_at"),
    instant("done_at", optional=True),
    Index(None, "done_at", "id"),
)

legal_hold = Table(
    "legal_hold",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("license_id", ForeignKey("license.id"), nullable=False, index=True),
    instant("held_at"),
    instant("released_at"),
    Column("outcome", String(32), nullable=False),
    one_of("outcome", HOLD_OUTCOMES),
)
