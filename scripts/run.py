"""`make run`: set the server up, start it, and let the example till tell its story in nine steps over HTTP.

Everything that it makes lies in `var/` at the checkout's root and is found again by the next run:

    var/tillkey/      the server's data folder: database, keys, keyset
    var/tills/run-N/  the tills of run N, a folder for each machine
    var/server.log    what the server said

`--once` ends after the story instead of leaving the server up. TILLKEY_PORT chooses the port, TILLKEY_DATABASE_URL
another database. Exit codes: 0 told, or stopped by Ctrl-C; 1 a step failed or the server would not start.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def run() -> int:
    """Import the story by its full name, so that it and the till are the checkout's, and tell it."""
    sys.path[0] = str(ROOT)
    from scripts.story.main import main  # noqa: PLC0415 - the path above comes first

    return main(ROOT, sys.argv[1:])


if __name__ == "__main__":
    sys.exit(run())
