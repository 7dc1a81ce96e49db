"""The tables of software releases and downloads, which migration 0010 added."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

from tillkey_server.store.columns import instant, keyed_hash, metadata, one_of

RELEASE_KINDS = ("feature", "security", "compatibility", "corrective", "hotfix")

software_release = Table(
    "software_release",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("product_id", ForeignKey("product.id"), nullable=False),
    Column("version", String(64), nullable=False),
    # The one spelling that equal versions share, so that 8.1 and 8.1.0 are not published beside each other.
    Column("version_key", String(128), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("severity", String(16), nullable=True),
    Column("platform_min", String(64), nullable=True),
    Column("platform_max", String(64), nullable=True),
    Column("always_free", Boolean, nullable=False),
    Column("prerelease", Boolean, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("url", Text, nullable=False),
    Column("notes", Text, nullable=True),
    instant("published_at"),
    instant("created_at"),
    instant("withdrawn_at", optional=True),
    UniqueConstraint("product_id", "version_key"),
    one_of("kind", RELEASE_KINDS),
    CheckConstraint("size >= 0", name="size"),
)

release_fix = Table(
    "release_fix",
    metadata,
    # What a release mends was reported for this license, at that time (NX-26).
    Column("release_id", ForeignKey("software_release.id"), primary_key=True),
    Column("license_id", ForeignKey("license.id"), primary_key=True),
    instant("reported_at"),
)

download = Table(
    "download",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("license_id", ForeignKey("license.id"), nullable=False, index=True),
    Column("release_id", ForeignKey("software_release.id"), nullable=False),
    # Which installation it is for, where that was told: a hotfix changes files there (NX-27).
    Column("activation_id", ForeignKey("activation.id"), nullable=True, index=True),
    keyed_hash("grant_hash"),
    instant("granted_at"),
    instant("expires_at"),
    instant("used_at", optional=True),
    Column("granted_by", Text, nullable=False),
    CheckConstraint("length(grant_hash) = 32", name="grant_hash"),
)
