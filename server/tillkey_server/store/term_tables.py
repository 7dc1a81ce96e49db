"""The tables of support terms: renewals that were paid, early endings, and subscriptions with the renewals due.

The first segment of a license is its order line itself, so that what was sold before these tables lost nothing; every
later payment is a row here. Where a clock ends is a fold over them (`rules.term`), never an entry of its own.
"""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, CheckConstraint, Column, ForeignKey, Index, Integer, String, Table, Uuid, text

from tillkey_server.store.columns import Instant, instant, metadata, one_of

ENDING_REASONS = ("refund", "transfer", "agent")
ONE_OPEN_SUBSCRIPTION = "one_open_subscription_per_license"
_OPEN = text("ended_at IS NULL")

support_term = Table(
    "support_term",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("license_id", ForeignKey("license.id"), nullable=False, index=True),
    # Law 6: a payment is a line of an order, and extends once (I7).
    Column("order_line_id", ForeignKey("order_line.id"), nullable=False, unique=True),
    Column("months", Integer, nullable=False),
    instant("paid_at"),
    # Which clocks the terms of that day let it extend; none where the money is to go back.
    Column("clocks", JSON, nullable=False),
    instant("recorded_at"),
    instant("refunded_at", optional=True),
    CheckConstraint("months >= 1", name="months"),
)

support_ending = Table(
    "support_ending",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("license_id", ForeignKey("license.id"), nullable=False, index=True),
    instant("at"),
    Column("clocks", JSON, nullable=False),
    Column("reason", String(16), nullable=False),
    instant("recorded_at"),
    instant("withdrawn_at", optional=True),
    one_of("reason", ENDING_REASONS),
)

clock_pause = Table(
    "clock_pause",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("license_id", ForeignKey("license.id"), nullable=False, index=True),
    # While its account was suspended, under terms that pause support and refund; null: no end is known.
    instant("starts_at"),
    instant("ends_at", optional=True),
    # The end of the refund window as no pause had moved it.
    instant("refund_until", optional=True),
)

subscription = Table(
    "subscription",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("license_id", ForeignKey("license.id"), nullable=False, index=True),
    Column("months", Integer, nullable=False),
    instant("started_at"),
    Column("price_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("channel", String(64), nullable=False),
    Column("next_period", Integer, nullable=False),
    # When the renewal of the next period is due: the scheduler asks for nothing else.
    Column("next_due_at", Instant, nullable=False, index=True),
    instant("recorded_at"),
    instant("cancelled_at", optional=True),
    Column("cancel_reason", String(64), nullable=True),
    instant("ended_at", optional=True),
    CheckConstraint("months >= 1", name="months"),
    CheckConstraint("price_minor >= 0", name="price_minor"),
    CheckConstraint("(cancelled_at IS NULL) = (cancel_reason IS NULL)", name="cancelled"),
    Index(ONE_OPEN_SUBSCRIPTION, "license_id", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
)

subscription_renewal = Table(
    "subscription_renewal",
    metadata,
    # One renewal is due for each period of a subscription, whoever finds it first (CJ-23).
    Column("subscription_id", ForeignKey("subscription.id"), primary_key=True),
    Column("period", Integer, primary_key=True, autoincrement=False),
    instant("due_at"),
    instant("recorded_at"),
    Column("order_line_id", ForeignKey("order_line.id"), nullable=True, unique=True),
    instant("dropped_at", optional=True),
    # What it costs without tax, as it was told; null in rows of older code, which told it and kept it nowhere.
    Column("price_minor", BigInteger, nullable=True),
    Column("currency", String(3), nullable=True),
    CheckConstraint("period >= 1", name="period"),
)
