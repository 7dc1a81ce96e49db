"""The column types and helpers that every table is built from."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, LargeBinary, MetaData
from sqlalchemy.types import TypeDecorator

from tillkey_server.clock import from_epoch, to_epoch

if TYPE_CHECKING:
    from sqlalchemy import Dialect

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
"""Every constraint has a name of its own, so that a later migration can alter it on both databases."""

metadata = MetaData(naming_convention=NAMING)

JKT_LENGTH = 43
"""Characters of a thumbprint: base64url of SHA-256 without padding (RFC 7638)."""

TOKEN_LENGTH = 22
"""Characters of a `rid` or `nonce`: base64url of 16 bytes without padding."""

HASH_BYTES = 32
"""Bytes of a keyed hash: HMAC-SHA-256."""


class Instant(TypeDecorator[datetime]):
    """A moment in UTC, kept as whole seconds since the epoch in a BIGINT.

    In: an aware datetime of any zone; fractions of a second are cut off, since the protocol's times are whole
    seconds and a value must come back as it went in. A naive datetime is a ValueError: it names no moment.
    Out: an aware datetime in UTC.
    """

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Turn an aware datetime into epoch seconds; raise ValueError for a naive one."""
        return None if value is None else to_epoch(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - as above
        """Turn epoch seconds into an aware UTC datetime."""
        return None if value is None else from_epoch(value)


def one_of(column: str, words: tuple[str, ...]) -> CheckConstraint:
    """Return the CHECK that keeps `column` within a closed vocabulary."""
    listed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def keyed_hash(name: str) -> Column[bytes]:
    """Return a column for an HMAC-SHA-256 of a secret; the secret itself is never stored."""
    return Column(name, LargeBinary(HASH_BYTES), nullable=False, unique=True)


def instant(name: str, *, optional: bool = False) -> Column[Any]:
    """Return a column for a moment; `optional` ones say "it has not happened" by being null."""
    return Column(name, Instant, nullable=optional)


def deferred_reference(target: str) -> ForeignKey:
    """Return a foreign key that is checked at commit.

    An ended activation names its successor before that can exist: the partial unique indexes demand that the old
    one ends first.
    """
    return ForeignKey(target, deferrable=True, initially="DEFERRED")
