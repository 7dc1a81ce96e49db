"""What the reader sees. Color and a short pause between steps on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import sys
import textwrap
import time

WIDTH = 96
READING_PAUSE = 0.4
"""Seconds between two steps on a terminal; none when nobody watches."""

BOLD, GREEN, RED, YELLOW = "1", "32", "31", "33"


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
        """Print a line of the frame around the story."""
        print(text)

    def step(self, number: int, of: int, title: str) -> None:
        """Begin a step."""
        if self._alive:
            time.sleep(READING_PAUSE)
        print()
        print(self._paint(f"[{number}/{of}] {title}", BOLD))

    def tell(self, text: str) -> None:
        """Print a sentence of the story, wrapped."""
        print(textwrap.fill(text, WIDTH, initial_indent="    ", subsequent_indent="    "))

    def show(self, text: str) -> None:
        """Print what a screen or a printer shows, line by line; a long sentence is wrapped under its beginning."""
        for line in text.splitlines():
            for part in textwrap.wrap(line, WIDTH, subsequent_indent=" " * 12, drop_whitespace=False) or [""]:
                print(f"      | {part.rstrip()}")

    def check(self, what: str, came: object, expected: object) -> None:
        """Print that something is as promised. Raises `StepFailed` when it is not."""
        if came != expected:
            raise StepFailed(what, expected, came)
        print(f"    {self._paint('ok', GREEN)}  {what}")

    def failed(self, failure: StepFailed) -> None:
        """Print what was expected and what came."""
        print(f"    {self._paint('FAILED', RED)}  {failure.what}")
        print(f"            expected: {failure.expected}")
        print(f"            came:     {failure.came}")

    def warn(self, text: str) -> None:
        """Print something that the reader should know."""
        print(self._paint(text, YELLOW))

    def done(self, text: str) -> None:
        """Print the good end."""
        print(self._paint(text, f"{BOLD};{GREEN}"))

    def _paint(self, text: str, sgr: str) -> str:
        return f"\x1b[{sgr}m{text}\x1b[0m" if self._color else text
