"""The same situations under each bundled policy: what the rules answer, with amounts, dates and clauses.

    python -m scripts.situations                  the page, to read here
    python -m scripts.situations --write          write docs/situations.md
    python -m scripts.situations --json           for programs
    python -m scripts.situations a_board_failed   only these situations

The facts are the same for every policy. Nothing is served and nothing is stored: these are the pure rules.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from scripts.situations import page

ROOT = Path(__file__).resolve().parents[2]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print, or write, what was asked for; return 2 for a situation that there is none of."""
    parser = argparse.ArgumentParser(
        prog="make situations", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help="situations by name; none: all")
    parser.add_argument("--write", action="store_true", help=f"write {page.PAGE}")
    parser.add_argument("--json", action="store_true", help="print a document for programs")
    told = parser.parse_args(arguments)
    strangers = set(told.names) - {one.name for one in page.situations()}
    if strangers:
        sys.stderr.write(f"no situation is called {', '.join(sorted(strangers))}\n")
        return 2
    if told.json:
        document = [
            {"situation": one.name, "sentence": one.sentence, "topic": topic.title, "answers": answers}
            for topic in page.TOPICS
            for one in topic.situations
            if not told.names or one.name in told.names
            for answers in [{name: asdict(answer) for name, answer in page.asked(one).items()}]
        ]
        sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    elif told.write:
        (ROOT / page.PAGE).write_text(page.rendered(), encoding="utf-8")
    else:
        sys.stdout.write(page.rendered(frozenset(told.names)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
