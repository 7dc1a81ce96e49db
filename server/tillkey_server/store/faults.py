"""Which database errors mean "not now", and which unique rule an insert ran into.

The databases and their drivers name the same trouble differently; this module is the only place that knows how.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Index
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.schema import ColumnCollectionConstraint

from tillkey_server.store import tables

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOCK_NOT_AVAILABLE = "55P03"  # a lock was not granted in time
# SQLSTATE classes and codes (PostgreSQL's documentation, appendix A).
_UNAVAILABLE_CLASSES = ("08", "53", "57P", "58")  # connection, resources, operator intervention, system
_UNAVAILABLE_CODES = frozenset(
    {
        "40001",  # serialization failure
        "40P01",  # deadlock: this transaction was chosen to end, a repetition succeeds
        _LOCK_NOT_AVAILABLE,
        "57014",  # a statement ran longer than its limit
    }
)
# A write where only reading is possible: the primary was demoted under us, the file system went read-only.
_READ_ONLY = "25006"
_SQLITE_READ_ONLY = "SQLITE_READONLY"
_UNIQUE_VIOLATION = "23505"
_UNDEFINED_TABLE = "42P01"

# SQLite's result codes by name; extended ones begin with their primary one.
_SQLITE_UNAVAILABLE = (
    "SQLITE_BUSY",
    "SQLITE_LOCKED",
    "SQLITE_IOERR",
    "SQLITE_FULL",
    "SQLITE_CANTOPEN",
    "SQLITE_PROTOCOL",
)


def _links(error: BaseException) -> Iterator[BaseException]:
    """Give the driver's errors behind `error`, outermost first."""
    current: BaseException | None = error.orig if isinstance(error, DBAPIError) else error
    while current is not None:
        yield current
        current = current.__cause__


def _sqlstate(error: BaseException) -> str:
    """Return PostgreSQL's five-character code, or an empty text."""
    for link in _links(error):
        code = getattr(link, "sqlstate", None)
        if isinstance(code, str):
            return code
    return ""


def _sqlite_name(error: BaseException) -> str:
    """Return SQLite's extended result code by name, or an empty text."""
    for link in _links(error):
        name = getattr(link, "sqlite_errorname", None)
        if isinstance(name, str):
            return name
    return ""


def means_unavailable(error: BaseException, *, opening: bool, writing: bool) -> bool:
    """Tell whether `error` says that the database cannot serve now, through no fault of the statement.

    `opening` is true while no connection has been handed out: only then is a plain OSError or timeout the
    database's own, since later it may come from the caller's code. `writing` is true where a write was allowed.
    """
    if isinstance(error, PoolTimeoutError):
        return True
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    code = _sqlstate(error)
    if code.startswith(_UNAVAILABLE_CLASSES) or code in _UNAVAILABLE_CODES:
        return True
    if _sqlite_name(error).startswith(_SQLITE_UNAVAILABLE):
        return True
    if writing and (code == _READ_ONLY or _sqlite_name(error).startswith(_SQLITE_READ_ONLY)):
        return True
    if not opening:
        return False
    return isinstance(error, OSError | TimeoutError) or any(_is_drivers(link) for link in _links(error))


def _is_drivers(error: BaseException) -> bool:
    """Tell whether asyncpg raised `error` itself; while connecting it is not always wrapped."""
    return type(error).__module__.split(".")[0] == "asyncpg"


def cause_of(error: BaseException) -> str | None:
    """Return the class name of what the driver or the system raised behind `error`, or None; never its text (I16).

    The innermost one: `InvalidPasswordError` or `ConnectionRefusedError`, whatever it was wrapped in.
    """
    innermost = error
    while (behind := getattr(innermost, "orig", None) or innermost.__cause__) is not None:
        innermost = behind
    return None if innermost is error else type(innermost).__name__


def is_unique_violation(error: BaseException, index_name: str) -> bool:
    """Tell whether `error` is the violation of the named unique index or constraint.

    In: `index_name` is a unique index or constraint of `tables` (for instance `one_active_per_license`, or
    `uq_lease_jkt_rid`); a KeyError names one that does not exist. SQLite reports the columns instead of the name, so
    two indexes over the same columns could not be told apart; there are none.
    """
    covered = _unique_columns(index_name)
    if not isinstance(error, IntegrityError):
        return False
    for link in _links(error):
        name = getattr(link, "constraint_name", None)
        if isinstance(name, str) and name:
            return name == index_name and _sqlstate(error) == _UNIQUE_VIOLATION
    if _sqlite_name(error) not in {"SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY"}:
        return False
    _, _, reported = str(error.orig).partition(": ")
    return frozenset(reported.split(", ")) == covered


def _unique_columns(index_name: str) -> frozenset[str]:
    """Return the `table.column` names that a unique index covers, as SQLite reports them."""
    for table in tables.metadata.tables.values():
        for rule in (*table.indexes, *table.constraints):
            if isinstance(rule, Index | ColumnCollectionConstraint) and rule.name == index_name:
                return frozenset(f"{table.name}.{column.name}" for column in rule.columns)
    raise KeyError(index_name)


def is_lock_not_available(error: BaseException) -> bool:
    """Tell whether PostgreSQL did not grant a lock within `lock_timeout`: somebody holds it, and nothing is broken."""
    return _sqlstate(error) == _LOCK_NOT_AVAILABLE


def is_missing_table(error: BaseException) -> bool:
    """Tell whether a statement named a table that is not there: the database was never migrated."""
    if _sqlstate(error) == _UNDEFINED_TABLE:
        return True
    return isinstance(error, DBAPIError) and "no such table" in str(error.orig)
