"""`doctor`."""

# ruff: noqa: PLC0415 - commands import what they need, so that `--help` is quick

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import typer

from tillkey_server.cli.running import REFUSED, DataDir, Done, Json, Outcome, conclude, load_settings

if TYPE_CHECKING:
    from tillkey_server.cli.output import Output
    from tillkey_server.usecases.doctor import Check

_WORDS = {"ok": "All is well.", "warn": "It works; look at what is marked `warn`.", "fail": "Not all is well."}


def doctor(*, data_dir: DataDir, as_json: Json = False) -> None:
    """Look at everything that the server rests on, while it runs or not. Exit code 0 unless something fails."""
    failed = False

    def work() -> Outcome:
        nonlocal failed
        from tillkey_server.clock import SystemClock
        from tillkey_server.usecases.doctor import Verdict, examine

        checks = asyncio.run(examine(load_settings(data_dir), SystemClock()))
        worst = next(v for v in (Verdict.FAIL, Verdict.WARN, Verdict.OK) if v in {check.verdict for check in checks})
        failed = worst is Verdict.FAIL
        members = {"ok": not failed, "verdict": worst.value, "checks": [_member(check) for check in checks]}
        return Done(members, lambda output: _show(output, checks, worst))

    conclude(work, as_json=as_json)
    if failed:
        raise typer.Exit(REFUSED)


def _member(check: Check) -> dict[str, object]:
    return {
        "name": check.name,
        "verdict": check.verdict.value,
        "detail": check.detail,
        "mend": check.mend or None,
    }


def _show(output: Output, checks: tuple[Check, ...], worst: str) -> None:
    rows = [(check.name, check.verdict.value, check.detail, check.mend or None) for check in checks]
    output.table(("check", "verdict", "detail", "mend"), rows)
    output.say(_WORDS[worst])
