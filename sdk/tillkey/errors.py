"""What the SDK raises. No exception of another library leaks.

::

    TillkeyError
    ├── Refused              the server (or the license key itself) says no to this request; .code says why
    ├── Unreachable          no answer that can be trusted: nothing has changed, the till goes on; .kind says why
    ├── NotActivated         there is no activation to beat, move or free: call activate() first
    ├── StateError           the state folder cannot be read or written
    │   └── Busy             another process of this till is talking to the server right now
    └── ConfigurationError   an argument cannot be right (also a ValueError)

``check()`` raises none of them, and ``activate()`` on a license that this till holds neither ``Unreachable`` nor
``Busy``. Only a signed answer lowers a right (X-03), so catching ``Refused`` and ``Unreachable`` and going on with
``check()`` is always right.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Optional

from tillkey.wire.answers import Statement


class TillkeyError(Exception):
    """The root of everything that the SDK raises."""


class ConfigurationError(TillkeyError, ValueError):
    """An argument cannot be right; the message names it and says what would be."""


class StateError(TillkeyError):
    """The state folder cannot be read or written; the message says which path and why."""


class Busy(StateError):
    """Another process, or the background thread, holds the state folder longer than the call may wait.

    Try again shortly.
    """


class NotActivated(TillkeyError):
    """This state folder holds no activation of the product. Call ``activate()`` with the license key first."""


# What to do where the server's own sentence is missing, because the answer was cut or the refusal is our own.
NEXT_STEPS: Mapping[str, str] = MappingProxyType(
    {
        "license_invalid": "Check the license key: copy all of it, from the prefix to the last symbol.",
        "license_in_use": "Deactivate it where it is used, move it with a ticket, or ask the vendor's support.",
        "staging_must_be_deactivated": "Deactivate the staging installation, or take a move ticket there first.",
        "bound_to_other_project": "Use the license in its project, or get one for this project.",
        "project_required": "Give the project's name.",
        "move_ticket_invalid": "Take a new move ticket on the old installation: one lasts 24 hours and works once.",
        "installation_key_in_use": "Deactivate the license that this installation holds, then activate again.",
        "installation_key_blocked": "Ask the vendor's support.",
        "license_revoked": "Ask the vendor's support.",
        "license_terminated": "Ask the vendor's support.",
        "license_expired": "Renew the license.",
        "account_suspended": "Ask the vendor's support.",
        "license_suspended": "Ask the vendor's support.",
        "legal_hold": "Ask the vendor's support.",
        "order_under_review": "Wait until the vendor has looked at the order, then activate again.",
        "activation_superseded": "Another installation holds the license now; it must be freed there first.",
        "activation_released": "Activate again with the license key.",
    }
)


class Refused(TillkeyError):
    """The server says no.

    ``code`` is a plain lower-case string (PROTOCOL section 4), ``clauses`` the ids of the terms that say so,
    ``statement`` the verified statement or None where the answer was not signed (then nothing was lowered),
    ``detail`` a sentence for people, ``options`` what can be done next, ``retry_at`` the time in epoch seconds from
    which asking again may help, or None.
    """

    def __init__(
        self,
        code: str,
        *,
        clauses: tuple[str, ...] = (),
        statement: Optional[Statement] = None,
        detail: str = "",
        options: tuple[str, ...] = (),
        retry_at: Optional[int] = None,
    ) -> None:
        """Take what the server said."""
        self.code = code
        self.clauses = clauses
        self.statement = statement
        self.detail = detail
        self.options = options
        self.retry_at = retry_at
        super().__init__(_sentence(code, detail or NEXT_STEPS.get(code, "")))


REMEDIES: Mapping[str, str] = MappingProxyType(
    {
        "dns": "Check the server's name and the network.",
        "connect": "Check that the license server is running and that no firewall is in between.",
        "proxy": "Check the proxy's address and password, and that it lets the server's address pass.",
        "tls": "Check the certificate, the date of this machine, and whether a proxy opens the connection.",
        "timeout": "Check the network; the till goes on meanwhile.",
        "network": "Check the network; the till goes on meanwhile.",
        "redirected": "Give the server's final address; a Wi-Fi log-in page also redirects.",
        "not_json": "Something other than the license server answered: log in to the Wi-Fi, or check the address.",
        "too_large": "Something other than the license server answered: check the address.",
        "http_4xx": "Something in front of the license server refuses the request: check the address and the proxy.",
        "http_5xx": "The license server is in trouble: try again later, or this is not the license server: check the "
        "address.",
        "rate_limited": "Too many requests; try again later.",
        "bad_answer": "The answer proves nothing: check that address and pinned keyset are of the same server.",
        "gave_up": "The server did not come to an end with this request; try again later.",
    }
)


class Unreachable(TillkeyError):
    """No answer came that can be trusted, so nothing has changed and the till goes on.

    ``kind`` (also ``reason``) is one of ``dns``, ``connect``, ``proxy``, ``tls``, ``timeout``, ``network``,
    ``redirected``, ``not_json``, ``too_large``, ``http_4xx``, ``http_5xx``, ``rate_limited``, ``bad_answer``,
    ``gave_up``; ``detail`` says more; ``retry_after`` is the server's wish in seconds, or None.
    """

    def __init__(self, kind: str, detail: str = "", *, retry_after: Optional[int] = None) -> None:
        """Take why nothing could be learned."""
        self.kind = kind
        self.detail = detail
        self.retry_after = retry_after
        super().__init__(_sentence(kind, detail, REMEDIES.get(kind, "")))

    @property
    def reason(self) -> str:
        """The same as ``kind``."""
        return self.kind


def _sentence(code: str, *parts: str) -> str:
    told = ". ".join(part.rstrip(".") for part in parts if part)
    return f"{code}: {told}." if told else code
