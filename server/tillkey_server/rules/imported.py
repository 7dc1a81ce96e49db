"""Purchase codes of other marketplaces (NX-44).

1. Codes are taken of the channels that the terms name, with support of a length that the terms name.
2. A code becomes one license, once. Told again for the customer who has that license it is the same one; for any other
   it is refused, whoever was first: who gave the license away learns nothing of it any more (I13).
3. How long support lasts is the marketplace's to say, where it says; else it is the months that were chosen, from the
   purchase there. It stays so whatever is folded later (`rules.term`): a renewal goes on from that end. Told again with
   a later end, that one counts from then on; an earlier one takes nothing away.
4. The marketplace's list of its codes is compared with what is on record. What was refunded there ends here, for good,
   as when a single refund is told; what is active there has the later of both ends of support. What ended here and is
   active there, what is listed and never came, and what came and is not listed, is told and left as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tillkey_server.rules.decision import Code, Decision, allow, deny, instant
from tillkey_server.rules.policy import Policy


class ImportCode(Code):
    """Every answer about a purchase code."""

    LICENSE_IMPORTED = "license_imported"
    LICENSE_IMPORTED_BEFORE = "license_imported_before"
    PURCHASE_CODE_ALREADY_CLAIMED = "purchase_code_already_claimed"
    PURCHASE_CODE_NOT_TAKEN = "purchase_code_not_taken"


class Claimed(StrEnum):
    """Who has the license that a code became."""

    NOBODY = "nobody"
    SAME = "same"
    OTHER = "other"


class State(StrEnum):
    """What a marketplace says of a code."""

    ACTIVE = "active"
    REFUNDED = "refunded"


class Step(StrEnum):
    """What a marketplace's word on a code asks for, or what there is to tell of it (sentence 4)."""

    ENDED = "ended"
    PROLONGED = "prolonged"
    UNCHANGED = "unchanged"
    ENDED_BEFORE = "ended_before"
    ENDED_HERE_ALONE = "ended_here_alone"
    UNKNOWN = "unknown"


def step_of(state: State, lives: bool, told: datetime | None, kept: datetime | None) -> Step:  # noqa: FBT001 - a fact
    """Return what becomes of a code that came: `lives` tells whether its license is not ended.

    `told` is the end of support by the marketplace, `kept` the one on record; None: nobody knows.
    """
    if state is State.REFUNDED:
        return Step.ENDED if lives else Step.ENDED_BEFORE
    if not lives:
        return Step.ENDED_HERE_ALONE
    return Step.UNCHANGED if later_of(told, kept) is None else Step.PROLONGED


def later_of(told: datetime | None, kept: datetime | None) -> datetime | None:
    """Return the end that is told and lies behind the one on record (sentence 3)."""
    return told if told is not None and kept is not None and told > kept else None


@dataclass(frozen=True, slots=True)
class ImportFacts:
    """A code that is brought; `support_until` is the marketplace's word on the end of support, where it gave one.

    `kept_until` is the end that is on record with a code that was brought before.
    """

    channel: str
    months: int
    claimed: Claimed
    support_until: datetime | None = None
    kept_until: datetime | None = None

    @property
    def later(self) -> datetime | None:
        """Return the end that is told anew and lies behind the one on record (sentence 3)."""
        return later_of(self.support_until, self.kept_until)


def decide_import(facts: ImportFacts, policy: Policy, now: datetime) -> Decision:
    """Decide whether a purchase code becomes a license; facts `channel`, `months`, `support_until`."""
    terms = policy.sale
    shown: dict[str, object] = {
        "channel": facts.channel,
        "months": facts.months,
        "support_until": instant(facts.support_until),
    }
    cited = policy.issue_clauses if terms is None else terms.clauses.imported
    if facts.claimed is Claimed.OTHER:
        code = ImportCode.PURCHASE_CODE_ALREADY_CLAIMED
        return deny(code, clauses=cited, policy=policy.ref, now=now, facts=shown, options=("ask_support",))
    if facts.claimed is Claimed.SAME:
        shown["support_until"] = instant(facts.later or facts.kept_until or facts.support_until)
        return allow(ImportCode.LICENSE_IMPORTED_BEFORE, clauses=cited, policy=policy.ref, now=now, facts=shown)
    if terms is None or facts.channel not in terms.import_channels or facts.months not in terms.import_months:
        offered = {
            "channels": [] if terms is None else list(terms.import_channels),
            "lengths": [] if terms is None else list(terms.import_months),
        }
        return deny(
            ImportCode.PURCHASE_CODE_NOT_TAKEN, clauses=cited, policy=policy.ref, now=now, facts=shown | offered
        )
    return allow(ImportCode.LICENSE_IMPORTED, clauses=cited, policy=policy.ref, now=now, facts=shown)
