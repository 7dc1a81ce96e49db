"""docs/problems.md lists every option that an answer can name, and none that no answer names."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import tillkey_server
from tillkey_server.rules.forced_deactivation import _OPTIONS

PAGE = Path(__file__).resolve().parents[3] / "docs" / "problems.md"
SERVER = Path(tillkey_server.__file__).parent


def _words(node: ast.AST) -> Iterator[str]:
    for found in ast.walk(node):
        if isinstance(found, ast.Constant) and isinstance(found.value, str) and re.fullmatch("[a-z_]+", found.value):
            yield found.value


def _named(tree: ast.AST) -> Iterator[str]:
    """Yield the words of each `options=…`, of each `options = …` and of each function called `_options`."""
    for node in ast.walk(tree):
        match node:
            case ast.keyword(arg="options", value=ast.Tuple() | ast.IfExp() as value):
                yield from _words(value)
            case ast.Assign(targets=[ast.Name(id="options")], value=ast.Tuple() | ast.Subscript() as value):
                yield from _words(value)
            case ast.FunctionDef(name="_options"):
                for inner in ast.walk(node):
                    if isinstance(inner, ast.Return):
                        yield from _words(inner)


def test_the_page_lists_the_options_of_the_server() -> None:
    used = {option for options in _OPTIONS.values() for option in options}
    for path in SERVER.rglob("*.py"):
        used |= set(_named(ast.parse(path.read_text("utf-8"))))
    listed = re.findall(r"^\| `([a-z_]+)` \|", PAGE.read_text("utf-8").split("## The options")[1], flags=re.MULTILINE)
    assert len(listed) == len(set(listed))
    assert set(listed) == used
