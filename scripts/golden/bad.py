"""The file of bad documents: what each is, what it must be refused for, and the good one that it was."""

from __future__ import annotations

from collections.abc import Mapping

from scripts.golden import bad_answers, bad_requests
from scripts.golden.documents import Vector
from scripts.golden.spoilt import Row


def _vectors(kind: str, mended: str, rows: Mapping[str, Row], *, reader: str = "anyone") -> list[Vector]:
    return [
        {"name": name, "kind": kind, "mended": mended, "reader": reader, "code": code, "field": field, "text": text}
        for name, (text, code, field) in rows.items()
    ]


def bad_vectors() -> list[Vector]:
    """Gather every bad document, kind by kind."""
    made: list[Vector] = []
    for mended, rows in bad_requests.bad_requests().items():
        made += _vectors("request", mended, rows)
    made += _vectors("lease", "perpetual", bad_answers.bad_leases())
    made += _vectors("statement", "revoked", bad_answers.bad_statements())
    made += _vectors("keyset", "v2", bad_answers.bad_keysets())
    for kind, good in (("lease", bad_answers.good_lease()), ("statement", bad_answers.good_statement())):
        mended = "perpetual" if kind == "lease" else "revoked"
        made += _vectors(kind, mended, bad_answers.of_another_request(good), reader="session")
    return made
