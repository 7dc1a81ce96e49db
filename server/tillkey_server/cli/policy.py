"""`policy check | diff | list | show`."""

# ruff: noqa: PLC0415 - commands import what they need, so that `--help` is quick

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tillkey_server.cli.running import Done, Json, Outcome, Refused, conclude, initialized

if TYPE_CHECKING:
    from tillkey_server.policies.loader import LoadedPolicy

app = typer.Typer(
    help="The terms that products are sold under; files of your own stand in D/policies.", no_args_is_help=True
)


OwnFiles = Annotated[
    Path | None,
    typer.Option("--data-dir", metavar="D", help="Also look among the vendor's own policies.", show_default=False),
]


@app.command("check")
def check(
    *,
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A policy file.", show_default=False)],
    data_dir: Annotated[
        Path | None,
        typer.Option(
            "--data-dir", metavar="D", help="Also compare with the version recorded there.", show_default=False
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Read a policy file as the server would; tells file, key and reason of every fault."""

    def work() -> Outcome:
        from tillkey_server.api import problems
        from tillkey_server.policies.loader import PolicyError, load_policy

        try:
            loaded = load_policy(path)
        except PolicyError as error:
            return Refused(problems.document(problems.POLICY_INVALID, detail=str(error)))
        members = {"name": loaded.policy.name, "version": loaded.policy.version, "digest": loaded.digest}
        if data_dir is not None:
            members["recorded"] = _recorded(data_dir, loaded)
            if members["recorded"] == "other":
                detail = f"{path}: version: {loaded.policy.version} was recorded with another text; take the next one"
                return Refused(problems.document(problems.POLICY_INVALID, detail=detail))
        return Done(members, lambda output: output.fields(members))

    conclude(work, as_json=as_json)


def _recorded(data_dir: Path, loaded: LoadedPolicy) -> str:
    import asyncio

    from tillkey_server.usecases.policy_check import compare
    from tillkey_server.usecases.services import naming_the_database, refuse_unmigrated

    settings = initialized(data_dir)

    async def work() -> str:
        await refuse_unmigrated(settings)
        return (await compare(settings, loaded)).value

    with naming_the_database(settings):
        return asyncio.run(work())


@app.command("list")
def list_(*, data_dir: OwnFiles = None, as_json: Json = False) -> None:
    """List the policies that products can be sold under."""

    def work() -> Outcome:
        from tillkey_server.usecases.policy import offered

        items = offered(_files(data_dir))
        columns = ("name", "version", "title", "effective_from", "timezone")
        rows = [[item[column] for column in columns] for item in items]
        return Done({"items": items, "next": None}, lambda output: output.table(columns, rows))

    conclude(work, as_json=as_json)


@app.command("show")
def show(
    *,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The policy's name.", show_default=False)],
    data_dir: OwnFiles = None,
    as_json: Json = False,
) -> None:
    """Print the text of a policy: one that comes with the server, or one of the vendor's own."""

    def work() -> Outcome:
        from tillkey_server.usecases.policy import file_of

        loaded = file_of(_files(data_dir), name)
        members = {
            "name": loaded.policy.name,
            "version": loaded.policy.version,
            "digest": loaded.digest,
            "source": loaded.source,
        }
        return Done(members, lambda output: output.say(loaded.source.rstrip()))

    conclude(work, as_json=as_json)


@app.command("diff")
def diff(
    *,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A policy's name.", show_default=False)],
    other: Annotated[
        str, typer.Argument(metavar="NAME|FILE", help="Another policy: its name, or a file.", show_default=False)
    ],
    data_dir: OwnFiles = None,
    as_json: Json = False,
) -> None:
    """Tell key by key in what another policy differs."""

    def work() -> Outcome:
        from tillkey_server.policies.loader import load_policy
        from tillkey_server.usecases.policy import diff as compared

        files = _files(data_dir)
        source = load_policy(Path(other)).source if other.endswith(".toml") else None
        found = compared(files, name, other=None if source is not None else other, source=source)
        columns = ("key", "before", "after")
        changes: Any = found["changes"]
        rows = [[change[column] for column in columns] for change in changes]
        return Done(found, lambda output: output.table(columns, rows) if rows else output.say("Nothing differs."))

    conclude(work, as_json=as_json)


def _files(data_dir: Path | None) -> dict[str, LoadedPolicy]:
    """Return the policies that come with the server and, with a data folder, the vendor's own before them."""
    from tillkey_server.policies.loader import bundled_policies, load_folder

    own = {} if data_dir is None else load_folder(data_dir / "policies")
    return {**bundled_policies(), **own}
