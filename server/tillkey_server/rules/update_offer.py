"""An update that is offered in answer to a request for support.

1. The vendor may offer an update, free or for payment (BC-16); where the terms say so, only one that was published by
   the time of the request (ZG-15). Nothing that was withdrawn is offered.
2. An offer is not a correction: whatever clock runs for that runs on (BC-16).
"""

from __future__ import annotations

from datetime import datetime

from tillkey_server.rules.decision import Decision, allow, deny, instant, pend
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.update import ReleaseFacts
from tillkey_server.rules.update_code import UpdateCode


def decide_offer(
    release: ReleaseFacts, requested_at: datetime, policy: Policy, now: datetime, *, is_paid: bool | None = None
) -> Decision:
    """Decide whether a release may be offered for a request of that time; facts `version`, `is_correction` (never).

    `is_paid` None: nobody said whether it costs anything.
    """
    terms = policy.updates
    shown: dict[str, object] = {
        "version": release.version,
        "published_at": instant(release.published_at),
        "requested_at": instant(requested_at),
        "is_correction": False,
    }
    if terms is None:
        clauses = policy.clocks.clauses.updates
        return pend(UpdateCode.UPDATE_NOT_OFFERED, clauses=clauses, policy=policy.ref, now=now, facts=shown)
    latest = requested_at if terms.offers_published_by_request else now
    code = {None: UpdateCode.RESOLUTION_UPDATE, True: UpdateCode.UPDATE_PAID, False: UpdateCode.UPDATE_FREE}[is_paid]
    if release.withdrawn_at is not None:
        code = UpdateCode.UPDATE_WITHDRAWN
    elif release.published_at > latest:
        code = UpdateCode.RESOLUTION_UPDATE_TOO_NEW
    refused = code in {UpdateCode.UPDATE_WITHDRAWN, UpdateCode.RESOLUTION_UPDATE_TOO_NEW}
    answer = deny if refused else allow
    return answer(code, clauses=terms.clauses.offer, policy=policy.ref, now=now, facts=shown)
