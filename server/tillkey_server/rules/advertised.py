"""What a product's page promised: the platform's versions that it runs on, and its features.

1. What was on the page at the purchase counts (ZG-10, BC-08, BC-12). It is kept with the order's line as
   `{"platform": {"from": "1.7", "to": "8.1"}, "features": ["import"]}`; each part may be missing: nobody knows then.
2. Versions are compared number by number, with as many numbers as there are: 1.7.8.11 lies between 1.7 and 8.1. An
   upper end covers what begins with it: up to `8.1` takes 8.1.5.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_NUMBERS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})*")


def covers_version(advertised: Mapping[str, object] | None, version: str) -> bool | None:
    """Tell whether a platform's version was promised; None where nobody knows."""
    promised = None if advertised is None else advertised.get("platform")
    asked = numbers(version)
    if not isinstance(promised, Mapping) or asked is None:
        return None
    low, high = (numbers(str(promised.get(end))) for end in ("from", "to"))
    return (low is None or _at_least(asked, low)) and (high is None or asked[: len(high)] <= high)


def names_versions(advertised: Mapping[str, object] | None) -> bool:
    """Tell whether the page said on which versions of a platform the product runs."""
    return advertised is not None and isinstance(advertised.get("platform"), Mapping)


def names_feature(advertised: Mapping[str, object] | None, feature: str) -> bool | None:
    """Tell whether a feature was on the page; None where nobody knows."""
    promised = None if advertised is None else advertised.get("features")
    return feature in promised if isinstance(promised, list) else None


def numbers(version: str) -> tuple[int, ...] | None:
    """Return a version's numbers, or None for what has none at its beginning."""
    found = _NUMBERS.match(version)
    return None if found is None else tuple(int(part) for part in found[0].split("."))


def _at_least(asked: tuple[int, ...], low: tuple[int, ...]) -> bool:
    length = max(len(asked), len(low))
    padded = [one + (0,) * (length - len(one)) for one in (asked, low)]
    return padded[0] >= padded[1]
