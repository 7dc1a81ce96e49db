"""Who really sent a request that came through a proxy: told by headers that only a trusted proxy is believed.

1. A peer that is no trusted proxy is the sender, whatever its headers say: anybody can write them.
2. A trusted proxy's `X-Forwarded-For` (or `Forwarded`, RFC 7239) names the hops so far, the nearest last. From there
   backwards the first hop that is no trusted proxy is the sender: what stands before it was written by who knows whom.
3. Where both headers are there and say different things, neither is believed and the proxy is the sender: a proxy that
   writes the one passes the other through as a client made it up.
4. A hop that is no address (`unknown`, an obfuscated name) ends the walk at the hop behind it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from tillkey_server.settings import Network

_FOR = re.compile(r'(?:^|;)\s*for="?([^";]+)"?\s*(?=;|$)', re.IGNORECASE)
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class TrustedProxies:
    """Puts the sender's address in place of the proxy's, before anything looks at it."""

    def __init__(self, app: ASGIApp, networks: Sequence[Network]) -> None:
        """Wrap the application; without networks nobody is believed."""
        self._app = app
        self._networks = tuple(networks)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        client = scope.get("client")
        if self._networks and client is not None and scope["type"] == "http":
            sender = sender_of(client[0], Headers(scope=scope), self._networks)
            scope = {**scope, "client": (sender, client[1] if sender == client[0] else 0)}
        await self._app(scope, receive, send)


def sender_of(peer: str, headers: Headers, trusted: Sequence[Network]) -> str:
    """Return the address of who sent a request: the peer's, or what the trusted proxies before it say."""
    if not _is_trusted(_address(peer), trusted):
        return peer
    told = [hops for hops in (_x_forwarded_for(headers), _forwarded(headers)) if hops]
    if not told or any(hops != told[0] for hops in told):
        return peer
    sender = peer
    for hop in reversed(told[0]):
        address = _address(hop)
        if address is None:
            break
        sender = str(address)
        if not _is_trusted(address, trusted):
            break
    return sender


def _x_forwarded_for(headers: Headers) -> list[str]:
    """Return the hops of `X-Forwarded-For`, several lines as one list (RFC 9110 section 5.3)."""
    return [_bare(hop) for hop in ",".join(headers.getlist("x-forwarded-for")).split(",") if hop.strip()]


def _forwarded(headers: Headers) -> list[str]:
    """Return the hops of `Forwarded`; one that names no `for` stays in the list as no address."""
    elements = [element for element in ",".join(headers.getlist("forwarded")).split(",") if element.strip()]
    return [_bare(found[1]) if (found := _FOR.search(element)) else "" for element in elements]


def _bare(hop: str) -> str:
    """Return a hop without its port and brackets."""
    text = hop.strip()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text


def _address(text: str) -> _Address | None:
    """Return an address, an IPv4 one that was written as IPv6 as what it is; None for what is none."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _is_trusted(address: _Address | None, trusted: Sequence[Network]) -> bool:
    return address is not None and any(address in network for network in trusted)
