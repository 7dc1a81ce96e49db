"""What the reader sees. Color and a short pause between steps on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import re
import shutil
import sys
import time

MOST_COLUMNS = 92
"""Lines are this long where no terminal says otherwise, and never longer: people read no longer ones with ease."""
LEAST_COLUMNS = 40
READING_PAUSE = 0.4
"""Seconds between two steps on a terminal; none when nobody watches."""

BOLD, GREEN, RED, YELLOW = "1", "32", "31", "33"
_SGR = re.compile(r"\x1b\[[0-9;]*m")
_LABEL = re.compile(r"[a-z][a-z ]*: +")


def columns() -> int:
    """Return how long a line may be: as wide as the terminal (or COLUMNS), from 40 to 92."""
    return max(LEAST_COLUMNS, min(MOST_COLUMNS, shutil.get_terminal_size((MOST_COLUMNS, 24)).columns))


def seen(text: str) -> int:
    """Return how many columns a text takes: colors take none."""
    return len(_SGR.sub("", text))


def wrap(text: str, width: int, hang: str = "") -> list[str]:
    """Break one line into lines of at most `width` columns; all but the first begin with `hang`.

    A line that fits stays as it is, spaces included. Another is broken between the fields of a status line where it has
    some (` | `), else between words; a word that is too long by itself is left whole, so that it can be copied.
    """
    lines = [""]
    if seen(text) <= width:
        return [text]
    bar = " | "
    pieces = [f"{bar}{field}" for field in text.split(bar)] if bar in text else re.findall(r"\s*\S+", text)
    pieces[0] = pieces[0].removeprefix(bar)
    for piece in pieces:
        if lines == [""] or seen(lines[-1] + piece) <= width:
            lines[-1] += piece
        else:
            lines.append(hang + piece.removeprefix(bar).lstrip())
    return lines


class StepFailed(Exception):
    """A step found something other than what the story promises."""

    def __init__(self, what: str, expected: object, came: object) -> None:
        """Keep what was looked at, what should have been and what was."""
        super().__init__(f"{what}: expected {expected!r}, came {came!r}")
        self.what = what
        self.expected = expected
        self.came = came


class Terminal:
    """Prints the story; every line is written at once, so that a reader of a pipe sees what happens when it happens."""

    def __init__(self) -> None:
        sys.stdout.reconfigure(line_buffering=True, errors="replace")  # type: ignore[union-attr]
        self._alive = sys.stdout.isatty()
        self._color = self._alive and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"

    def say(self, text: str = "") -> None:
        """Print a line of the frame around the story, wrapped."""
        self._lines(text, hang=" " * 2 * (len(text) - len(text.lstrip())))

    def copyable(self, text: str) -> None:
        """Print a command that the reader may copy: on one line, however long."""
        print(f"  {text}")

    def step(self, number: int, of: int, title: str) -> None:
        """Begin a step."""
        if self._alive:
            time.sleep(READING_PAUSE)
        print()
        print(self._paint(f"[{number}/{of}] {title}", BOLD))

    def tell(self, text: str) -> None:
        """Print a sentence of the story, wrapped."""
        self._lines(text, margin="    ")

    def show(self, text: str) -> None:
        """Print what a screen or a printer shows, line by line; a long line is wrapped under its beginning."""
        for line in text.splitlines():
            label = _LABEL.match(line)
            indent = len(line) - len(line.lstrip())
            self._lines(line, margin="      | ", hang=" " * (label.end() if label else indent + 4))

    def check(self, what: str, came: object, expected: object) -> None:
        """Print that something is as promised. Raises `StepFailed` when it is not."""
        if came != expected:
            raise StepFailed(what, expected, came)
        self._lines(f"{self._paint('ok', GREEN)}  {what}", margin="    ", hang="    ")

    def failed(self, failure: StepFailed) -> None:
        """Print what was expected and what came."""
        print(f"    {self._paint('FAILED', RED)}  {failure.what}")
        print(f"            expected: {failure.expected}")
        print(f"            came:     {failure.came}")

    def warn(self, text: str) -> None:
        """Print something that the reader should know."""
        self._lines(text, sgr=YELLOW)

    def done(self, text: str) -> None:
        """Print the good end."""
        print(self._paint(text, f"{BOLD};{GREEN}"))

    def _lines(self, text: str, *, margin: str = "", hang: str = "", sgr: str = "") -> None:
        width = columns() - len(margin)
        for line in text.splitlines() or [""]:
            for part in wrap(line, width, hang):
                shown = f"{margin}{part}".rstrip()
                print(self._paint(shown, sgr) if sgr else shown)

    def _paint(self, text: str, sgr: str) -> str:
        return f"\x1b[{sgr}m{text}\x1b[0m" if self._color else text
