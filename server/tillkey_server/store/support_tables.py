"""The tables of support requests: what came in, everything that happened to it, closures, grants and hotfixes.

No help desk: what was written stays where it was written. Rows are only ever added; what a request is now follows from
its events (laws 3 and 8). Only what the sweep notes for itself is written over.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
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
    Uuid,
    text,
)

from tillkey_server.store.columns import instant, metadata

_WATCHED = text("refund_proposed_at IS NULL")

support_request = Table(
    "support_request",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("customer_id", ForeignKey("customer.id"), nullable=False, index=True),
    Column("product_id", ForeignKey("product.id"), nullable=False),
    # Null: asked before a purchase (BC-36).
    Column("license_id", ForeignKey("license.id"), nullable=True, index=True),
    Column("project_id", ForeignKey("project.id"), nullable=True),
    Column("policy_name", String(64), nullable=False),
    Column("policy_version", Integer, nullable=False),
    Column("task", String(64), nullable=False),
    Column("presale", Boolean, nullable=False),
    # The vendor's own names: of the conversation in a help desk, of the matter, of the installation's platform.
    Column("reference", String(255), nullable=True),
    Column("matter", String(255), nullable=True),
    Column("platform_version", String(64), nullable=True),
    # An anomaly that was reported before is counted from its first report (ZG-07).
    Column("duplicate_of", ForeignKey("support_request.id"), nullable=True),
    # The code of the decision by which it was taken.
    Column("taken_as", String(64), nullable=False),
    instant("received_at"),
    instant("created_at"),
    Column("created_by", Text, nullable=False),
    # Kept by the sweep that proposes refunds (ZG-09): since when one is, and when to look again; null: at once.
    instant("refund_proposed_at", optional=True),
    instant("look_at", optional=True),
    ForeignKeyConstraint(["policy_name", "policy_version"], ["policy_version.name", "policy_version.version"]),
    Index(None, "customer_id", "matter"),
    Index("support_requests_to_look_at", "look_at", "id", sqlite_where=_WATCHED, postgresql_where=_WATCHED),
)

support_event = Table(
    "support_event",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("request_id", ForeignKey("support_request.id"), nullable=False),
    Column("kind", String(32), nullable=False),
    instant("at"),
    Column("details", JSON, nullable=False),
    instant("recorded_at"),
    Column("actor", Text, nullable=False),
    Index(None, "request_id", "at"),
)

vendor_closure = Table(
    "vendor_closure",
    metadata,
    Column("id", Uuid, primary_key=True),
    instant("notified_at"),
    instant("starts_at"),
    instant("ends_at"),
    Column("reason", Text, nullable=False),
    instant("recorded_at"),
    Column("actor", Text, nullable=False),
    instant("withdrawn_at", optional=True),
    Column("withdrawn_by", Text, nullable=True),
    CheckConstraint("notified_at <= starts_at AND starts_at < ends_at", name="order"),
)

remote_access_grant = Table(
    "remote_access_grant",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("request_id", ForeignKey("support_request.id"), nullable=False, index=True),
    Column("granted_by", ForeignKey("customer.id"), nullable=False),
    Column("scope", Text, nullable=False),
    instant("starts_at"),
    instant("until"),
    instant("recorded_at"),
    Column("actor", Text, nullable=False),
    CheckConstraint("starts_at < until", name="order"),
)

hotfix = Table(
    "hotfix",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("request_id", ForeignKey("support_request.id"), nullable=False, index=True),
    Column("license_id", ForeignKey("license.id"), nullable=False, index=True),
    Column("activation_id", ForeignKey("activation.id"), nullable=True),
    Column("severity", String(32), nullable=False),
    # Path to SHA-256 of each file as the hotfix left it.
    Column("files", JSON, nullable=False),
    instant("applied_at"),
    instant("recorded_at"),
    Column("actor", Text, nullable=False),
)
