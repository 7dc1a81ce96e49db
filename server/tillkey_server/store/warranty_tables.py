"""The tables of warranty: contracts, claims with what came of them, and replaced devices; migration 0009 added them.

Migration 0021 added that a finding can be withdrawn, 0031 how an earlier report is known.

All but a quote's acceptance is only ever added.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

from tillkey_server.store.columns import instant, keyed_hash, metadata, one_of

GROUNDS = (
    "quality",
    "misuse",
    "foreign_software",
    "abnormal",
    "force_majeure",
    "unauthorized_service",
    "unofficial_channel",
)
START_BASES = ("delivery", "acceptance", "invoice")
CLAIM_KINDS = ("device", "development")
SERVICE_OUTCOMES = ("free", "chargeable")


def _claim() -> Column[object]:
    return Column("claim_id", ForeignKey("warranty_claim.id"), nullable=False)


warranty_contract = Table(
    "warranty_contract",
    metadata,
    Column("id", Uuid, primary_key=True),
    # Recorded again, the newest counts; what was known before stays on record.
    Column("license_id", ForeignKey("license.id"), nullable=False, index=True),
    Column("number", String(100), nullable=False),
    Column("serial", String(100), nullable=False),
    Column("warranty_months", Integer, nullable=True),
    Column("starts_on", String(10), nullable=False),
    Column("start_basis", String(16), nullable=False),
    Column("partner", String(64), nullable=True),
    Column("region", String(64), nullable=True),
    # Keyed hashes of the addresses of those who may accept a quote, in hexadecimal: no personal data stands here.
    Column("contacts", JSON, nullable=False),
    instant("recorded_at"),
    Column("recorded_by", Text, nullable=False),
    one_of("start_basis", START_BASES),
)

warranty_claim = Table(
    "warranty_claim",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("license_id", ForeignKey("license.id"), nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("serial", String(100), nullable=True),
    Column("symptoms", Text, nullable=False),
    Column("diagnostics", Text, nullable=True),
    Column("route", String(64), nullable=False),
    instant("reported_at"),
    instant("opened_at"),
    Column("opened_by", Text, nullable=False),
    # What shows that it was told before it was opened, as a mail or a ticket.
    Column("known_by", String(255), nullable=True),
    one_of("kind", CLAIM_KINDS),
)

warranty_finding = Table(
    "warranty_finding",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("claim_id", ForeignKey("warranty_claim.id"), nullable=False, index=True),
    Column("fault", String(100), nullable=False),
    Column("ground", String(32), nullable=False),
    Column("caused", Boolean, nullable=False),
    Column("hardware", Boolean, nullable=False),
    Column("detail", String(32), nullable=True),
    Column("evidence", Text, nullable=False),
    Column("worked_by", String(64), nullable=True),
    Column("worked_on", String(10), nullable=True),
    instant("found_at"),
    Column("found_by", Text, nullable=False),
    # Takes back what was found of the same before; null: it does not, as a server before migration 0021 writes it.
    Column("withdrawn", Boolean, nullable=True),
    one_of("ground", GROUNDS),
)

warranty_decision = Table(
    "warranty_decision",
    metadata,
    Column("id", Uuid, primary_key=True),
    _claim(),
    Column("number", Integer, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("findings", Integer, nullable=False),
    instant("decided_at"),
    Column("decided_by", Text, nullable=False),
    UniqueConstraint("claim_id", "number"),
    one_of("outcome", SERVICE_OUTCOMES),
    # NP-14: turned around once at most.
    CheckConstraint("number IN (1, 2)", name="number"),
)

warranty_quote = Table(
    "warranty_quote",
    metadata,
    Column("id", Uuid, primary_key=True),
    _claim(),
    Column("version", Integer, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("reason", Text, nullable=False),
    instant("valid_until"),
    keyed_hash("token_hash"),
    instant("sent_at"),
    Column("sent_by", Text, nullable=False),
    instant("accepted_at", optional=True),
    UniqueConstraint("claim_id", "version"),
    CheckConstraint("amount_minor >= 0", name="amount_minor"),
    CheckConstraint("length(token_hash) = 32", name="token_hash"),
)

warranty_work = Table(
    "warranty_work",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("claim_id", ForeignKey("warranty_claim.id"), nullable=False, index=True),
    # Under which accepted quote; null: free work.
    Column("quote_version", Integer, nullable=True),
    instant("started_at"),
    Column("started_by", Text, nullable=False),
)

warranty_rma = Table(
    "warranty_rma",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("claim_id", ForeignKey("warranty_claim.id"), nullable=False, index=True),
    Column("number", String(32), nullable=False, unique=True),
    Column("address", Text, nullable=False),
    instant("issued_at"),
    instant("expires_at"),
)

device_replacement = Table(
    "device_replacement",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("claim_id", ForeignKey("warranty_claim.id"), nullable=False, unique=True),
    Column("license_id", ForeignKey("license.id"), nullable=False, index=True),
    Column("old_serial", String(100), nullable=False),
    Column("new_serial", String(100), nullable=False),
    instant("replaced_at"),
    Column("replaced_by", Text, nullable=False),
)
