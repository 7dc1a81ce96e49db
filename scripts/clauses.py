"""Every clause of docs/clauses.md with its form, its code and the tests that prove it.

    python -m scripts.clauses              the table
    python -m scripts.clauses NX ZG-05     only these families or ids
    python -m scripts.clauses --json       for programs

Exits with 1 where an id has no test; where a *rule* has none that asserts the id in a decision which it got through the
server; and where a test names an id that the page does not have. Exits with 2 where it is asked for a family or an id
that the page does not have. A test names ids by `@pytest.mark.clause("NX-09")`, on itself or on its module. It asserts
an id where the id stands in its body, in a parameter of its own or in a constant of its module that it uses; a
docstring is no assertion.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
PAGE = "docs/clauses.md"
_ROW = re.compile(r"^\| (?P<id>[A-Z]{1,2}-[0-9]{2}) \| (?P<form>[a-z]+) \| (?P<rest>.*) \|$", re.MULTILINE)
_ID = re.compile(r"\b(?:NX|ZG|CJ|NP|BC|K|X|V)-[0-9]{2}\b")
_CODE = re.compile(r"`([a-z]+(?:_[a-z0-9]+)+)`")
_WIDE = 140
THROUGH_THE_SERVER = ("tests/server/clauses/", "tests/server/api/", "tests/scenarios/")
"""Where tests ask the server, and not a rule by itself."""
FORMS = frozenset({"rule", "record", "statement", "convention", "vector", "later"})


@dataclass(frozen=True)
class Proof:
    """A test that names an id: where it is, and whether it asserts the id and asks the server."""

    test: str
    asserts: bool
    through_the_server: bool


@dataclass
class Clause:
    """One id of the page; `codes` are those that its row names."""

    id: str
    form: str
    codes: list[str]
    proofs: list[Proof] = field(default_factory=list)

    @property
    def fault(self) -> str:
        """Say what is missing; empty where the clause is proved."""
        if self.form not in FORMS:
            return f"has the form {self.form!r}, which is none of {', '.join(sorted(FORMS))}"
        if not self.proofs:
            return "" if self.form == "later" else "has no test"
        if self.form == "rule" and not any(one.asserts and one.through_the_server for one in self.proofs):
            return "has no test that asserts the id in an answer of the server"
        return ""


def clauses_of(root: Path) -> dict[str, Clause]:
    """Read the page, and the tests that prove it. A row that is there twice is a ValueError."""
    found: dict[str, Clause] = {}
    for row in _ROW.finditer((root / PAGE).read_text("utf-8")):
        if row["id"] in found:
            msg = f"{row['id']} has two rows"
            raise ValueError(msg)
        found[row["id"]] = Clause(row["id"], row["form"], _CODE.findall(row["rest"])[:4])
    return found


def proofs_of(root: Path) -> Iterator[tuple[str, Proof]]:
    """Yield every id that a test names, with the proof."""
    for path in sorted((root / "tests").rglob("test_*.py")):
        name = path.relative_to(root).as_posix()
        module = ast.parse(path.read_text("utf-8"))
        constants = _constants(module)
        everywhere = _marked(_module_marks(module))
        for test in _tests(module):
            said = _said(test, constants)
            for clause in sorted(everywhere | _marked(test.decorator_list)):
                proof = Proof(f"{name}::{test.name}", clause in said, name.startswith(THROUGH_THE_SERVER))
                yield clause, proof


def judged(root: Path) -> tuple[dict[str, Clause], list[str]]:
    """Return every clause with its proofs, and every fault in a sentence."""
    found = clauses_of(root)
    faults = []
    for clause, proof in proofs_of(root):
        if clause in found:
            found[clause].proofs.append(proof)
        elif _ID.fullmatch(clause):
            faults.append(f"{proof.test} names {clause}, which {PAGE} does not have")
    faults += [f"{one.id} {one.fault}" for one in found.values() if one.fault]
    return found, faults


def _tests(module: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield node


def _module_marks(module: ast.Module) -> list[ast.expr]:
    named = [
        node.value
        for node in module.body
        if isinstance(node, ast.Assign)
        and any(isinstance(one, ast.Name) and one.id == "pytestmark" for one in node.targets)
    ]
    return [mark for value in named for mark in (value.elts if isinstance(value, ast.List | ast.Tuple) else [value])]


def _marked(decorators: Sequence[ast.expr]) -> set[str]:
    """Return the ids of `@pytest.mark.clause(…)` among decorators."""
    calls = [one for one in decorators if isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute)]
    return {
        str(argument.value)
        for call in calls
        if isinstance(call.func, ast.Attribute) and call.func.attr == "clause"
        for argument in call.args
        if isinstance(argument, ast.Constant)
    }


def _said(test: ast.FunctionDef | ast.AsyncFunctionDef, constants: dict[str, set[str]]) -> set[str]:
    """Return the ids that stand in a test: in its body, in what parametrizes it, in the constants that it uses."""
    parameters = [
        one
        for one in test.decorator_list
        if isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute) and one.func.attr == "parametrize"
    ]
    body = test.body[1:] if ast.get_docstring(test) else test.body
    nodes = [node for part in (*parameters, *body) for node in ast.walk(part)]
    named = {one.id for one in nodes if isinstance(one, ast.Name)}
    return _ids(nodes).union(*(ids for name, ids in constants.items() if name in named))


def _constants(module: ast.Module) -> dict[str, set[str]]:
    """Return the ids in each constant and helper of a module, by name."""
    found: dict[str, set[str]] = {}
    for node in module.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                if isinstance(target, ast.Name) and target.id != "pytestmark":
                    found[target.id] = _ids(ast.walk(node.value))
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("test_"):
            found[node.name] = _ids(ast.walk(node))
    return found


def _ids(nodes: Iterator[ast.AST] | list[ast.AST]) -> set[str]:
    return {
        clause
        for node in nodes
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for clause in _ID.findall(node.value)
    }


@cache
def _wanted(words: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"^{re.escape(word)}" for word in words) or "")


def _show(found: dict[str, Clause], faults: list[str]) -> None:
    table = Table("id", "form", "code", "tests", title="Clauses")
    for one in found.values():
        asserted = sum(proof.asserts and proof.through_the_server for proof in one.proofs)
        shown = one.proofs[0].test.removeprefix("tests/") if one.proofs else ""
        more = f" and {len(one.proofs) - 1} more" if len(one.proofs) > 1 else ""
        color = "red" if one.fault else "dim" if one.form == "later" else "green"
        table.add_row(one.id, one.form, ", ".join(one.codes[:2]), f"[{color}]{asserted}[/]  {shown}{more}")
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDE)
    console.print(table)
    for fault in faults:
        console.print(f"[red]{fault}[/]")
    proved = sum(not one.fault for one in found.values())
    console.print(f"clauses: {proved} of {len(found)} proved")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; return 1 where something is missing."""
    parser = argparse.ArgumentParser(prog="make clauses", description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("ids", nargs="*", help="families or ids; none: all")
    parser.add_argument("--json", action="store_true", help="print a document for programs")
    told = parser.parse_args(arguments)
    everything, faults = judged(ROOT)
    unknown = [word for word in told.ids if not any(name.startswith(word) for name in everything)]
    if unknown:
        families = dict.fromkeys(name.partition("-")[0] for name in everything)
        parser.error(f"{PAGE} has no {', '.join(unknown)}; its families are {', '.join(families)}")
    wanted = _wanted(tuple(told.ids))
    found = {name: one for name, one in everything.items() if wanted.match(name)}
    faults = [fault for fault in faults if not told.ids or wanted.match(fault)]
    if told.json:
        document = {"clauses": [{**asdict(one), "fault": one.fault} for one in found.values()], "faults": faults}
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
    else:
        _show(found, faults)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
