"""Facts as the tests of the rules put them together: a plain case, from which each test changes what it is about."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from tillkey_server.policies.loader import bundled_policies
from tillkey_server.rules.activation import ActivationFacts, HolderFacts
from tillkey_server.rules.decision import Decision
from tillkey_server.rules.move import TicketFacts
from tillkey_server.rules.policy import Policy, ProjectBinding
from tillkey_server.rules.standing import LicenseFacts, Status

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)

LICENSE = UUID(int=1)
CUSTOMER = UUID(int=2)
SHOP = UUID(int=3)
OTHER_SHOP = UUID(int=4)
HOLDER = UUID(int=5)
OWN = UUID(int=6)
NOBODY = UUID(int=99)

POLICIES: dict[str, Policy] = {name: loaded.policy for name, loaded in bundled_policies().items()}
NEXOPOS = POLICIES["nexopos"]

MACHINE = {"machine_id": "m1", "hostname": "h1", "hardware": "w1", "location": "l1"}
OTHER_MACHINE = {"machine_id": "m2", "hostname": "h2", "hardware": "w2", "location": "l2"}

OLD_KEY = "old-installation-key"
NEW_KEY = "new-installation-key"


def policy(
    base: Policy = NEXOPOS,
    *,
    exempt: bool | None = None,
    binding: ProjectBinding | None = None,
    require_project: bool | None = None,
    bind_site: bool | None = None,
    unseen: timedelta | None = None,
) -> Policy:
    """A policy with other terms for activations."""
    changed = {
        "staging_exempt": exempt,
        "project_binding": binding,
        "require_project": require_project,
        "bind_site": bind_site,
        "release_unseen_after": unseen,
    }
    told = {name: value for name, value in changed.items() if value is not None}
    return replace(base, activation=replace(base.activation, **told))


def a_license(**facts) -> LicenseFacts:
    return LicenseFacts(**({"id": LICENSE, "issued_at": NOW - 100 * DAY} | facts))


def facts_in(status: Status) -> LicenseFacts:
    """A license that stands so since yesterday."""
    field = {
        Status.LEGAL_HOLD: "legal_hold_at",
        Status.TERMINATED: "terminated_at",
        Status.REVOKED: "revoked_at",
        Status.REFUNDED: "refunded_at",
        Status.SUSPENDED: "suspended_at",
        Status.EXPIRED: "use_until",
    }.get(status)
    return a_license() if field is None else a_license(**{field: NOW - DAY})


def a_holder(**facts) -> HolderFacts:
    plain = {
        "id": HOLDER,
        "jkt": OLD_KEY,
        "project_id": SHOP,
        "environment": "production",
        "slot": "main",
        "fingerprint": OTHER_MACHINE,
        "started_at": NOW - 9 * DAY,
    }
    return HolderFacts(**(plain | facts))


def an_activation(**facts) -> ActivationFacts:
    plain = {
        "license": a_license(),
        "license_customer_id": CUSTOMER,
        "project_id": SHOP,
        "project_name": "Corner Shop",
        "environment": "production",
        "jkt": NEW_KEY,
        "fingerprint": MACHINE,
    }
    return ActivationFacts(**(plain | facts))


def a_ticket(**facts) -> TicketFacts:
    plain = {
        "license_id": LICENSE,
        "environment": "production",
        "created_at": NOW - HOUR,
        "expires_at": NOW + 23 * HOUR,
        "activation_id": HOLDER,
    }
    return TicketFacts(**(plain | facts))


def told(decision: Decision) -> tuple[str, str, tuple[str, ...], dict[str, object], tuple[str, ...]]:
    """Everything that an answer tells: yes or no, its code, what it cites, its facts and what can be done next."""
    return (
        decision.outcome.value,
        decision.code.value,
        decision.clauses,
        dict(decision.facts),
        decision.options,
    )
