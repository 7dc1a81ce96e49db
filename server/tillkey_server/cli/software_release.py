"""`release publish | withdraw | list | redeem`."""

# ruff: noqa: PLC0415 - commands import what they need, so that `--help` is quick

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from tillkey_server.cli.lists import After, Limit, Product, SortBy, shown_page
from tillkey_server.cli.running import (
    DataDir,
    Done,
    Json,
    Outcome,
    Reason,
    actor,
    moment_of,
    perform,
    refused_by,
    time_of,
    word_of,
)

if TYPE_CHECKING:
    from datetime import datetime

    from tillkey_server.usecases.services import Services
    from tillkey_server.usecases.software_release import Publication

app = typer.Typer(help="Software releases of what is on sale.", no_args_is_help=True)

_COLUMNS = ("id", "product", "version", "kind", "published_at", "withdrawn_at")

Code = Annotated[str, typer.Argument(metavar="CODE", help="The product's code.", show_default=False)]
AVersion = Annotated[str, typer.Option("--version", metavar="VERSION", help="As 1.7.8.11.", show_default=False)]
Sha256 = Annotated[str, typer.Option("--sha256", metavar="HEX", help="The file's SHA-256.", show_default=False)]
Size = Annotated[int, typer.Option("--size", metavar="BYTES", min=0, help="The file's size.", show_default=False)]
Url = Annotated[str, typer.Option("--url", metavar="URL", help="Where the file stands.", show_default=False)]
Kind = Annotated[
    str, typer.Option("--kind", metavar="KIND", help="feature, security, compatibility, corrective or hotfix.")
]
Defect = Annotated[
    str | None, typer.Option("--severity", metavar="WORD", help="Of a hotfix: severe, data_integrity, minor.")
]
Lowest = Annotated[str | None, typer.Option("--platform-min", metavar="VERSION", help="The first platform.")]
Highest = Annotated[str | None, typer.Option("--platform-max", metavar="VERSION", help="The last platform.")]
Free = Annotated[bool, typer.Option("--always-free", help="For all, as a security fix.")]
Unfinished = Annotated[bool, typer.Option("--prerelease", help="Unfinished.")]
Notes = Annotated[str | None, typer.Option("--notes", metavar="TEXT", help="What is new.")]
PublishedAt = Annotated[str | None, typer.Option("--published-at", metavar="TIME", help="When it came out; now.")]
Fixes = Annotated[
    list[str] | None, typer.Option("--fixes", metavar="LICENSE=TIME", help="Who reported what it mends, and when.")
]


@app.command("publish")
def publish(
    *,
    data_dir: DataDir,
    product: Code,
    version: AVersion,
    sha256: Sha256,
    size: Size,
    url: Url,
    kind: Kind = "feature",
    severity: Defect = None,
    platform_min: Lowest = None,
    platform_max: Highest = None,
    always_free: Free = False,
    prerelease: Unfinished = False,
    notes: Notes = None,
    published_at: PublishedAt = None,
    fixes: Fixes = None,
    as_json: Json = False,
) -> None:
    """Publish a release; the same again changes nothing, and another of that version is refused."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.software_release import Publication

        ends: dict[str, Any] = {"platform_min": platform_min, "platform_max": platform_max}
        flags: dict[str, Any] = {"always_free": always_free, "prerelease": prerelease}
        told: dict[str, Any] = {"version": version, "sha256": sha256, "size": size, "url": url, "notes": notes}
        told |= {"published_at": time_of(published_at, "published_at"), **_kinds(kind, severity)}
        reported = [_fix(one) for one in fixes or ()]
        return await _publish(services, product, Publication(**told, **ends, **flags, fixes=reported))

    perform(data_dir, work, as_json=as_json)


async def _publish(services: Services, product: str, what: Publication) -> Outcome:
    from tillkey_server.usecases import software_release
    from tillkey_server.usecases.answers import RefusalAnswer, told_of

    done = await software_release.publish(services, product, what, actor=actor())
    if isinstance(done, RefusalAnswer):
        return refused_by(done)
    members = {"release": done.shown, "owners": len(done.owners), **told_of(done.decision)}
    said = f"{product} {what.version} is published; it concerns {len(done.owners)} customers as a fix."
    return Done(members, lambda output: output.say(said))


def _kinds(kind: str, severity: str | None) -> dict[str, Any]:
    """Read the words. Raises BadInput, naming the field."""
    from tillkey_server.rules.defect import Severity
    from tillkey_server.rules.update_policy import ReleaseKind

    bad = None if severity is None else word_of(Severity, "severity", severity)
    return {"kind": word_of(ReleaseKind, "kind", kind), "severity": bad}


@app.command("withdraw")
def withdraw(
    *,
    data_dir: DataDir,
    release_id: Annotated[UUID, typer.Argument(metavar="RELEASE", help="The release's id.", show_default=False)],
    reason: Reason,
    as_json: Json = False,
) -> None:
    """Withdraw a release for good; downloads that were granted end with it."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.answers import told_of
        from tillkey_server.usecases.software_release import withdraw as withdrawing

        shown, decision = await withdrawing(services, release_id, actor=actor(), reason=reason)
        said = f"{shown['product']} {shown['version']} is withdrawn."
        return Done({"release": shown, **told_of(decision)}, lambda output: output.say(said))

    perform(data_dir, work, as_json=as_json)


@app.command("list")
def list_(
    *,
    data_dir: DataDir,
    product: Product = None,
    after: After = None,
    limit: Limit = 50,
    sort: SortBy = None,
    as_json: Json = False,
) -> None:
    """List releases, withdrawn ones included; by age unless sorted otherwise (published_at)."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.software_release import list_releases

        page = await list_releases(services, product=product, after=after, limit=limit, sort=sort)
        return shown_page(page, _COLUMNS, "releases")

    perform(data_dir, work, as_json=as_json)


@app.command("redeem")
def redeem(
    *,
    data_dir: DataDir,
    grant: Annotated[str, typer.Argument(metavar="GRANT", help="The grant that was shown.", show_default=False)],
    as_json: Json = False,
) -> None:
    """Show a download's grant to learn which file to hand out."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.answers import RefusalAnswer
        from tillkey_server.usecases.update import redeem_download, redeemed_shown

        done = await redeem_download(services, grant, actor=actor())
        if isinstance(done, RefusalAnswer):
            return refused_by(done)
        members = redeemed_shown(done)
        told = {name: members[name] for name in ("version", "url")}
        return Done(members, lambda output: output.fields(told))

    perform(data_dir, work, as_json=as_json)


def _fix(text: str) -> tuple[UUID, datetime]:
    """Read `LICENSE=TIME`. Raises BadInput."""
    from tillkey_server.errors import BadInput

    license_id, _, at = text.partition("=")
    try:
        named = UUID(license_id)
    except ValueError as error:
        raise BadInput("fixes", "write a license's id, = and a time") from error
    return named, moment_of(at, "fixes")
