"""The program that `processes` runs: tills in processes of their own, each killed where a test says.

It reads one JSON list of calls a line, runs them at the same time, each in a process forked for it, and answers with
one JSON list of what came of them. Forking spares the 0.3 s that starting an interpreter takes.

A call may name the point at which its process is killed with SIGKILL: `before_send` (the request is durable, nothing
was sent), `after_answer` (it was sent and answered, nothing was saved), or `disk N` (before the N-th time that the SDK
touches the disk, from 1).
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import httpx  # noqa: F401 - loaded before the forks, which then need not

from tillkey import LicenseClient, TillkeyError, platform, transport
from tillkey.errors import Refused, Unreachable
from tillkey.storage import StateFolder

KILLED = "killed"
_DISK = ("write_durably", "replace_file", "sync_folder")


def _result(ask: Callable[[], Any]) -> Any:
    try:
        result = ask()
    except TillkeyError as error:
        detail = error.code if isinstance(error, Refused) else error.kind if isinstance(error, Unreachable) else ""
        return {"error": type(error).__name__, "code": detail}
    return result.as_dict() if hasattr(result, "as_dict") else result


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _arm(kill_at: str) -> None:
    """Put the kill in its place."""
    word, _, number = kill_at.partition(" ")
    if word == "before_send":
        transport.Transport.post = lambda *_: _die()
    elif word == "after_answer":
        post = transport.Transport.post
        transport.Transport.post = lambda *arguments: (post(*arguments), _die())
    elif word == "disk":
        touched = count(1)
        for name in _DISK:
            setattr(platform, name, _dying_at(int(number), touched, getattr(platform, name)))


def _dying_at(number: int, touched: count[int], work: Callable[..., Any]) -> Callable[..., Any]:
    def wrapped(*arguments: Any) -> Any:
        if next(touched) == number:
            _die()
        return work(*arguments)

    return wrapped


def _serve_one(document: Mapping[str, Any], out: int) -> None:
    """Be the till: run the verbs and write what came of them."""
    _arm(document["kill_at"])
    client = LicenseClient(*document["client"], **document["options"])
    results = []
    for verb, arguments, named in document["verbs"]:
        results.append(_result(lambda: getattr(client, verb)(*arguments, **named)))  # noqa: B023 - called at once
    with os.fdopen(out, "w") as pipe:
        json.dump(results, pipe)


def _spawn(document: Mapping[str, Any]) -> tuple[int, int]:
    """Fork a till; return its number and the pipe that it answers on."""
    into, out = os.pipe()
    process = os.fork()
    if process:
        os.close(out)
        return process, into
    status = 1
    try:
        _serve_one(document, out)
        status = 0
    finally:
        sys.stderr.flush()
        os._exit(status)


def _reap(process: int, into: int) -> Any:
    with os.fdopen(into) as pipe:
        text = pipe.read()
    _, status = os.waitpid(process, 0)
    if os.WIFSIGNALED(status):
        return KILLED
    return json.loads(text) if text else "crashed"


def main() -> None:
    """Serve calls until standard input ends."""
    for line in sys.stdin:
        started = [_spawn(document) for document in json.loads(line)]
        sys.stdout.write(json.dumps([_reap(*one) for one in started]) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    # What holds the folder for a test that wants it held: `hold FOLDER` until standard input ends.
    if sys.argv[1:2] == ["hold"]:
        with StateFolder(Path(sys.argv[2]), "pos-core", "any").locked(5):
            sys.stdout.write("held\n")
            sys.stdout.flush()
            sys.stdin.read()
    else:
        main()
