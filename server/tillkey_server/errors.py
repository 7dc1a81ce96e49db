"""What the server raises when something is wrong rather than refused.

An expected no is a value (`rules.decision.Decision`); these are for the rest::

    TillkeyError
     +-- ConfigError       a setting, key file or policy file that cannot be used
     +-- BadInput          a caller's value that has no meaning (API 400, command line 2)
     +-- NotFound          a thing that was named and is not there
     +-- BrokenInvariant   the impossible happened: a defect of ours, never the caller's
     +-- Unavailable       the database or another need is out of reach; try again

No error knows HTTP: `api/problems.py` holds the one table from these to RFC 9457. Messages hold no license key, secret
or e-mail address, since they end in logs (invariant I16).
"""

from __future__ import annotations


class TillkeyError(Exception):
    """The root of every error that the server raises on purpose."""


class ConfigError(TillkeyError):
    """A setting, key file or policy file cannot be used; the message says which and why."""


class BadInput(TillkeyError):
    """A caller's value has no meaning here.

    `field` names the value as the caller knows it, `detail` says what is wrong, without repeating the value.
    """

    def __init__(self, field: str, detail: str) -> None:
        """Keep both parts for the renderer; the message is `field: detail`."""
        super().__init__(f"{field}: {detail}")
        self.field = field
        self.detail = detail


def said_why(reason: str) -> str:
    """Return a reason without the spaces around it. Raises BadInput where it says nothing."""
    if not reason.strip():
        raise BadInput("reason", "say why; it is kept in the audit log")
    return reason.strip()


class NotFound(TillkeyError):
    """A named thing is not there: `what` is its kind (`license`), `name` the id or code that was asked for."""

    def __init__(self, what: str, name: str) -> None:
        """Keep both parts for the renderer. Never pass a license key as `name`."""
        super().__init__(f"{what} not found: {name}")
        self.what = what
        self.name = name


class BrokenInvariant(TillkeyError):
    """Something that cannot be, is. Nothing is committed and a person has to look."""


class Unavailable(TillkeyError):
    """A need of ours (the database, as a rule) is out of reach. What was asked may be asked again."""
