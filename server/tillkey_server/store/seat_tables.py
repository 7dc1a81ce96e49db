"""The tables beside an activation: signs of copies, tickets for a move, and seats that were freed by force."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, ForeignKey, Index, String, Table, Text, Uuid

from tillkey_server.store.columns import HASH_BYTES, deferred_reference, instant, keyed_hash, metadata, one_of

CHAIN_EVENTS = ("fork", "switch", "adopted", "conflict")
FORCED_KINDS = ("forced", "move_ticket")
ENVIRONMENTS = ("production", "staging", "development")

chain_event = Table(
    "chain_event",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("activation_id", ForeignKey("activation.id"), nullable=False),
    Column("license_id", ForeignKey("license.id"), nullable=False),
    Column("kind", String(16), nullable=False),
    instant("at"),
    Column("seq", BigInteger, nullable=False),
    Column("detail", Text, nullable=False),
    one_of("kind", CHAIN_EVENTS),
    Index(None, "activation_id", "at"),
    Index(None, "license_id", "at"),
)

move_ticket = Table(
    "move_ticket",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("license_id", ForeignKey("license.id"), nullable=False, index=True),
    Column("environment", String(16), nullable=False),
    keyed_hash("ticket_hash"),
    Column("activation_id", ForeignKey("activation.id"), nullable=True),
    Column("step_seq", BigInteger, nullable=True),
    instant("created_at"),
    instant("expires_at"),
    instant("used_at", optional=True),
    Column("used_by", deferred_reference("activation.id"), nullable=True),
    Column("issued_by", Text, nullable=False),
    one_of("environment", ENVIRONMENTS),
    CheckConstraint(f"length(ticket_hash) = {HASH_BYTES}", name="ticket_hash"),
)

forced_deactivation = Table(
    "forced_deactivation",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("license_id", ForeignKey("license.id"), nullable=False),
    Column("activation_id", ForeignKey("activation.id"), nullable=True),
    Column("kind", String(16), nullable=False),
    instant("at"),
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("vendor_fault", Boolean, nullable=False),
    Column("override_reason", Text, nullable=True),
    Column("counted", Boolean, nullable=False),
    Column("evidence", Text, nullable=True),
    one_of("kind", FORCED_KINDS),
    Index(None, "license_id", "at"),
)
