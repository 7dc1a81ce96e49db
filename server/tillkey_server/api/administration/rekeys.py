"""Giving a license another key."""

from __future__ import annotations

from tillkey_server.api.administration.endpoint import Call, Endpoints, Returned
from tillkey_server.api.administration.shapes import Decided, Id, Input, Reason
from tillkey_server.rules.access import Permission
from tillkey_server.rules.decision import Refusal
from tillkey_server.usecases import rekey
from tillkey_server.usecases.answers import RefusalAnswer, told_of

endpoints = Endpoints("licenses")


class RekeyLicense(Input):
    """The customer lost the key."""

    reason: Reason


class LicenseRekeyed(Decided):
    """The license's new key, shown this once.

    The fact `relearn` names the activations at whose tills the new key should be entered once: until then a till that
    is set up afresh is not known for the same machine and cannot take its own seat back.
    """

    license_id: Id
    license_key: str
    key_hint: str


@endpoints.post(
    "/v1/licenses/{license_id}/rekey",
    Permission.LICENSE_REKEY,
    body=RekeyLicense,
    answer=LicenseRekeyed,
    command="license rekey",
    refusals=(
        "not_found",
        Refusal.REASON_REQUIRED,
        Refusal.LEGAL_HOLD,
        Refusal.LICENSE_TERMINATED,
        Refusal.LICENSE_REVOKED,
        Refusal.ORDER_UNDER_REVIEW,
    ),
)
async def rekey_license(call: Call) -> Returned:
    """Give a license another key. The old one is unknown at once; tills that run go on undisturbed."""
    asked = call.asked(RekeyLicense)
    done = await rekey.rekey(
        call.services, call.id("license_id", "license"), actor=call.actor, reason=asked.reason, scope=call.scope
    )
    if isinstance(done, RefusalAnswer):
        return done
    return {
        "license_id": str(done.license_id),
        "license_key": done.license_key,
        "key_hint": done.key_hint,
        **told_of(done.decision),
    }
