"""What ties a license to a project (NX-06), in the three readings that a policy can choose.

1. A license is never in use in two projects: while an activation lives, in any environment, the license is its
   project's.
2. `permanent_after_production`: the first production activation ties it for good; staging alone does not.
3. `permanent_from_first_activation`: the first activation ties it, whatever its environment.
4. `while_active`: nothing ties it for good, and an older tie on record is not looked at.
5. A license that is tied is refused to another project before its seat is looked at, and to a till that names no
   project.
   A person may move it to another project of the same customer (`rules.project_move`).
6. With `bind_site` a tied license is also its project's site's, in production. Variants of one site are one; a till
   that declares no site is not refused for it, since repeating the bound one would gain as much.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from tillkey_server.rules.policy import ActivationPolicy, ProjectBinding
from tillkey_server.rules.site import canonical_site

PRODUCTION = "production"


def bound_project(
    permanent: UUID | None,
    live_projects: Iterable[UUID | None],
    policy: ActivationPolicy,
) -> UUID | None:
    """Return the project that a license belongs to now, or None (sentences 1 to 4).

    `permanent` is the project on record, `live_projects` those of the active activations.
    """
    if permanent is not None and policy.project_binding is not ProjectBinding.WHILE_ACTIVE:
        return permanent
    return next((project for project in live_projects if project is not None), None)


def binds(permanent: UUID | None, environment: str, policy: ActivationPolicy) -> bool:
    """Tell whether a granted activation in this environment ties a license that is not tied yet for good."""
    if permanent is not None or policy.project_binding is ProjectBinding.WHILE_ACTIVE:
        return False
    return environment == PRODUCTION or policy.project_binding is ProjectBinding.PERMANENT_FROM_FIRST_ACTIVATION


def other_site(bound_site: str | None, site: str | None, environment: str, policy: ActivationPolicy) -> bool:
    """Tell whether a declared site is another one than the bound project's (sentence 6)."""
    if not policy.bind_site or environment != PRODUCTION or bound_site is None or site is None:
        return False
    return canonical_site(bound_site) != canonical_site(site)
