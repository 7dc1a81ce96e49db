"""The only room that knows HTTP: bytes out, bytes back, and a name for everything that may go wrong on the way.

1. ``httpx`` is imported when a request is made, not before: a till that works offline never pays for it.
2. Two seconds to connect, five in all, measured here: each exchange runs in a thread of its own that is left behind
   at the deadline, since neither a name look-up that hangs nor a server that drips bytes can be interrupted
   otherwise.
3. Redirects are not followed, bodies are cut at a limit, compression is not asked for (a small body must not grow
   large).
4. A connection is not kept: a till speaks a few times a day, and nothing shared means nothing broken by ``fork``.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Optional, Union

from tillkey._constants import CONNECT_TIMEOUT, MAX_REPLY_BYTES, RETRY_AFTER_CAP, TOTAL_TIMEOUT, VERSION
from tillkey.effects import Reply, Unreached

if TYPE_CHECKING:
    import httpx

_HEADERS = {
    "Accept": "application/json, application/problem+json",
    "Accept-Encoding": "identity",
    "User-Agent": f"tillkey/{VERSION}",
}
_PROXY_WANTS_LOGIN = 407


class Transport:
    """One server, reached over HTTP. Never raises: what goes wrong is an ``Unreached``."""

    def __init__(
        self,
        server: str,
        *,
        connect_timeout: float = CONNECT_TIMEOUT,
        total_timeout: float = TOTAL_TIMEOUT,
        ca_file: Optional[str] = None,
        proxy: Optional[str] = None,
    ) -> None:
        """Take the address without a slash at its end, the time to connect and the time in all in seconds, the file
        of a private authority, and the address of a proxy (None: what the environment says).
        """
        self._server = server
        self._connect_timeout = connect_timeout
        self._total_timeout = total_timeout
        self._ca_file = ca_file
        self.proxy = proxy

    @property
    def is_plain(self) -> bool:
        """Tell whether there is no TLS."""
        return self._server.startswith("http:")

    @property
    def host_and_port(self) -> tuple[str, int]:
        """Return where the server is."""
        from urllib.parse import urlsplit  # noqa: PLC0415 - for `tillkey doctor` alone

        address = urlsplit(self._server)
        return address.hostname or "", address.port or (80 if self.is_plain else 443)

    @property
    def proxied_by_environment(self) -> bool:
        """Tell whether HTTPS_PROXY, HTTP_PROXY or ALL_PROXY speaks for this server, and NO_PROXY does not."""
        from urllib.request import getproxies, proxy_bypass  # noqa: PLC0415 - for `tillkey doctor` alone

        known = getproxies()
        scheme = "http" if self.is_plain else "https"
        return bool(known.get(scheme) or known.get("all")) and not proxy_bypass(self.host_and_port[0])

    def post(self, path: str, body: bytes) -> Union[Reply, Unreached]:
        """POST a JSON body."""
        return self._within_deadline("POST", path, body)

    def get(self, path: str) -> Union[Reply, Unreached]:
        """GET a path."""
        return self._within_deadline("GET", path, None)

    def _within_deadline(self, method: str, path: str, body: Optional[bytes]) -> Union[Reply, Unreached]:
        came: list[Union[Reply, Unreached]] = []
        opened: list[httpx.Client] = []
        thread = threading.Thread(
            target=lambda: came.append(self._exchange(method, path, body, opened)), name="tillkey-request", daemon=True
        )
        thread.start()
        thread.join(self._total_timeout)
        if came:
            return came[0]
        for client in opened:
            # Under its feet: a peer that drips without end would keep the thread busy for ever.
            client.close()
        return Unreached("timeout", f"no answer within {self._total_timeout:g} seconds")

    def _exchange(
        self, method: str, path: str, body: Optional[bytes], opened: list[httpx.Client]
    ) -> Union[Reply, Unreached]:
        try:
            import httpx  # noqa: PLC0415 - see rule 1

            deadline = time.monotonic() + self._total_timeout
            limits = httpx.Timeout(self._total_timeout, connect=self._connect_timeout)
            headers = {**_HEADERS, "Content-Type": "application/json"} if body is not None else _HEADERS
            client = httpx.Client(timeout=limits, follow_redirects=False, verify=self._verify(), proxy=self.proxy)
            opened.append(client)
            with client, client.stream(method, self._server + path, content=body, headers=headers) as response:
                return _read(response, deadline)
        except Exception as error:  # noqa: BLE001 - whatever a library throws, the till must hear "unreachable"
            return _named(error, proxied=self.proxy is not None or self.proxied_by_environment)

    def _verify(self) -> Any:
        import ssl  # noqa: PLC0415 - loaded by httpx already

        if self.is_plain:
            # No TLS, so no authorities need be loaded, which takes most of the time of a local exchange.
            return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        return True if self._ca_file is None else ssl.create_default_context(cafile=self._ca_file)


def _read(response: httpx.Response, deadline: float) -> Union[Reply, Unreached]:
    if response.status_code == _PROXY_WANTS_LOGIN:
        # Only a proxy says it (RFC 9110 section 15.5.8), in the words that it has for a tunnel too.
        return Unreached("proxy", f"{_PROXY_WANTS_LOGIN} Proxy Authentication Required")
    content = b""
    for chunk in response.iter_raw(8192):
        content += chunk
        if len(content) > MAX_REPLY_BYTES:
            return Unreached("too_large", f"the answer is over {MAX_REPLY_BYTES} bytes")
        if time.monotonic() > deadline:
            return Unreached("timeout", "the answer came too slowly")
    return Reply(
        response.status_code,
        response.headers.get("content-type", ""),
        content,
        _retry_after(response.headers.get("retry-after")),
        _date(response.headers.get("date")),
    )


def _date(text: Optional[str]) -> Optional[int]:
    """Read ``Date`` (RFC 9110 section 6.6.1) as seconds since the epoch; evidence for a person, never trusted."""
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - 15 ms to import

    try:
        return int(parsedate_to_datetime(text or "").timestamp())
    except (TypeError, ValueError, OverflowError):
        return None


def _retry_after(text: Optional[str]) -> Optional[int]:
    """Read ``Retry-After`` (RFC 9110 section 10.2.3) as seconds from now, from 0 to 24 hours.

    A date or nonsense gives None or its wait.
    """
    if not text:
        return None
    if text.isascii() and text.isdigit():
        return min(int(text[:9]), RETRY_AFTER_CAP)
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - seldom seen, and 15 ms to import

    try:
        moment = parsedate_to_datetime(text).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None
    return int(min(max(0.0, moment - time.time()), RETRY_AFTER_CAP))


def _named(error: Exception, *, proxied: bool = False) -> Unreached:
    """Give an exception its kind, by what caused it at the bottom; ``proxied``: who was not reached is a proxy."""
    import socket  # noqa: PLC0415 - loaded by httpx already
    import ssl  # noqa: PLC0415 - the same

    import httpx  # noqa: PLC0415 - the same

    causes = list(_causes(error))
    detail = str(causes[-1])[:200] or type(causes[-1]).__name__
    if isinstance(error, httpx.ProxyError):
        return Unreached("proxy", detail)
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return Unreached("tls", detail)
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return Unreached("proxy" if proxied else "dns", detail)
    if isinstance(error, httpx.TimeoutException):
        return Unreached("timeout", type(error).__name__)
    if isinstance(error, httpx.ConnectError):
        return Unreached("proxy" if proxied else "connect", detail)
    return Unreached("network", f"{type(error).__name__}: {detail}")


def _causes(error: Optional[BaseException]) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
