"""What a product's page promised: the platform's versions that it runs on, and its features.

1. What was on the page at the purchase counts (ZG-10, BC-08, BC-12). It is kept with the order's line as
   `{"platform": {"from": "1.7", "to": "8.1"}, "features": ["import"]}`; each part may be missing: nobody knows then.
   A feature is a word of the vendor's own, the same in every language of the page: what one language announced is on
   it, whichever the customer read (BC-08).
2. Versions are compared as those of software releases are (`rules.release_version`): an upper end covers what begins
   with it. Of what is more than a version (`8.x`, `1.7.8.11+debian`), the version counts that it begins with.
3. Whoever decides by it shows it: what was promised, and the version that was named, as far as it was compared (NX-32).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from tillkey_server.rules.release_version import MAX_LENGTH, PATTERN, Version, in_range

_BEGINNING = re.compile(PATTERN.removesuffix("$"))


def covers_version(advertised: Mapping[str, object] | None, version: str) -> bool | None:
    """Tell whether a platform's version was promised; None where nobody knows."""
    promised = None if advertised is None else advertised.get("platform")
    asked = _version(version)
    if not isinstance(promised, Mapping) or asked is None:
        return None
    lowest, highest = (_version(str(promised.get(end))) for end in ("from", "to"))
    return in_range(asked, lowest, highest)


def compared(advertised: Mapping[str, object] | None, version: str | None) -> dict[str, object]:
    """Return the promise beside the version that was named, as facts show it (sentence 3); None: nobody knows."""
    asked = None if version is None else _version(version)
    return {
        "platform": None if advertised is None else advertised.get("platform"),
        "features": None if advertised is None else advertised.get("features"),
        "platform_version": None if asked is None else asked.text,
        "covered": None if version is None else covers_version(advertised, version),
    }


def names_versions(advertised: Mapping[str, object] | None) -> bool:
    """Tell whether the page said on which versions of a platform the product runs."""
    return advertised is not None and isinstance(advertised.get("platform"), Mapping)


def names_feature(advertised: Mapping[str, object] | None, feature: str) -> bool | None:
    """Tell whether a feature was on the page; None where nobody knows."""
    promised = None if advertised is None else advertised.get("features")
    return feature in promised if isinstance(promised, list) else None


def _version(text: str) -> Version | None:
    """Return the version that a text begins with, or None for what begins with none (sentence 2)."""
    found = _BEGINNING.match(text[:MAX_LENGTH])
    return None if found is None else Version(found[0])
