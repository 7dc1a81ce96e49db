"""docs/policies.md has a row for every key of a policy file and for none that is not there, and its commands work."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from scripts.clauses import clauses_of
from scripts.situations import devices, page, refunds, releases, sales, support, terms
from scripts.situations.asking import NOW, answered
from tests.support.server import Installation
from tillkey_server.policies.loader import LoadedPolicy, bundled_policies, parse_policy
from tillkey_server.policies.schema import Component, PolicyDocument
from tillkey_server.rules.decision import Decision
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.trial import decide_trial

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "policies.md").read_text("utf-8")
SILENCE: Mapping[str, Callable[[Policy], Decision]] = {
    "trial": lambda policy: decide_trial(None, policy, NOW),
    "renewal": terms.renewed_one_day_before_the_end.ask,
    "subscription": terms.renews_by_itself.ask,
    "support": support.a_plain_fault.ask,
    "sale": sales.extension_without_core.ask,
    "account": sales.key_shared.ask,
    "updates": releases.published_before_the_end.ask,
    "warranty": devices.a_board_failed.ask,
    "quotes": devices.price_told.ask,
    "refund": refunds.bought_by_mistake.ask,
}
"""What is asked of terms without a section, where silence has a code."""
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


def test_every_clause_that_the_default_terms_and_the_page_cite_is_among_the_clauses() -> None:
    cited = set(_CLAUSE.findall(bundled_policies()["default"].source))
    cited |= {clause for row in rows("Every key") for clause in _CLAUSE.findall(row[3])}
    assert sorted(cited - set(clauses_of(ROOT))) == []
    explained = {row[0].strip("| `") for row in rows("What the ids stand for")}
    families = {clause.split("-")[0] for one in bundled_policies().values() for clause in _CLAUSE.findall(one.source)}
    assert sorted(family for family in families if f"{family}-…" not in explained) == []


def test_every_section_that_may_be_left_out_has_a_row_and_no_other_has_one() -> None:
    told = [row[0].strip("| `[]") for row in rows("What may be left out")]
    assert told == [name for name, field in PolicyDocument.model_fields.items() if not field.is_required()]


@pytest.mark.parametrize("row", rows("What may be left out"), ids=lambda row: row[0].strip("| `[]"))
def test_silence_is_answered_as_the_page_says(row: list[str]) -> None:
    section, code = row[0].strip("| `[]"), row[2].strip("` ")
    whole = next(
        one.policy for one in bundled_policies().values() if section == "trial" or getattr(one.policy, section)
    )
    silent = replace(whole, **{section: None})
    if code == "-":
        assert section not in SILENCE
        assert silent.ref == whole.ref
    else:
        assert SILENCE[section](silent).code.value == code


def test_without_a_promised_time_nobody_is_late() -> None:
    timed = [one.policy for one in bundled_policies().values() if one.policy.deadlines is not None]
    found = [refunds.nobody_answered.ask(replace(policy, deadlines=None)) for policy in timed]
    assert [one.code for one in found if one.allowed] == []


def small_vendor() -> LoadedPolicy:
    """Return the page's worked example, made of the default terms as the page says."""
    text = bundled_policies()["default"].source
    (block,) = re.findall(r"^```diff\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    for hunk in re.split(r"^@@.*\n", block, flags=re.MULTILINE)[1:]:
        lines = hunk.splitlines(keepends=True)
        old, new = ("".join(line[1:] for line in lines if line[0] in kept) for kept in (" -", " +"))
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    cut = re.search(r"^Then cut what this vendor .*?\.", PAGE, re.DOTALL | re.MULTILINE)
    assert cut is not None
    for name in re.findall(r"`\[([a-z]+)\]`", cut[0]):
        assert f"\n[{name}]" in text
        text = re.sub(rf"^\[+{name}[].](.|\n)*?(?=^\[|\Z)", "", text, flags=re.MULTILINE)
        assert f"[{name}" not in text
    return parse_policy(text, "corner.toml")


def test_the_small_vendors_terms_are_taken_and_answer_as_the_page_says(tmp_path: Path) -> None:
    loaded = small_vendor()
    (tmp_path / "corner.toml").write_text(loaded.source, encoding="utf-8")
    checked = Installation(tmp_path / "D").init(examples=False).run("policy", "check", str(tmp_path / "corner.toml"))
    assert checked.exit_code == 0, checked.stderr
    told = re.search(r"^\| situation \| answer \|\n\| --- \| --- \|\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    assert told is not None
    by_sentence = {one.sentence: one for one in page.situations()}
    for line in told[1].splitlines():
        sentence, answer = line.strip("| ").split(" | ")
        assert page.cell(answered(by_sentence[sentence], loaded.policy)) == answer


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
