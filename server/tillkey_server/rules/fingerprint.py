"""When two fingerprints are one machine (PROTOCOL section 3, X-06).

1. A fingerprint is evidence, never identity: it only lets a reinstalled till take its own seat back.
2. Enough components are equal: at least the policy's threshold. A component that one side does not send is not equal.
3. Every required component is equal: two set-ups on one machine differ by `location` and are two installations (NX-49).
"""

from __future__ import annotations

from collections.abc import Mapping

from tillkey_server.rules.policy import TakeoverPolicy


def equal_components(held: Mapping[str, str], offered: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of the components that both sides send with the same value, in alphabetical order."""
    return tuple(sorted(name for name, value in held.items() if offered.get(name) == value))


def matches(held: Mapping[str, str], offered: Mapping[str, str], takeover: TakeoverPolicy) -> bool:
    """Tell whether `offered` is the machine of `held` under the policy's threshold and required components."""
    equal = equal_components(held, offered)
    return len(equal) >= takeover.threshold and all(name in equal for name in takeover.required)
