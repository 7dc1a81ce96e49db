"""What a command prints.

1. With `--json` stdout holds one JSON document and nothing else; whatever a person should know besides goes to stderr.
2. Without it, a terminal gets colors and tables, a pipe plain text with tabs. NO_COLOR is honored (no-color.org).
"""

# ruff: noqa: PLC0415 - commands import what they need, so that `--help` is quick

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Output:
    """Where a command's words go."""

    as_json: bool

    def document(self, members: Mapping[str, object]) -> None:
        """Print the command's one JSON document, where JSON was asked for."""
        if self.as_json:
            # A console of another encoding gets the same document in escapes.
            plain = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
            print(json.dumps(members, ensure_ascii=plain, indent=2 if sys.stdout.isatty() else None))  # noqa: T201

    def say(self, line: str) -> None:
        """Tell a person something that is part of the answer; with `--json` the document says it."""
        if not self.as_json:
            _print(line)

    def fields(self, pairs: Mapping[str, object]) -> None:
        """Show named values, one on each line; None is shown as a dash."""
        if self.as_json:
            return
        width = max((len(name) for name in pairs), default=0)
        for name, value in pairs.items():
            _print(f"{name.ljust(width)}  {shown(value)}")

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Show rows: a table on a terminal, tab-separated lines elsewhere, so that `cut` can read them."""
        if self.as_json:
            return
        texts = [[shown(value) for value in row] for row in rows]
        if not sys.stdout.isatty():
            for row in [list(columns), *texts]:
                _print("\t".join(row))
            return
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(header_style="bold")
        for number, column in enumerate(columns):
            # Ids come first and are copied: never cut nor broken. Whatever else is long is folded.
            table.add_column(column, no_wrap=number == 0, overflow="fold")
        for row in texts:
            table.add_row(*[Text(text) for text in row])
        Console().print(table)


def note(line: str) -> None:
    """Tell a person something that is not the answer: on stderr, in every mode."""
    print(line, file=sys.stderr)  # noqa: T201 - stderr is where it belongs


def complain(line: str) -> None:
    """Tell what went wrong, in red where stderr is a terminal."""
    if not sys.stderr.isatty():
        note(line)
        return
    from rich.console import Console
    from rich.text import Text

    Console(stderr=True).print(Text(line, style="red"))


def moment(at: datetime | None) -> str | None:
    """Return a time as commands show it: `2026-01-31T15:00:00Z`, None for none."""
    return None if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def shown(value: object) -> str:
    """Return a value as a person reads it."""
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case dict():
            return ", ".join(f"{name}={shown(member)}" for name, member in value.items()) or "-"
        case list() | tuple():
            return ", ".join(shown(member) for member in value) or "-"
        case _:
            return str(value)


def _print(line: str) -> None:
    # What the console cannot show, and what would steer it, must neither end the command nor rule the screen.
    encoding = sys.stdout.encoding or "utf-8"
    tame = "".join(symbol if symbol.isprintable() or symbol in "\t\n" else "\ufffd" for symbol in line)
    print(tame.encode(encoding, "replace").decode(encoding))  # noqa: T201 - printing is what a command does
