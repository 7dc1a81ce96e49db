"""Several licenses on one project (NX-05).

1. A project may hold any number of licenses, of one product too. Its entitlements are the union of what those grant
   that may be used, and its seats add up; one that ended takes away nothing that another one still gives.
2. Which license an installation is to use next is determined: of those of the product that are free and may be used in
   this project, the one whose use ends first, an endless one last; then the one whose support ends first; then the
   oldest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from tillkey_server.rules.decision import Code, Decision, allow, deny
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.standing import LicenseFacts, Status, status_of

_ENDLESS = datetime.max.replace(tzinfo=UTC)


class ProjectCode(Code):
    """Every answer about what a project may use."""

    PROJECT_ENTITLED = "project_entitled"
    PROJECT_NOT_ENTITLED = "project_not_entitled"


@dataclass(frozen=True, slots=True)
class ProjectLicense:
    """A license of the project's customer.

    `here`: it is bound to the project or in use there; `elsewhere`: bound to another one; `in_use`: an activation holds
    it.
    """

    license: LicenseFacts
    product: str
    entitlements: tuple[str, ...]
    here: bool
    elsewhere: bool
    in_use: bool


def decide_project(held: Sequence[ProjectLicense], policy: Policy, now: datetime) -> Decision:
    """Return what a project may use; facts `entitlements`, `seats` by product, and the license to `use_next`."""
    usable = [one for one in held if status_of(one.license, now) is Status.ACTIVE]
    here = [one for one in usable if one.here]
    products = sorted({one.product for one in usable})
    shown = {
        "entitlements": sorted({word for one in here for word in one.entitlements}),
        "seats": {product: sum(one.product == product for one in here) for product in products},
        "use_next": {product: _text(_next(usable, product)) for product in products},
    }
    cited = policy.issue_clauses if policy.sale is None else policy.sale.clauses.several
    if here:
        return allow(ProjectCode.PROJECT_ENTITLED, clauses=cited, policy=policy.ref, now=now, facts=shown)
    return deny(ProjectCode.PROJECT_NOT_ENTITLED, clauses=cited, policy=policy.ref, now=now, facts=shown)


def _next(usable: Sequence[ProjectLicense], product: str) -> UUID | None:
    free = [one.license for one in usable if one.product == product and not one.in_use and not one.elsewhere]
    first = min(free, key=lambda one: (one.use_until or _ENDLESS, one.support_until or _ENDLESS, one.id), default=None)
    return None if first is None else first.id


def _text(license_id: UUID | None) -> str | None:
    return None if license_id is None else str(license_id)
