"""What an event of a request for support is judged on beside the record (`rules.support_event`)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tillkey_server.rules.support_policy import GroundPolicy


@dataclass(frozen=True, slots=True)
class EventFacts:
    """What an event is judged on beside the record.

    `support_until` and `refund_until` are the license's, `support_ended_at` when its support had ended that did not run
    as the request began, None: it ran, or `support_until` says so; `hotfixed_files` are the digests that the vendor's
    hotfixes left; `has_access` tells whether a grant of remote access runs at the event's instant; `published_at` is
    when an offered update was published, `withdrawn_at` when it was withdrawn. `credit_gone`: it would take up again a
    request for an installation that gave the free one back, and another has used that since. `lifted` are grounds of
    the sale that today's version of the terms took off the list.
    """

    support_until: datetime | None = None
    refund_until: datetime | None = None
    support_ended_at: datetime | None = None
    hotfixed_files: frozenset[str] = frozenset()
    has_access: bool = False
    published_at: datetime | None = None
    withdrawn_at: datetime | None = None
    credit_gone: bool = False
    lifted: tuple[GroundPolicy, ...] = ()
