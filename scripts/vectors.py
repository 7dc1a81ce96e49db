"""Golden vectors: documents of the protocol whose bytes never change. This writes the missing ones and edits none.

Every key's seed is the SHA-256 of a label that stands in the code, so that no private key is in the repository and
anybody can make the same documents. Nothing in the product trusts these keys. See tests/vectors/README.md.

    python -m scripts.vectors          add what is missing
    python -m scripts.vectors --check  only compare
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scripts.golden import bad, documents, refused

ROOT = Path(__file__).resolve().parents[1]


def build() -> dict[str, Any]:
    """Make all vectors, by their file's path in the repository."""
    return {
        "tests/vectors/keys.json": documents.key_vectors(),
        "tests/vectors/keysets.json": documents.keyset_vectors(),
        "tests/vectors/requests.json": documents.request_vectors(),
        "tests/vectors/answers.json": documents.answer_vectors(),
        "tests/vectors/license_keys.json": documents.license_key_vectors(),
        **{f"tests/vectors/refused_{kind}s.json": made for kind, made in refused.refused_vectors().items()},
        "tests/vectors/bad_documents.json": bad.bad_vectors(),
        **{f"keys/vectors/{label}.json": documents.private(label).public.jwk() for label in documents.KEYS},
    }


def extends(made: Any, held: Any) -> bool:
    """Tell whether ``made`` is what is held, or a list that goes on where the one held ends."""
    if isinstance(made, list) and isinstance(held, list):
        return made[: len(held)] == held
    return bool(made == held)


def update(root: Path, made: Mapping[str, Any], *, check: bool) -> list[str]:
    """Compare the files under ``root`` with ``made``, add what is missing unless ``check``, and name the files behind.

    Raises ``ValueError`` where a vector that is held would change or vanish.
    """
    behind = []
    for path, vectors in made.items():
        file = root / path
        text = json.dumps(vectors, indent=2) + "\n"
        if file.exists():
            if not extends(vectors, json.loads(file.read_text("ascii"))):
                raise ValueError(f"{path}: golden vectors are never edited, only added to at the end")
            if file.read_text("ascii") == text:
                continue
        behind.append(path)
        if not check:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, "ascii")
    return behind


def main() -> int:
    """Write or compare; 1 where something is missing or would change."""
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    arguments.add_argument("--check", action="store_true", help="write nothing")
    check = arguments.parse_args().check
    try:
        behind = update(ROOT, build(), check=check)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    for path in behind:
        print(f"{'missing vectors' if check else 'added to'}: {path}")
    return 1 if check and behind else 0


if __name__ == "__main__":
    sys.exit(main())
