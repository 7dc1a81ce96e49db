"""docs/policies.md has a row for every key of a policy file and for none that is not there, and its commands work."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from tests.support.server import Installation
from tillkey_server.policies.loader import bundled_policies
from tillkey_server.policies.schema import Component, PolicyDocument

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "policies.md").read_text("utf-8")
_CLAUSE = re.compile(r"\b[A-Z]{1,4}-[0-9]{2,3}\b")


def keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Yield every key of the form as a dotted name."""
    for name, field in model.model_fields.items():
        # A section that may be left out is a union with None.
        forms = [one for one in (field.annotation, *get_args(field.annotation)) if isinstance(one, type)]
        section = next((one for one in forms if issubclass(one, BaseModel)), None)
        if section is not None:
            yield from keys(section, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the tables under a heading, the head's row left out."""
    section = re.search(rf"^## {heading}$(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)
    assert section is not None
    lines = [line for line in section[1].splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def test_every_key_has_one_row_in_the_files_order_and_no_row_names_another() -> None:
    assert [row[0].strip("| `") for row in rows("Every key")] == list(keys(PolicyDocument))


@pytest.mark.parametrize("row", rows("Every key"), ids=lambda row: row[0])
def test_a_row_tells_meaning_unit_and_clause(row: list[str]) -> None:
    assert len(row) == 4
    assert all(row)
    assert row[3] == "-" or _CLAUSE.findall(row[3])


def test_every_word_that_a_key_may_have_is_told() -> None:
    told = " ".join(row[2] for row in rows("Every key"))
    binding: Any = PolicyDocument.model_fields["activation"].annotation
    words = [*binding.model_fields["project_binding"].annotation.__args__, *Component.__args__, "no_end", "off"]
    assert [word for word in words if word not in told] == []


def test_every_clause_of_the_default_terms_and_of_the_page_is_explained() -> None:
    explained = {row[0].strip("| `") for row in rows("What the ids stand for")}
    cited = set(_CLAUSE.findall(bundled_policies()["default"].source))
    cited |= {clause for row in rows("Every key") for clause in _CLAUSE.findall(row[3])}
    assert sorted(cited - explained) == []
    families = {clause.split("-")[0] for one in bundled_policies().values() for clause in _CLAUSE.findall(one.source)}
    assert sorted(family for family in families if f"{family}-…" not in explained) == []


def test_the_five_steps_sell_a_product_under_terms_of_ones_own(tmp_path: Path) -> None:
    installation = Installation(tmp_path / "D").init()
    show, check, place, sell = re.findall(r"`((?:tillkey-server|mkdir) [^`]*acme[^`]*)`", PAGE)
    edit = "sed -i.bak 's/^name = .*/name = \"acme\"/' acme.toml"
    script = f"set -eu\n{show}\n{edit}\n{check}\n{place}\n{sell}"
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "acme-pos is on sale." in done.stdout
    products = installation.command("product", "list")["items"]
    assert {one["code"]: one["policy"] for one in products}["acme-pos"] == "acme"
