"""`license rekey`."""

# ruff: noqa: PLC0415 - commands import what they need, so that `--help` is quick

from __future__ import annotations

from typing import TYPE_CHECKING

from tillkey_server.cli.license import LicenseId
from tillkey_server.cli.output import note
from tillkey_server.cli.running import DataDir, Done, Json, Outcome, Reason, actor, perform, refused_by

if TYPE_CHECKING:
    from tillkey_server.cli.output import Output
    from tillkey_server.usecases.rekey import Rekeyed
    from tillkey_server.usecases.services import Services


def rekey(*, data_dir: DataDir, license_id: LicenseId, reason: Reason, as_json: Json = False) -> None:
    """Give a license another key, shown once. The old one is unknown at once; tills that run go on undisturbed."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases import rekey as rekeying
        from tillkey_server.usecases.answers import RefusalAnswer, told_of

        done = await rekeying.rekey(services, license_id, actor=actor(), reason=reason)
        if isinstance(done, RefusalAnswer):
            return refused_by(done)
        members = {
            "license_id": str(done.license_id),
            "license_key": done.license_key,
            "key_hint": done.key_hint,
            **told_of(done.decision),
        }
        return Done(members, lambda output: _show(output, done))

    perform(data_dir, work, as_json=as_json)


def _show(output: Output, done: Rekeyed) -> None:
    output.fields({"license": done.license_id, "key": done.license_key})
    note("Note the key now: only its hash is stored, and nobody can show it again. The old one is unknown.")
    if done.decision.facts["relearn"]:
        note("The till goes on. Enter the new key there once: else it cannot take its own seat back after a reinstall.")
