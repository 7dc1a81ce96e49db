"""Money: integer minor units with a currency, never a float (K-07)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tillkey_server.errors import BadInput

# ISO 4217's exceptions to two decimal places; what is not listed has two.
_EXPONENTS = {
    **dict.fromkeys(
        ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV"), 0
    ),
    **dict.fromkeys(("XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}
_CURRENCY = re.compile(r"[A-Z]{3}")
_AMOUNT = re.compile(r"(?P<sign>-?)(?P<whole>[0-9]{1,15})(?:\.(?P<part>[0-9]{1,4}))? (?P<currency>[A-Z]{3})")


def exponent(currency: str) -> int:
    """Return how many decimal places a currency has (ISO 4217): EUR 2, JPY 0, KWD 3.

    Raises `BadInput` for what is not three capital letters.
    """
    if not _CURRENCY.fullmatch(currency):
        raise BadInput("currency", "three capital letters of ISO 4217 are needed")
    return _EXPONENTS.get(currency, 2)


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units (cents) of one currency; negative amounts are debts."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        """Refuse a currency that cannot be one (`BadInput`)."""
        exponent(self.currency)

    def display(self) -> str:
        """Return the amount as people write it, `49.90 EUR`; `parse` reads it back."""
        places = exponent(self.currency)
        sign = "-" if self.minor < 0 else ""
        digits = str(abs(self.minor)).rjust(places + 1, "0")
        if places == 0:
            return f"{sign}{digits} {self.currency}"
        return f"{sign}{digits[:-places]}.{digits[-places:]} {self.currency}"


def percent_of(minor: int, percent: int) -> int:
    """Return a percentage of an amount that is not negative, in minor units, rounded half up once (K-07)."""
    return (minor * percent * 2 + 100) // 200


def parse(text: str) -> Money:
    """Return the amount that a text like `49.90 EUR`, `5 EUR` or `1200 JPY` names.

    Raises `BadInput` for another form and for more decimal places than the currency has: rounding would invent money.
    """
    match = _AMOUNT.fullmatch(text.strip())
    if match is None:
        raise BadInput("price", "an amount and a currency are needed, like 49.90 EUR")
    places = exponent(match["currency"])
    part = match["part"] or ""
    if len(part) > places:
        raise BadInput("price", f"{match['currency']} has {places} decimal places")
    minor = int(match["whole"] + part.ljust(places, "0"))
    return Money(-minor if match["sign"] else minor, match["currency"])
