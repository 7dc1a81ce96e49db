"""``LicenseClient``: what a till calls.

``check()`` looks at memory alone and may be called at every sale. Everything else talks to the server, waits a bounded
time, and either returns a ``Verdict`` or raises (see ``errors``). Nothing is written and no key is made before a person
activates; what talks to the server is imported with the first request.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Callable, Optional, Union

from tillkey import platform, trust
from tillkey._constants import CONNECT_TIMEOUT, HOOK_PATIENCE, LOCK_TIMEOUT, TOTAL_TIMEOUT
from tillkey.arguments import (
    APP_VERSION,
    PLATFORM_VERSION,
    authority_of,
    keyset_text,
    product_of,
    proxy_of,
    server_of,
    text_of,
    traits_of,
)
from tillkey.errors import ConfigurationError, TillkeyError
from tillkey.holding import Holding
from tillkey.storage import StateFolder
from tillkey.verdict import Verdict
from tillkey.wire.errors import WireError
from tillkey.wire.request import ClockReading

if TYPE_CHECKING:
    from tillkey.background import Background
    from tillkey.doctor import Look
    from tillkey.driver import Driver
    from tillkey.hooks import Watch
    from tillkey.support import SupportAnswer
    from tillkey.transport import Transport


class LicenseClient:
    """One product's license on this till.

    ``server`` is the address of the license server; ``product`` the product's code; ``pinned_keyset`` the path, or the
    JSON text, of the keyset that the product ships (the root of all trust); ``state_dir`` the folder for keys and
    leases, None for the user's data folder.

    ``machine_traits`` replaces traits of the fingerprint or, with None, leaves them out; ``app_version`` and
    ``platform_version`` (at most 64 characters) are reported; ``connect_timeout`` and ``total_timeout`` bound one
    exchange and ``lock_timeout`` the wait for another process of this till, in seconds; ``ca_file`` names a private
    certificate authority; ``proxy`` is a proxy's address, None for what HTTPS_PROXY, HTTP_PROXY and NO_PROXY say;
    ``on_change`` is called with the new verdict where what the till may do, or should tell, has changed: once for each
    change, in order, from a thread of its own (see ``hooks``); ``clock`` replaces the machine's clocks in tests.

    Raises ``ConfigurationError`` for an argument that cannot be right. Making a client reads the keyset and touches
    nothing else.
    """

    def __init__(
        self,
        server: str,
        product: str,
        pinned_keyset: Union[str, os.PathLike[str]],
        state_dir: Union[str, os.PathLike[str], None] = None,
        *,
        machine_traits: Optional[Mapping[str, Optional[str]]] = None,
        app_version: str = "",
        platform_version: Optional[str] = None,
        connect_timeout: float = CONNECT_TIMEOUT,
        total_timeout: float = TOTAL_TIMEOUT,
        lock_timeout: float = LOCK_TIMEOUT,
        ca_file: Union[str, os.PathLike[str], None] = None,
        proxy: Optional[str] = None,
        on_change: Optional[Callable[[Verdict], Any]] = None,
        clock: Callable[[], ClockReading] = platform.read_clock,
    ) -> None:
        """Take the arguments; see the class."""
        self._server = server_of(server)
        self.product = product_of(product)
        self._pin = pin = _pinned(pinned_keyset)
        issuer = pin.newest.issuer
        self.state_dir = Path(state_dir) if state_dir is not None else platform.default_state_folder(issuer)
        self._holding = Holding(StateFolder(self.state_dir, self.product, issuer), pin, self.product, clock)
        self._traits = traits_of(machine_traits or {})
        self._app_version = text_of("app_version", app_version, APP_VERSION) or ""
        self._platform_version = text_of("platform_version", platform_version, PLATFORM_VERSION)
        self._timeouts = (connect_timeout, total_timeout, lock_timeout)
        self._ca_file = authority_of(ca_file)
        self._proxy = proxy_of(proxy)
        self._on_change = on_change
        self._making = threading.Lock()
        self._made_watch: Optional[Watch] = None
        self._made_driver: Optional[Driver] = None
        self._background: Optional[Background] = None
        self._last_error: Optional[TillkeyError] = None

    def check(self) -> Verdict:
        """Say what the till may do now, from memory (the state file is read once).

        Never raises, never waits, no network.
        """
        return self._holding.check()

    def activate(
        self,
        license_key: str,
        *,
        project: Optional[str] = None,
        site: Optional[str] = None,
        environment: str = "production",
        move_ticket: Optional[str] = None,
    ) -> Verdict:
        """Take a license into use on this till, in a project and an environment.

        May be called at every start: where this till holds that license already, it is a heartbeat. ``license_key`` may
        be typed in any case, with or without dashes; ``project`` names the shop (1 to 200 characters), ``site`` its
        address; ``environment`` is ``production``, ``staging`` or ``development``; ``move_ticket`` comes from
        ``move_ticket()`` on the old machine. To change to another license, ``deactivate()`` first.

        Where this till holds that license in that project and environment, and no signed statement has ended it, a
        server that cannot be reached, or another process that is talking to it, stops nothing (X-02): what comes back
        is the verdict of ``check()``, and ``last_error`` says why the server was not reached.

        Raises ``Refused``, ``StateError`` or ``ConfigurationError``; where the till does not hold the license also
        ``Unreachable`` and ``Busy``. After ``Unreachable`` the request is kept: the same call, or the background, sends
        the same one again.
        """
        with self._watched():
            self._heard(self._driver.activate(license_key, project, site, environment, move_ticket))
        return self.check()

    def heartbeat(self) -> Verdict:
        """Renew the lease now. Raises ``NotActivated``, ``Refused``, ``Unreachable`` or ``StateError`` (``Busy``)."""
        with self._watched():
            self._driver.heartbeat()
            self._heard(None)
        return self.check()

    def deactivate(self) -> Verdict:
        """Give the license back, so that another till can take it; do this before removing the program (NX-50).

        Raises ``NotActivated``, ``Refused``, ``Unreachable`` (the seat is then still held) or ``StateError``
        (``Busy``).
        """
        with self._watched():
            self._driver.deactivate()
        return self.check()

    def move_ticket(self, environment: str) -> str:
        """Return a ticket with which another installation takes this license to ``environment``: one use, 24 hours.

        This till goes on until the ticket is used. Raises like ``heartbeat()``.
        """
        with self._watched():
            return self._driver.move_ticket(environment)

    def support(
        self,
        task: str,
        *,
        feature: Optional[str] = None,
        platform_version: Optional[str] = None,
        language: str = "en",
    ) -> SupportAnswer:
        """Ask the server whether the vendor's terms serve a request for support, and until when; changes nothing.

        ``task`` and ``feature`` are words of these terms, ``platform_version`` what the till runs on (None: what the
        client was made with), ``language`` that of the sentence: ``en``, ``fr`` or ``it``. A no of the terms comes back
        as an answer. Whatever is raised is none and leaves open what the terms say.

        Raises ``NotActivated``, ``Unreachable``, ``StateError``, ``ConfigurationError``, and ``Refused`` where this
        till holds the license no more or is not known: the next heartbeat tells it with a signature.
        """
        return self._driver.support(task, feature, platform_version, language)

    def start(self) -> None:
        """Begin background heartbeats in a daemon thread; again is nothing.

        After a ``fork`` the child calls it for itself.
        """
        from tillkey.background import Background, Beater, draw  # noqa: PLC0415 - a till that only checks needs none

        driver = self._driver
        with self._making:
            if self._background is None or not self._background.running:
                beater = Beater(driver, self._holding.clock, draw, self.last_error)
                self._background = Background(beater, self._watch_now)

    def stop(self, wait: Optional[float] = None) -> None:
        """End background heartbeats; waits ``wait`` seconds for one under way, None: as long as one may take."""
        if self._background is not None:
            self._background.stop(self._timeouts[1] if wait is None else wait)

    @property
    def last_error(self) -> Optional[TillkeyError]:
        """Why the last background heartbeat did not succeed, or ``activate()`` did not reach the server, or None."""
        return self._background.last_error if self._background else self._last_error

    def __enter__(self) -> LicenseClient:  # noqa: PYI034 - typing.Self is not in Python 3.9
        self.start()
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.stop()

    def _heard(self, error: Optional[TillkeyError]) -> None:
        self._last_error = error
        if self._background is not None:
            self._background.last_error = error

    @contextlib.contextmanager
    def _watched(self) -> Iterator[None]:
        """Tell of a change, whether the verb in the block succeeds or raises."""
        try:
            yield
        finally:
            self._watch_now(HOOK_PATIENCE)

    def _watch_now(self, patience: float = 0.0) -> None:
        from tillkey.hooks import Watch  # noqa: PLC0415 - a till that only checks needs no logging

        with self._making:
            watch = self._made_watch = self._made_watch or Watch(self.product, self._on_change)
        watch.see(self.check, self.last_error, patience)

    def examine(self) -> list[Look]:
        """Look at everything between this till and its license, and change nothing; see ``doctor``."""
        from tillkey import doctor  # noqa: PLC0415 - for a person who asks

        return doctor.examine(self._holding, self._transport(), self._holding.clock, self._pin)

    def _transport(self) -> Transport:
        from tillkey.transport import Transport  # noqa: PLC0415 - see the module

        connect, total, _ = self._timeouts
        return Transport(
            self._server, connect_timeout=connect, total_timeout=total, ca_file=self._ca_file, proxy=self._proxy
        )

    @property
    def _driver(self) -> Driver:
        if self._made_driver is None:
            from tillkey.driver import Driver, Host  # noqa: PLC0415 - see the module

            transport, lock = self._transport(), self._timeouts[2]
            host = Host(self._app_version, self._platform_version, self._traits)
            self._made_driver = Driver(self._holding, transport, host, lock)
        return self._made_driver


def _pinned(given: Union[str, os.PathLike[str]]) -> trust.Trust:
    try:
        return trust.pinned(keyset_text(given))
    except WireError as error:
        raise ConfigurationError(f"pinned_keyset: {error}; ship the server's keyset.json unchanged") from error
