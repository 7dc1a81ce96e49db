"""Running a command: settings, services, and what each outcome is to the shell.

Exit codes: 0 done, 1 refused, 2 usage (a wrong value, a folder that was never initialized), 3 unreachable (the
database), 70 a defect of ours. With `--json` a refusal, a wrong value and an unreachable database are told as problem
documents on stdout.
"""

# ruff: noqa: PLC0415 - commands import what they need, so that `--help` is quick

from __future__ import annotations

import asyncio
import getpass
import logging
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, TypeVar

import typer

from tillkey_server.cli.output import Output, complain, moment, note, shown

if TYPE_CHECKING:
    from datetime import datetime

    from tillkey_server.errors import TillkeyError
    from tillkey_server.rules.decision import Decision
    from tillkey_server.settings import Settings
    from tillkey_server.usecases.answers import RefusalAnswer
    from tillkey_server.usecases.services import Services

Word = TypeVar("Word", bound=StrEnum)
REFUSED = 1
USAGE = 2
UNREACHABLE = 3
DEFECT = 70

DataDir = Annotated[
    Path,
    typer.Option(
        "--data-dir",
        metavar="D",
        help="The server's data folder: `init` and `restore` make it.",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]


class Spoken(StrEnum):
    """The languages that people are told in."""

    EN = "en"
    FR = "fr"
    IT = "it"


Language = Annotated[Spoken, typer.Option("--language", help="The language of the sentences.")]
Reason = Annotated[
    str, typer.Option("--reason", metavar="TEXT", help="Why; kept in the audit log.", show_default=False)
]


@dataclass(frozen=True, slots=True)
class Done:
    """A command that worked: its JSON document, and how a person is shown it."""

    members: Mapping[str, object]
    show: Callable[[Output], None]


@dataclass(frozen=True, slots=True)
class Refused:
    """A command that was refused: the problem document."""

    problem: Mapping[str, object]


Outcome = Done | Refused


def actor() -> str:
    """Return who gives commands here, for the audit log: `cli:<user>`."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError, ImportError):
        return "cli:unknown"


def time_of(text: str | None, field: str) -> datetime | None:
    """Read a time of day with its zone, where it is given; a bare one would be a guess. Raises BadInput."""
    return None if text is None else moment_of(text, field)


def moment_of(text: str, field: str) -> datetime:
    """Read a time that has to be given, with its zone. Raises BadInput."""
    from tillkey_server.clock import from_text
    from tillkey_server.errors import BadInput

    try:
        return from_text(text)
    except ValueError as error:
        raise BadInput(field, str(error)) from error


def word_of(of: type[Word], field: str, text: str) -> Word:
    """Read one of an enum's words. Raises BadInput, naming the field."""
    from tillkey_server.errors import BadInput

    if text not in set(of):
        raise BadInput(field, f"must be one of {', '.join(of)}")
    return of(text)


def load_settings(data_dir: Path) -> Settings:
    """Return the settings of a data folder. Raises ConfigError."""
    from tillkey_server.settings import Settings

    return Settings.load(data_dir, os.environ)


def initialized(data_dir: Path) -> Settings:
    """Return the settings of a folder that `init` has made; raise ConfigError, which names `init`, for any other."""
    from tillkey_server.errors import ConfigError

    settings = load_settings(data_dir)
    if not settings.keyset_path.is_file():
        raise ConfigError(f"{data_dir} is no Tillkey data folder yet: run `tillkey-server init --data-dir {data_dir}`")
    return settings


def perform(data_dir: Path, work: Callable[[Services], Awaitable[Outcome]], *, as_json: bool) -> None:
    """Run a command on an initialized data folder with open services, print its outcome and exit accordingly."""

    async def opened() -> Outcome:
        from tillkey_server.usecases.services import naming_the_database, open_services

        settings = initialized(data_dir)
        with naming_the_database(settings):
            services = await open_services(settings)
            try:
                return await work(services)
            finally:
                await services.close()

    conclude(lambda: asyncio.run(opened()), as_json=as_json)


def conclude(work: Callable[[], Outcome], *, as_json: bool, log_level: int = logging.ERROR) -> None:
    """Run a command, print its outcome on the right stream, and exit unless it worked."""
    from tillkey_server.errors import TillkeyError

    _log_to_stderr(log_level)
    output = Output(as_json)
    try:
        outcome = work()
    except TillkeyError as error:
        fail(error, output)
    match outcome:
        case Refused():
            refuse(outcome, output)
        case Done():
            output.document(outcome.members)
            outcome.show(output)


def _log_to_stderr(level: int) -> None:
    """Tell a person what the log says, as `basicConfig` would, without secrets."""
    from tillkey_server.api.logs import PlainFormatter

    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(PlainFormatter())
    logging.basicConfig(level=level, handlers=[handler])


def refuse(outcome: Refused, output: Output) -> NoReturn:
    """Print a refusal and exit with 1."""
    output.document(outcome.problem)
    if not output.as_json:
        _refuse_in_words(outcome.problem)
    raise typer.Exit(REFUSED)


def _refuse_in_words(problem: Mapping[str, object]) -> None:
    """Tell a person what was refused and what to do: all of it on stderr, and nothing that is empty."""
    from tillkey_server.api.problems import BY_TERMS, KINDS, next_step

    code = str(problem["code"])
    title = KINDS.get(code, BY_TERMS).title
    advice = next_step(code, _retry_at(problem)) if code in KINDS else BY_TERMS.next_step
    complain(f"Refused: {problem['code']}. {title}.")
    if str(problem["detail"]) not in {f"{title}. {advice}", advice}:
        complain(str(problem["detail"]))
    note(advice)
    rows = {name: value for name, value in _for_people(problem).items() if value not in (None, "", [], {})}
    width = max((len(name) for name in rows), default=0)
    for name, value in rows.items():
        note(f"{name.replace('_', ' ').ljust(width)}  {shown(value)}")


def fail(error: TillkeyError, output: Output) -> NoReturn:
    """Tell an error and exit with its code; what is no error of the caller's is a defect and keeps its traceback."""
    from tillkey_server import errors
    from tillkey_server.api import problems

    match error:
        case errors.NotFound():
            refuse(Refused(problems.of_error(error)), output)
        case errors.BadInput():
            code = USAGE
            output.document(problems.of_error(error))
        case errors.ConfigError():
            code = USAGE
        case errors.Unavailable():
            code = UNREACHABLE
            output.document(problems.of_error(error))
        case _:
            raise error
    complain(f"Error: {error}")
    if code == UNREACHABLE:
        note("Try again; `tillkey-server doctor` with the same --data-dir looks at what is wrong and names what helps.")
    raise typer.Exit(code)


def refused_by(answer: RefusalAnswer | Decision) -> Refused:
    """Return a use case's no with all its facts: an agent may see them."""
    from tillkey_server.api import problems
    from tillkey_server.rules.decision import Decision
    from tillkey_server.usecases.answers import ruled_of

    code, detail = (answer.code, "") if isinstance(answer, Decision) else (answer.decision_code, answer.detail)
    decision = answer if isinstance(answer, Decision) else answer.decision
    return Refused(
        problems.document(
            code,
            detail=detail,
            clauses=answer.clauses,
            retry_at=answer.retry_at,
            options=answer.options,
            facts=answer.facts,
            ruled=None if decision is None else ruled_of(decision),
        )
    )


def carried_out(decision: Decision) -> Outcome:
    """Return a decision's outcome for the shell: what was done, what waits for somebody, or the no."""
    from tillkey_server.rules.decision import Outcome as Answer
    from tillkey_server.usecases.answers import told_of
    from tillkey_server.words.catalogue import sentence

    if decision.outcome is Answer.DENY:
        return refused_by(decision)
    members = told_of(decision)

    def show(output: Output) -> None:
        output.say(sentence(decision.code.value, decision.facts))
        output.fields(members)

    return Done(members, show)


def decided_by(decision: Decision) -> dict[str, object]:
    """Return a decision as commands print it: what was decided, by which clauses of which terms."""
    from tillkey_server.usecases.answers import ruled_of

    return {**ruled_of(decision), "code": decision.code.value, "clauses": list(decision.clauses)}


def _for_people(problem: Mapping[str, object]) -> dict[str, object]:
    """Return the rest of a problem, the remaining count first; the time to wait for stands in the advice."""
    facts = problem.get("facts")
    rest: dict[str, object] = dict(facts) if isinstance(facts, dict) else {}
    first = {"remaining": rest.pop("remaining")} if "remaining" in rest else {}
    if not _waiting_is_told(problem):
        first["not before"] = moment(_retry_at(problem))
    return {**first, "clauses": problem["clauses"], "options": problem.get("options", []), **rest}


def _retry_at(problem: Mapping[str, object]) -> datetime | None:
    from tillkey_server.clock import from_epoch

    retry_at = problem.get("retry_at")
    return from_epoch(retry_at) if isinstance(retry_at, int) else None


def _waiting_is_told(problem: Mapping[str, object]) -> bool:
    """Tell whether the advice names the time already."""
    from tillkey_server.api.problems import KINDS, next_step

    code = str(problem["code"])
    return code in KINDS and next_step(code, _retry_at(problem)) != KINDS[code].next_step
