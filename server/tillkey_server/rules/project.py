"""A project's name, as it is matched within one customer.

1. Two names are one project when they are equal after NFKC, case folding and single spaces (DESIGN section 4).
2. A renamed project keeps its id; only new matches use the new name (NX-02).
"""

from __future__ import annotations

import unicodedata

UNNAMED = "default"
"""The project of whoever names none, where the policy allows that."""


def normal_name(text: str) -> str:
    """Return the form in which names are compared; empty for a name of spaces alone."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    # Case folding can undo the composition of NFKC, so it is composed once more.
    return " ".join(unicodedata.normalize("NFKC", folded).split())
