"""`make bench`: each verb of a till and one list, on both databases, beside an empty FastAPI POST in the same run."""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from bench.load import Prepared, fire
from bench.tills import Crowd
from tests.support.databases import DIALECTS
from tests.support.postgres import Postgres
from tests.support.server import Installation

ROOT = Path(__file__).resolve().parents[1]
BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"
VERBS = ("activate", "heartbeat", "check", "list", "deactivate")
LIST = "/v1/activations?limit=50"
_NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
_START_SECONDS = 30.0

Figures = dict[tuple[str, str], list[float]]


def main() -> None:
    """Measure, print the table, and write it into the README where that is asked for."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--rounds", type=int, default=7)
    words.add_argument("--tills", type=int, default=300)
    words.add_argument("--json", action="store_true")
    words.add_argument("--write", action="store_true", help="put the table into README.md")
    asked = words.parse_args()
    figures = asyncio.run(_measured(asked.rounds, asked.tills))
    if asked.json:
        told = {f"{verb} {dialect}": found for (verb, dialect), found in figures.items()}
        print(json.dumps(told, indent=2))
        return
    table = _table(figures, asked.rounds, asked.tills)
    print(table)
    if asked.write:
        _write(ROOT / "README.md", table)


async def _measured(rounds: int, tills: int) -> Figures:
    """Return, for each verb and database, its share of the empty POST in each round."""
    figures: Figures = {(verb, dialect): [] for verb in VERBS for dialect in DIALECTS}
    with ExitStack() as opened, TemporaryDirectory() as folder:
        empty = opened.enter_context(_empty(Path(folder)))
        crowds = {dialect: _crowd(opened, dialect, Path(folder), tills) for dialect in DIALECTS}
        for number in range(rounds + 1):
            _progress(f"round {number} of {rounds}" if number else "warming up")
            for dialect, (crowd, api_key) in crowds.items():
                for verb in VERBS:
                    share = await _share(empty, crowd, verb, api_key)
                    if number:
                        figures[verb, dialect].append(share)
    return figures


async def _share(empty: str, crowd: Crowd, verb: str, api_key: str) -> float:
    """Measure a verb between two measures of the empty POST."""
    before = await _nothing(empty, len(crowd.license_keys))
    reached = await (crowd.list(api_key, LIST) if verb == "list" else getattr(crowd, verb)())
    after = await _nothing(empty, len(crowd.license_keys))
    return float(reached / ((before + after) / 2))


async def _nothing(url: str, times: int) -> float:
    # As many bytes as a heartbeat has, which both sides have to read.
    asked = Prepared.post(url, "/", {"request": "x" * 1100})
    return (await fire(url, [asked] * times)).per_second


def _crowd(opened: ExitStack, dialect: str, folder: Path, tills: int) -> tuple[Crowd, str]:
    url = None
    if dialect == "postgresql":
        url = opened.enter_context(Postgres()).create_database()
    _progress(f"setting up {_NAMES[dialect]}, {tills} licenses")
    installation = Installation(folder / dialect, database_url=url).init()
    issued = installation.issue_many(tills)
    made = installation.command("api-key", "create", "--name", "bench", "--role", "read_only")
    serving = opened.enter_context(installation.serving())
    return Crowd(serving.url, installation.keyset, [one.license_key for one in issued]), made["api_key"]


@contextmanager
def _empty(folder: Path) -> Iterator[str]:
    """Serve the empty application; give its address."""
    told = folder / "empty-port"
    with subprocess.Popen([sys.executable, "-m", "bench.empty", str(told)], cwd=ROOT) as process:
        try:
            deadline = time.monotonic() + _START_SECONDS
            while not told.exists() and time.monotonic() < deadline:
                time.sleep(0.05)
            yield f"http://127.0.0.1:{told.read_text()}"
        finally:
            process.terminate()


def _table(figures: Figures, rounds: int, tills: int) -> str:
    lines = [
        f"| requests a second, as a share of an empty FastAPI POST's | {' | '.join(_NAMES[one] for one in DIALECTS)} |",
        f"| --- |{' --- |' * len(DIALECTS)}",
    ]
    for verb in VERBS:
        name = "one list (50 activations)" if verb == "list" else verb
        lines.append(f"| {name} | {' | '.join(_told(figures[verb, dialect]) for dialect in DIALECTS)} |")
    lines += [
        "",
        f"`make bench`: {rounds} rounds of {tills} requests each, one server process; median (lowest to highest).",
    ]
    return "\n".join(lines)


def _told(shares: Sequence[float]) -> str:
    return f"{median(shares):.2f} ({min(shares):.2f} to {max(shares):.2f})"


def _write(path: Path, table: str) -> None:
    text = path.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    path.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", "utf-8")


def _progress(words: str) -> None:
    print(f"bench: {words}", file=sys.stderr)


if __name__ == "__main__":
    main()
