"""A project's name, as it is matched within one customer.

1. Two names are one project when they are equal after NFKC, case folding and single spaces (DESIGN section 4).
2. A renamed project keeps its id (NX-02). Whoever still says a former name means the same project, unless another one
   has that name now; of several that had it, the last one is meant.
3. A shop that moves to another domain is the same shop once somebody of the vendor's approves it, with a reason
   (BC-09): the project has the new site from then on, for activations, updates and support. What runs is not touched.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from tillkey_server.rules.decision import Decision, Grant, allow
from tillkey_server.rules.policy import Policy

UNNAMED = "default"
"""The project of whoever names none, where the policy allows that."""


def normal_name(text: str) -> str:
    """Return the form in which names are compared; empty for a name of spaces alone."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    # Case folding can undo the composition of NFKC, so it is composed once more.
    return " ".join(unicodedata.normalize("NFKC", folded).split())


def decide_site(project_id: UUID, reason: str, bound: Sequence[Policy], offered: Policy, now: datetime) -> Decision:
    """Return that a project has another site (sentence 3), by the terms of its licenses; facts `project`, `reason`.

    `bound` are the terms of what is bound to it; where nothing is, they are those that are `offered`.
    """
    terms = bound or (offered,)
    cited = [clause for one in terms for clause in one.activation.clauses.binding]
    cited += [clause for one in terms if one.support is not None for clause in one.support.clauses.project]
    shown = {"project": str(project_id), "reason": reason}
    code = Grant.PROJECT_SITE_CHANGED
    return allow(code, clauses=tuple(cited), policy=terms[0].ref, now=now, facts=shown)
