"""``tillkey doctor``: looks at everything between this till and its license, and changes nothing.

No seat is taken, no key made, no file written. Each look has a verdict (``ok``, ``warn``, ``fail``), what was seen, and
what mends it. Looks that an earlier failure makes pointless are left out.
"""

from __future__ import annotations

import os
import socket
import stat
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Optional, Union

from tillkey import trust
from tillkey.effects import Reply, Unreached
from tillkey.errors import REMEDIES, Busy, StateError
from tillkey.exchange import unread
from tillkey.holding import Holding
from tillkey.transport import Transport
from tillkey.wire.errors import WireError
from tillkey.wire.keyset import open_keyset

OK, WARN, FAIL = "ok", "warn", "fail"
_CLOSE, _FAR = 120, 48 * 3600
_LOOK_SECONDS = 5.0
_HTTP_OK = 200


@dataclass(frozen=True)
class Look:
    """One look: its name, verdict, what was seen, and the mend (empty where all is well)."""

    name: str
    verdict: str
    detail: str
    mend: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON's members."""
        return {"name": self.name, "verdict": self.verdict, "detail": self.detail, "mend": self.mend or None}


def examine(holding: Holding, transport: Transport, clock: Callable[[], Any], pin: trust.Trust) -> list[Look]:
    """Look at the way to the server, the server, the clock, the folder and the lease. Never raises for what it sees."""
    looks = list(_way(transport))
    if all(look.verdict != FAIL for look in looks):
        reply = transport.get("/v1/keyset")
        found = list(_server(reply, transport, pin))
        # A proxy that was well by its address and refuses to pass anything on is one look, and it is not well.
        looks = [look for look in looks if look.name not in {one.name for one in found}] + found
        if isinstance(reply, Reply):
            looks.append(_clock(reply.date, clock().wall))
    looks += _folder(holding)
    looks.append(_lease(holding))
    return looks


def _way(transport: Transport) -> Iterator[Look]:
    if transport.proxy is not None:
        yield Look("proxy", OK, "configured; it looks the server's name up")
        return
    yield Look("proxy", OK, "from the environment" if transport.proxied_by_environment else "none")
    if transport.proxied_by_environment:
        return
    host, port = transport.host_and_port
    found = _within(lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    if not isinstance(found, list):
        yield Look("dns", FAIL, f"{host}: {found}", REMEDIES["dns"])
        return
    yield Look("dns", OK, f"{host} is {', '.join(sorted({str(entry[4][0]) for entry in found}))}")
    made = _within(lambda: _touched(host, port))
    if isinstance(made, list):
        yield Look("connect", OK, f"port {port} answers")
    else:
        yield Look("connect", FAIL, f"port {port}: {made}", REMEDIES["connect"])


def _touched(host: str, port: int) -> list[Any]:
    with socket.create_connection((host, port), timeout=_LOOK_SECONDS):
        return []


def _within(work: Callable[[], list[Any]]) -> Union[list[Any], str]:
    """Do what may hang in a thread that is left behind; return its list, or why there is none."""
    came: list[Union[list[Any], str]] = []

    def run() -> None:
        try:
            came.append(work())
        except (OSError, UnicodeError) as error:
            came.append(getattr(error, "strerror", None) or str(error))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(_LOOK_SECONDS)
    return came[0] if came else f"no answer within {_LOOK_SECONDS:g} seconds"


def _server(reply: Union[Reply, Unreached], transport: Transport, pin: trust.Trust) -> Iterator[Look]:
    plain = transport.is_plain
    if isinstance(reply, Unreached):
        if reply.kind != "tls" and not plain:
            yield Look("tls", WARN, "not reached", "")
        yield _unreached(reply, reply.kind if reply.kind in {"tls", "proxy"} else "server")
        return
    if plain:
        yield Look("tls", WARN, "plain HTTP", "Fine on one machine or a private network; else give an https address.")
    else:
        yield Look("tls", OK, "the certificate is trusted")
    yield _keyset(reply, transport, pin)


def _unreached(why: Unreached, name: str = "server") -> Look:
    return Look(name, FAIL, ": ".join(filter(None, (why.kind, why.detail))), REMEDIES.get(why.kind, ""))


def _keyset(reply: Reply, transport: Transport, pin: trust.Trust) -> Look:
    unreadable = unread(reply)
    if unreadable is not None:
        return _unreached(unreadable)
    if reply.status != _HTTP_OK:
        return Look("server", FAIL, f"HTTP status {reply.status}", "This is no Tillkey server: check the address.")
    try:
        text = reply.body.decode("utf-8")
        newest = open_keyset(text)
    except (WireError, UnicodeDecodeError):
        return Look("server", FAIL, "what answers is no Tillkey server", REMEDIES["not_json"])
    held = pin.newest
    if newest.issuer != held.issuer:
        detail = f"the server is {newest.issuer}, the pinned keyset is of {held.issuer}"
        return Look("server", FAIL, detail, "Ship the keyset.json of this server, or give the other server's address.")
    if newest.version < held.version:
        detail = f"the server has keyset {newest.version}, the pinned one is {held.version}"
        return Look("server", FAIL, detail, "The server went back: the vendor has to publish its newest keyset again.")
    follows = _follows(text, newest.version, transport, pin)
    if isinstance(follows, Unreached):
        return _unreached(follows)
    if not follows:
        detail = f"the server is called {newest.issuer} too, but its keys do not follow from the pinned keyset"
        return Look("server", FAIL, detail, "Ship the keyset.json of this server, or ask the vendor whose it is.")
    return Look("server", OK, f"{newest.issuer}, keyset {newest.version} (pinned: {held.version})")


def _follows(text: str, version: int, transport: Transport, pin: trust.Trust) -> Union[bool, Unreached]:
    """Walk from the pinned keyset to the server's, as a till does; the last step must be what the server showed.

    A step that did not come says nothing of the keys, and is returned as what kept it away.
    """
    walked = pin
    try:
        while walked.newest.version < version:
            wanted = walked.newest.version + 1
            step = _got(transport, f"/v1/keyset/{wanted}")
            if isinstance(step, Unreached):
                return step
            if step.status != _HTTP_OK:
                return False
            walked = walked.advanced(step.body.decode("utf-8"))
    except (WireError, UnicodeDecodeError):
        return False
    return walked.texts[-1].strip() == text.strip()


def _got(transport: Transport, path: str) -> Union[Reply, Unreached]:
    reply = transport.get(path)
    return reply if isinstance(reply, Unreached) else unread(reply) or reply


def _clock(date: Optional[int], wall: int) -> Look:
    if date is None:
        return Look("clock", WARN, "the server told no time", "A proxy takes the Date header away: let it pass.")
    off = wall - date
    detail = "agrees with the server's" if abs(off) <= _CLOSE else f"{abs(off)} s {'ahead' if off > 0 else 'behind'}"
    if abs(off) <= _CLOSE:
        return Look("clock", OK, detail)
    mend = "Set this machine's clock, and let it be set from the network."
    return Look("clock", WARN if abs(off) <= _FAR else FAIL, detail, mend)


def _folder(holding: Holding) -> Iterator[Look]:
    folder = holding.folder.folder
    if not os.path.lexists(folder):
        parent = next((one for one in folder.parents if os.path.lexists(one)), Path(folder.anchor))
        if parent.is_dir() and os.access(parent, os.W_OK | os.X_OK):
            yield Look("state folder", OK, f"{folder} is not there yet and can be made")
        else:
            yield Look("state folder", FAIL, f"{folder} cannot be made", f"Let this user write to {parent}.")
        return
    if not os.path.isdir(folder):  # noqa: PTH112 - pathlib raises where a folder above may not be entered
        yield Look("state folder", FAIL, f"{folder} is no folder", "Give another state folder, or move the file away.")
        return
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        yield Look("state folder", FAIL, f"{folder} cannot be written", "Let the user of the till own the folder.")
        return
    mode = stat.S_IMODE(folder.stat().st_mode)
    if sys.platform != "win32" and mode & 0o077:
        mend = f"chmod 700 {folder}: whoever reads the folder can copy the license."
        yield Look("state folder", WARN, f"{folder} is open to others (mode {mode:o})", mend)
    else:
        yield Look("state folder", OK, str(folder))
    aside = sorted(path.name for path in folder.glob("*.damaged-*"))
    if aside:
        yield Look("damaged files", WARN, ", ".join(aside), "The till recovered from them: send them to the vendor.")
    if holding.folder.has_lock:
        yield _lock(holding)


def _lock(holding: Holding) -> Look:
    try:
        with holding.folder.locked(0):
            return Look("lock", OK, "free")
    except Busy:
        return Look("lock", OK, "held: another process of this till is at work")
    except StateError as error:
        return Look("lock", FAIL, str(error), "Let the user of the till own the folder and all that is in it.")


def _lease(holding: Holding) -> Look:
    verdict = holding.check()
    detail = f"{verdict.status} ({verdict.reason})"
    if verdict.problems:
        return Look(
            "lease", WARN, f"{detail}; {' '.join(verdict.problems)}", "See the sentence; keep a copy of the folder."
        )
    if verdict.usable and verdict.status != "degraded":
        return Look("lease", OK, detail)
    return Look("lease", WARN, detail, verdict.notice or "Activate this till.")
