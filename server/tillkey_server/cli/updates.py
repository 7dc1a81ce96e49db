"""`license updates | update-offer | download`."""

# ruff: noqa: PLC0415 - commands import what they need, so that `--help` is quick

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from tillkey_server.cli.answered import answered
from tillkey_server.cli.license import LicenseId
from tillkey_server.cli.output import note
from tillkey_server.cli.running import DataDir, Done, Json, Outcome, actor, moment_of, perform, refused_by

if TYPE_CHECKING:
    from tillkey_server.cli.output import Output
    from tillkey_server.rules.decision import Decision
    from tillkey_server.usecases.services import Services

Platform = Annotated[
    str | None, typer.Option("--platform", metavar="VERSION", help="Of what it runs on.", show_default=False)
]
Site = Annotated[str | None, typer.Option("--site", metavar="SITE", help="The site that asks.", show_default=False)]
Prereleases = Annotated[bool, typer.Option("--prereleases", help="Unfinished versions too.")]
AVersion = Annotated[str, typer.Option("--version", metavar="VERSION", help="The release.", show_default=False)]


def updates(
    *,
    data_dir: DataDir,
    license_id: LicenseId,
    version: Annotated[
        str | None, typer.Option("--version", metavar="VERSION", help="Only this release.", show_default=False)
    ] = None,
    platform: Platform = None,
    installed: Annotated[
        str | None, typer.Option("--installed", metavar="VERSION", help="What is there now.", show_default=False)
    ] = None,
    site: Site = None,
    prereleases: Prereleases = False,
    as_json: Json = False,
) -> None:
    """Tell which release is the best that a license may have now, or whether it may have a certain one."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.update import Asked, preview_updates

        asked = Asked(platform, installed, site, prereleases)
        return _answered(await preview_updates(services, license_id, asked, version=version))

    perform(data_dir, work, as_json=as_json)


def update_offer(
    *,
    data_dir: DataDir,
    license_id: LicenseId,
    version: AVersion,
    requested_at: Annotated[str, typer.Option(metavar="TIME", help="When support was asked for.", show_default=False)],
    paid: Annotated[bool | None, typer.Option("--paid/--free", help="Whether it costs.", show_default=False)] = None,
    as_json: Json = False,
) -> None:
    """Tell whether an update may be offered in answer to a request for support; an offer is no correction."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.update import preview_offer

        at = moment_of(requested_at, "requested_at")
        decision = await preview_offer(services, license_id, version=version, requested_at=at, is_paid=paid)
        return _answered(decision)

    perform(data_dir, work, as_json=as_json)


def download(
    *,
    data_dir: DataDir,
    license_id: LicenseId,
    version: AVersion,
    platform: Platform = None,
    site: Site = None,
    prereleases: Prereleases = False,
    activation: Annotated[
        UUID | None, typer.Option("--activation", metavar="ID", help="The installation.", show_default=False)
    ] = None,
    as_json: Json = False,
) -> None:
    """Begin a download of one release for a license."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.answers import RefusalAnswer
        from tillkey_server.usecases.update import Asked, grant_download, granted_shown

        asked = Asked(platform, None, site, prereleases)
        done = await grant_download(
            services, license_id, asked, version=version, actor=actor(), activation_id=activation
        )
        if isinstance(done, RefusalAnswer):
            return refused_by(done)
        members = granted_shown(done)

        def show(output: Output) -> None:
            output.fields({name: members[name] for name in ("version", "grant", "expires_at")})
            note("Note the grant now: only its hash is stored.")

        return Done(members, show)

    perform(data_dir, work, as_json=as_json)


def _answered(decision: Decision) -> Done:
    from tillkey_server.usecases.answers import answered_of

    return answered(answered_of(decision), ("version", "platform", "last_entitled_version"))
