"""Which keys are believed: the walk from the pinned keyset to the newest one held (PROTOCOL section 2).

1. Trust begins with the keyset that the host ships. Stored versions count as far as they follow from it, step by step.
2. A lease or statement that was verified when it came stays readable when its key has left the newest keyset: an
   older keyset of the same walk verifies it, and the lease then counts as past ``exp``.
3. After the host ships a newer pin, a stored keyset below it is used for reading alone, and only if the roots of the
   pinned walk signed it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Callable, Optional, TypeVar, Union

from tillkey._constants import KEYSETS_KEPT_BELOW_PIN
from tillkey.wire import jws
from tillkey.wire.answers import LEASE_TYP, MAX_ANSWER, STATEMENT_TYP, Lease, Statement, open_lease, open_statement
from tillkey.wire.errors import WireError
from tillkey.wire.keyset import Keyset, open_keyset, step

_Document = TypeVar("_Document", Lease, Statement)


@dataclass(frozen=True)
class Trust:
    """The keysets held.

    ``walk`` from the pinned one to the newest, ``below`` older ones for reading, ``texts`` to be stored.
    """

    walk: tuple[Keyset, ...]
    below: tuple[Keyset, ...]
    texts: tuple[str, ...]

    @property
    def newest(self) -> Keyset:
        """The keyset that new answers are held against."""
        return self.walk[-1]

    def advanced(self, text: str) -> Trust:
        """Return the trust after one more step; raises ``WireError`` where the text does not follow."""
        return replace(self, walk=(*self.walk, step(self.newest, text)), texts=(*self.texts, text))


def pinned(text: str) -> Trust:
    """Begin with the keyset that the host ships; raises ``WireError``."""
    return Trust((open_keyset(text),), (), (text,))


def resumed(start: Trust, stored: tuple[str, ...]) -> Trust:
    """Walk on from the pinned keyset through the stored ones."""
    known = [(keyset, text) for text in stored for keyset in [_glance(text)] if keyset is not None]
    trust = start
    for keyset, text in known:
        if keyset.version == trust.newest.version + 1:
            try:
                trust = trust.advanced(text)
            except WireError:
                break
    pin = start.newest
    older = [
        (keyset, text)
        for keyset, text in known
        if keyset.version < pin.version and _signed_by(trust.walk[0], keyset, text)
    ]
    kept = older[-KEYSETS_KEPT_BELOW_PIN:]
    return Trust(trust.walk, tuple(keyset for keyset, _ in kept), tuple(text for _, text in kept) + trust.texts)


def held_lease(trust: Trust, text: Optional[str]) -> Optional[tuple[Lease, bool]]:
    """Read a stored lease: with it, whether its key is in the newest keyset.

    None where there is none or no keyset verifies it.
    """
    return _held(trust, text, open_lease)


def held_statement(trust: Trust, text: Optional[str]) -> Optional[Statement]:
    """Read a stored statement; None where there is none or no keyset verifies it."""
    found = _held(trust, text, open_statement)
    return found[0] if found else None


def names_unknown_key(trust: Trust, text: object) -> bool:
    """Tell whether a lease or statement names a key that the newest keyset lacks, so that a newer keyset may help."""
    for typ in (LEASE_TYP, STATEMENT_TYP):
        try:
            kid = jws.split(text, typ=typ, member="kid", field="answer", max_bytes=MAX_ANSWER).header["kid"]
        except WireError:
            continue
        return isinstance(kid, str) and trust.newest.find(kid) is None
    return False


def _held(
    trust: Trust, text: Optional[str], reader: Callable[[str, Keyset], _Document]
) -> Optional[tuple[_Document, bool]]:
    if text is None:
        return None
    for keyset in (*reversed(trust.walk), *reversed(trust.below)):
        try:
            return reader(text, keyset), keyset is trust.newest
        except WireError:
            continue
    return None


def _glance(text: str) -> Optional[Keyset]:
    try:
        return open_keyset(text)
    except WireError:
        return None


def _signed_by(root: Keyset, keyset: Keyset, text: Union[str, bytes]) -> bool:
    """Tell whether a threshold of the pinned keyset's roots signed an older keyset."""
    try:
        step(replace(root, version=keyset.version - 1), text)
    except WireError:
        return False
    return True
