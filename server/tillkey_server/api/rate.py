"""How often one address may ask an unsigned question (GCRA, the leaky bucket as one number for each address).

The limit protects the server's work, not the license keys: 129 random bits need no counter. It is therefore kept in
memory by each process, and a restart forgives.
"""

from __future__ import annotations

import ipaddress
import math
from collections import OrderedDict

MAX_ADDRESSES = 10_000
_IPV6_SITE_BITS = 64


class Limiter:
    """`burst` questions at once and one more every `interval` seconds, for each address."""

    def __init__(self, *, burst: int, interval: float) -> None:
        """Take the limit."""
        self._tolerance = interval * (burst - 1)
        self._interval = interval
        self._due: OrderedDict[str, float] = OrderedDict()

    def ask(self, address: str, now: float) -> int:
        """Count a question at `now` (seconds of a clock that never goes back).

        Returns 0 where it is allowed, else after how many whole seconds to come back; a refused one does not count.
        """
        site = site_of(address)
        due = max(self._due.get(site, now), now)
        wait = due - now - self._tolerance
        if wait > 0:
            return math.ceil(wait)
        self._due[site] = due + self._interval
        self._due.move_to_end(site)
        while len(self._due) > MAX_ADDRESSES:
            self._due.popitem(last=False)
        return 0


def site_of(address: str) -> str:
    """Return what is counted as one asker: an IPv4 address, the /64 of an IPv6 address, or the text as it stands."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((parsed, _IPV6_SITE_BITS), strict=False))
    return str(parsed)
