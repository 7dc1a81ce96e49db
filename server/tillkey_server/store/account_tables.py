"""Tables about purchases under review, accounts, free installations and purchase codes of other marketplaces.

What happened is a row or an instant; whether an account is suspended, or a credit is left, is derived.
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
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from tillkey_server.store.columns import HASH_BYTES, instant, metadata, one_of

REVIEW_KINDS = ("held", "released", "refund_proposed")
SEVERITIES = ("temporary", "permanent")
ENDED_BY = ("customer", "vendor")
ONE_OPEN_TERMINATION = "one_open_termination"
MEMBER_ROLES = ("support",)
_STILL_MEMBER = text("removed_at IS NULL")
_OPEN = text("canceled_at IS NULL AND done_at IS NULL")

order_review = Table(
    "order_review",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("order_id", ForeignKey("purchase_order.id"), nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    instant("at"),
    Column("code", String(64), nullable=False),
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("facts", JSON, nullable=False),
    one_of("kind", REVIEW_KINDS),
)

account_suspension = Table(
    "account_suspension",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("customer_id", ForeignKey("customer.id"), nullable=False, index=True),
    Column("behavior", String(48), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("fraud", Boolean, nullable=False),
    Column("evidence", Text, nullable=False),
    instant("proposed_at"),
    Column("proposed_by", Text, nullable=False),
    # Null while a second person has not agreed; only then does it suspend.
    instant("approved_at", optional=True),
    Column("approved_by", Text, nullable=True),
    instant("stops_at", optional=True),
    instant("until", optional=True),
    instant("lifted_at", optional=True),
    Column("lifted_by", Text, nullable=True),
    one_of("severity", SEVERITIES),
    CheckConstraint("(approved_at IS NULL) = (approved_by IS NULL)", name="approved"),
    CheckConstraint("(lifted_at IS NULL) = (lifted_by IS NULL)", name="lifted"),
)

account_termination = Table(
    "account_termination",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("customer_id", ForeignKey("customer.id"), nullable=False, index=True),
    Column("ended_by", String(16), nullable=False),
    Column("behavior", String(48), nullable=True),
    Column("evidence", Text, nullable=False),
    Column("reason", Text, nullable=False),
    instant("requested_at"),
    Column("requested_by", Text, nullable=False),
    instant("approved_at", optional=True),
    Column("approved_by", Text, nullable=True),
    instant("due_at", optional=True),
    instant("canceled_at", optional=True),
    instant("done_at", optional=True),
    # Who of the vendor's proposed to end the account beside the customer's own request: behavior and evidence are his.
    Column("proposed_by", Text, nullable=True),
    # What the customer says stands with the help desk.
    instant("appealed_at", optional=True),
    instant("appeal_decided_at", optional=True),
    Column("appealed_by", Text, nullable=True),
    Column("appeal_decided_by", Text, nullable=True),
    one_of("ended_by", ENDED_BY),
    CheckConstraint("(approved_at IS NULL) = (due_at IS NULL)", name="approved"),
    Index(ONE_OPEN_TERMINATION, "customer_id", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
)

balance_waiver = Table(
    "balance_waiver",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("termination_id", ForeignKey("account_termination.id"), nullable=False, index=True),
    Column("currency", String(3), nullable=False),
    Column("minor", BigInteger, nullable=False),
    instant("at"),
    Column("actor", Text, nullable=False),
    CheckConstraint("minor > 0", name="minor"),
)

tombstone = Table(
    "tombstone",
    metadata,
    # No foreign key: it is what is left to know when a backup brings the customer back.
    Column("customer_id", Uuid, primary_key=True),
    Column("termination_id", Uuid, nullable=False),
    instant("at"),
)

install_credit = Table(
    "install_credit",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("order_line_id", ForeignKey("order_line.id"), nullable=False, unique=True),
    Column("customer_id", ForeignKey("customer.id"), nullable=False, index=True),
    instant("granted_at"),
    instant("used_at", optional=True),
    Column("used_by", Text, nullable=True),
    CheckConstraint("(used_at IS NULL) = (used_by IS NULL)", name="used"),
)

purchase_code = Table(
    "purchase_code",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("channel", String(32), nullable=False),
    Column("code_hash", LargeBinary(HASH_BYTES), nullable=False),
    Column("license_id", ForeignKey("license.id"), nullable=False, index=True),
    Column("customer_id", ForeignKey("customer.id"), nullable=False),
    instant("claimed_at"),
    # The marketplace's word on the end of support, where it gave one: it is master (NX-44).
    instant("supported_until", optional=True),
    UniqueConstraint("channel", "code_hash"),
    CheckConstraint(f"length(code_hash) = {HASH_BYTES}", name="code_hash"),
)

project_member = Table(
    "project_member",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("project_id", ForeignKey("project.id"), nullable=False, index=True),
    Column("customer_id", ForeignKey("customer.id"), nullable=False, index=True),
    Column("role", String(16), nullable=False),
    instant("added_at"),
    Column("added_by", Text, nullable=False),
    instant("removed_at", optional=True),
    Column("removed_by", Text, nullable=True),
    one_of("role", MEMBER_ROLES),
    Index(
        "one_open_membership",
        "project_id",
        "customer_id",
        unique=True,
        sqlite_where=_STILL_MEMBER,
        postgresql_where=_STILL_MEMBER,
    ),
)
