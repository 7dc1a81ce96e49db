"""The secret scan: no secret that a test run issues may be found in what the run leaves behind (I16).

1. Secrets are noted where they are made in this process (keys, tickets, API keys, peppers), where a server in another
   process hands them out (commands' answers, HTTP), and from the database's own columns (nonces, addresses).
2. What is left behind is noted too: log lines, `serve`'s log files, commands' stderr, error answers, metrics, traces,
   and every database when it is dropped.
3. When a worker ends, everything is searched for every secret in every encoding. A leak turns the run red.

`record.RECORD` is the one ledger of a process; the support modules write into it too.
"""

import logging
import re
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.support import needles
from tests.support.record import RECORD
from tillkey.wire import license_key
from tillkey_server.api.logs import JsonFormatter
from tillkey_server.signing.pepper import Pepper

_LEAKS = "tillkey_leaks"
_TOLD = "tillkey_secrecy"
_SHOWN = 30
_STATEMENT = re.compile(r'"statement":"[^"]*"')


class _Lines(logging.Handler):
    """Takes every line that this process would log; the SDK's as its host would see them."""

    def emit(self, record: logging.LogRecord) -> None:
        RECORD.left(f"log line of {record.name}", self.format(record))


def _watch_loggers() -> None:
    for name, formatter in (("tillkey_server", JsonFormatter()), ("tillkey", logging.Formatter())):
        handler = _Lines()
        handler.setFormatter(formatter)
        logger = logging.getLogger(name)
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)


def _watch_makers() -> None:
    """Note what is made in this process."""
    display, new_api_key, init = license_key.display, Pepper.new_api_key, Pepper.__init__

    def displayed(prefix: str, body: str) -> str:
        text = display(prefix, body)
        RECORD.needles.add(needles.LICENSE_KEY, text)
        return text

    def made_api_key() -> str:
        text = new_api_key()
        RECORD.needles.add(needles.API_KEY, text)
        return text

    def taken(self: Pepper, secret: bytes) -> None:
        RECORD.needles.add(needles.PEPPER, secret)
        init(self, secret)

    license_key.display = displayed
    Pepper.new_api_key = staticmethod(made_api_key)
    Pepper.__init__ = taken


def _note_answer(response: httpx.Response) -> None:
    text = getattr(response, "_content", b"").decode("utf-8", "replace")
    path = response.request.url.path
    if response.status_code < httpx.codes.BAD_REQUEST and path != "/metrics":
        RECORD.issued(text)
        return
    # A signed statement repeats the `rid` of the request that it answers: by right, and to its sender alone.
    RECORD.left(f"answer {response.status_code} of {response.request.method} {path}", _STATEMENT.sub("", text))


def _watch_http() -> None:
    """Note what is answered over HTTP, whoever asks."""
    send, send_async = httpx.Client.send, httpx.AsyncClient.send

    def sent(self: httpx.Client, *arguments: Any, **named: Any) -> httpx.Response:
        response = send(self, *arguments, **named)
        _note_answer(response)
        return response

    async def sent_async(self: httpx.AsyncClient, *arguments: Any, **named: Any) -> httpx.Response:
        response = await send_async(self, *arguments, **named)
        _note_answer(response)
        return response

    httpx.Client.send = sent
    httpx.AsyncClient.send = sent_async


_WATCHES: tuple[Callable[[], None], ...] = (_watch_loggers, _watch_makers, _watch_http)


class Secrecy:
    """The plugin; conftest registers one per process."""

    def __init__(self) -> None:
        self._leaks: set[str] = set()
        self._told: list[str] = []
        for watch in _WATCHES:
            watch()

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """Take over what a worker found."""
        output = getattr(node, "workeroutput", {})
        self._leaks.update(output.get(_LEAKS, ()))
        self._told += output.get(_TOLD, ())

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Search, and turn a green run red if anything was found."""
        started = time.perf_counter()
        self._leaks.update(RECORD.leaks())
        took = time.perf_counter() - started
        if RECORD.texts:
            self._told.append(
                f"searched {RECORD.texts} texts and {RECORD.databases} databases for {len(RECORD.needles)} secrets"
                f" in {took:.1f} s: {len(self._leaks)} leaks"
            )
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput[_LEAKS] = sorted(self._leaks)
            session.config.workeroutput[_TOLD] = self._told
        elif session.exitstatus == pytest.ExitCode.OK and self._leaks:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what was searched, and where a secret lies."""
        for line in self._told:
            terminalreporter.line(f"secrecy: {line}")
        if self._leaks:
            terminalreporter.section("secrets lie where they must not", red=True)
            for leak in sorted(self._leaks)[:_SHOWN]:
                terminalreporter.line(leak)
