"""`keys list | rotate | prepare | sign | publish | new-root`.

No endpoint stands beside these: they touch private keys, which never travel, and the root key belongs to no server.
"""

# ruff: noqa: PLC0415 - commands import what they need, so that `--help` is quick

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tillkey_server.cli.output import note
from tillkey_server.cli.running import DataDir, Done, Json, Outcome, conclude, initialized

if TYPE_CHECKING:
    from tillkey_server.cli.output import Output
    from tillkey_server.settings import Settings
    from tillkey_server.usecases.keys import Wanted

app = typer.Typer(
    help="The keys that sign answers, and the keysets that name them. A server takes a change up when it starts anew.",
    no_args_is_help=True,
)

StartsIn = Annotated[
    int | None,
    typer.Option(
        metavar="DAYS",
        min=0,
        max=365,
        help="When the new key begins to sign. Default: in 7 days, and at once with --drop.",
        show_default=False,
    ),
]
Overlap = Annotated[
    int, typer.Option(metavar="DAYS", min=0, max=365, help="How long the keys before may sign on after that.")
]
Drop = Annotated[
    list[str] | None, typer.Option(metavar="KID", help="Leave this key out: it was stolen. May be repeated.")
]
NewRoot = Annotated[
    list[Path] | None,
    typer.Option(metavar="FILE", help="Name another root: its NAME.pub.json of `keys new-root`. May be repeated."),
]
DropRoot = Annotated[list[str] | None, typer.Option(metavar="KID", help="Leave this root out. May be repeated.")]
Threshold = Annotated[
    int | None, typer.Option(metavar="N", min=1, max=32, help="How many roots sign from now on.", show_default=False)
]
RootKeys = Annotated[
    list[Path] | None,
    typer.Option("--root-key", metavar="FILE", help="A root key. May be repeated.", show_default=False),
]
Yes = Annotated[bool, typer.Option("--yes", help="Do it without asking.")]
Draft = Annotated[Path, typer.Argument(metavar="DRAFT", help="What `keys prepare` wrote.", show_default=False)]

_COLUMNS = ("kid", "state", "signs_from", "signs_until", "private_half_here")


@app.command("list")
def list_(*, data_dir: DataDir, as_json: Json = False) -> None:
    """List every key that there was or is with its state, and the roots."""

    def work() -> Outcome:
        from tillkey_server.clock import SystemClock
        from tillkey_server.usecases.keys import list_keys

        told = list_keys(initialized(data_dir), SystemClock())
        return Done(told, lambda output: _show(output, told))

    conclude(work, as_json=as_json)


@app.command("rotate")
def rotate(
    *,
    data_dir: DataDir,
    root_key: RootKeys = None,
    starts_in: StartsIn = None,
    overlap: Overlap = 1,
    drop: Drop = None,
    new_root: NewRoot = None,
    drop_root: DropRoot = None,
    threshold: Threshold = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Make a new key and publish a keyset with it: `prepare`, `sign` and `publish`, with the root key at hand."""

    def work() -> Outcome:
        from tillkey_server.clock import SystemClock
        from tillkey_server.usecases import keys

        settings, clock = initialized(data_dir), SystemClock()
        wanted = _wanted(starts_in, overlap, drop, new_root, drop_root, threshold)
        made = keys.plan(settings, wanted, clock)
        text = keys.signed(settings, made, root_key or [settings.root_key_path])
        _describe(keys.said(text), drop)
        _confirm("Sign and publish this keyset?", yes=yes)
        return _published(settings, keys.rotate(settings, made, text, clock))

    conclude(work, as_json=as_json)


@app.command("prepare")
def prepare(
    *,
    data_dir: DataDir,
    draft: Annotated[Path, typer.Argument(metavar="DRAFT", help="The file to write.", show_default=False)],
    starts_in: StartsIn = None,
    overlap: Overlap = 1,
    drop: Drop = None,
    new_root: NewRoot = None,
    drop_root: DropRoot = None,
    threshold: Threshold = None,
    as_json: Json = False,
) -> None:
    """Make a new key and the draft of a keyset with it, to be signed where the root keys are. Publishes nothing."""

    def work() -> Outcome:
        from tillkey_server.clock import SystemClock
        from tillkey_server.usecases import keys

        settings = initialized(data_dir)
        made = keys.plan(settings, _wanted(starts_in, overlap, drop, new_root, drop_root, threshold), SystemClock())
        keys.prepare(settings, made, draft)
        told = keys.described(made.keyset)
        _describe(told, drop)
        line = f"Carry {draft} to each root key: `tillkey-server keys sign --root-key FILE {draft} SIGNED`."
        return Done({**told, "draft": str(draft)}, lambda output: output.say(line))

    conclude(work, as_json=as_json)


@app.command("sign")
def sign(
    *,
    root_key: RootKeys = None,
    draft: Draft,
    signed: Annotated[Path, typer.Argument(metavar="SIGNED", help="The file to write.", show_default=False)],
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Add a root key's signature to a draft: on the machine where the root key is, which needs nothing else."""

    def work() -> Outcome:
        from tillkey_server.usecases import keys

        _describe(keys.look(draft))
        _confirm("Sign this keyset?", yes=yes)
        told = keys.sign(draft, root_key or [Path("root-key.json")], signed)
        members = {**told, "signed": str(signed)}
        return Done(members, lambda output: output.say(_signed(signed, told)))

    conclude(work, as_json=as_json)


@app.command("publish")
def publish(*, data_dir: DataDir, draft: Draft, yes: Yes = False, as_json: Json = False) -> None:
    """Put a signed keyset in the place of the one before, if every till that holds that would follow it."""

    def work() -> Outcome:
        from tillkey_server.clock import SystemClock
        from tillkey_server.usecases import keys

        settings = initialized(data_dir)
        _describe(keys.look(draft))
        _confirm("Publish this keyset?", yes=yes)
        return _published(settings, keys.publish(settings, draft, SystemClock()))

    conclude(work, as_json=as_json)


@app.command("new-root")
def new_root(
    *,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write.", show_default=False)],
    as_json: Json = False,
) -> None:
    """Make another root key, for `--new-root`: where it is to be kept, never on the server."""

    def work() -> Outcome:
        from tillkey_server.usecases import keys

        told = keys.new_root(file)
        line = (
            f"Keep {told['root_key']} here, and carry {told['public']} to `keys rotate` or `keys prepare --new-root`."
        )
        return Done(told, lambda output: output.say(line))

    conclude(work, as_json=as_json)


def _wanted(
    starts_in: int | None,
    overlap: int,
    drop: list[str] | None,
    new_roots: list[Path] | None,
    drop_roots: list[str] | None,
    threshold: int | None,
) -> Wanted:
    from tillkey_server.usecases.keys import Wanted

    return Wanted(
        starts_in=None if starts_in is None else timedelta(days=starts_in),
        overlap=timedelta(days=overlap),
        drop=drop or (),
        new_roots=new_roots or (),
        drop_roots=drop_roots or (),
        threshold=threshold,
    )


def _describe(told: dict[str, Any], left_out: list[str] | None = None) -> None:
    """Tell on stderr, in every mode, what is about to be signed or published."""
    note(f"Keyset version {told['version']} of {told['issuer']}:")
    for key in told["keys"]:
        until = "" if key["signs_until"] is None else f" until {key['signs_until']}"
        note(f"  key   {key['kid']} signs from {key['signs_from']}{until}")
    for kid in left_out or ():
        note(f"  left  {kid}: leases that it signed lose their extras until the till's next answer")
    for kid in told["roots"]:
        note(f"  root  {kid}")
    note(f"  of the roots, {told['threshold']} must sign the next one; signed by: {_listed(told.get('signed_by'))}")


def _listed(kids: list[str] | None) -> str:
    return ", ".join(kids or ()) or "nobody yet"


def _confirm(question: str, *, yes: bool) -> None:
    """Ask a person; raise BadInput where there is none and nobody said --yes."""
    from tillkey_server.errors import BadInput

    if yes:
        return
    if not somebody_is_there():
        raise BadInput("yes", "nobody is there to be asked: read what is told above, and say --yes")
    if not typer.confirm(question, err=True):
        raise BadInput("yes", "nothing was changed")


def somebody_is_there() -> bool:
    """Tell whether a question would reach a person."""
    return sys.stdin.isatty()


def _signed(signed: Path, told: dict[str, Any]) -> str:
    return (
        f"{signed} is signed by {_listed(told['signed_by'])}. If that is enough, carry it back to the server:"
        f" `tillkey-server keys publish --data-dir D {signed}`; else to the next root key."
    )


def _published(settings: Settings, told: dict[str, Any]) -> Done:
    elsewhere = (
        f"On other machines first copy the new file of {settings.online_keys_dir}, then {settings.keysets_dir} and"
        f" {settings.keyset_path}, and do the same there, before a key that is new begins to sign."
    )
    next_steps = [
        "Every server process takes it up when it starts anew: send SIGHUP to `serve --workers N`, restart any other.",
        elsewhere,
        "Put the root key away again, and make a backup: `tillkey-server backup`.",
        f"Ship {settings.keyset_path} with your next release; tills in the field find their way by themselves.",
    ]

    def show(output: Output) -> None:
        _show(output, told)
        output.say("Next:")
        for line in next_steps:
            output.say(f"  {line}")

    return Done({**told, "next": next_steps}, show)


def _show(output: Output, told: dict[str, Any]) -> None:
    output.table(_COLUMNS, [[key[column] for column in _COLUMNS] for key in told["keys"]])
    output.say(f"Keyset version {told['version']} of {told['issuer']}; {told['threshold']} of these roots must sign:")
    for kid in told["roots"]:
        output.say(f"  {kid}")
