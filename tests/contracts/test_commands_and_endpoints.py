"""Every command of the command line is also an endpoint, and the reverse, through the same use case."""

import ast
import importlib
import inspect
import pkgutil
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from typer.main import get_command

from tillkey_server import usecases
from tillkey_server.api.administration.table import ENDPOINTS
from tillkey_server.cli.main import app
from tillkey_server.policies import loader

# What is done to the machine itself, by whoever is logged in there: over HTTP it would need what it is to make.
OF_THE_MACHINE = {
    "init": "makes the keys that the server answers with",
    "migrate": "runs before the server can",
    "serve": "is the server",
    "doctor": "looks at files and their modes; over HTTP there are /readyz and /metrics",
    "backup": "holds every secret: it never leaves over HTTP",
    "restore": "replaces the server's data",
    "keys list": "tells which private keys lie on this machine; the public ones are at /v1/keyset and in the JWK set",
    "keys rotate": "reads the root key, which never travels, and writes private keys to files",
    "keys prepare": "writes a private key to a file",
    "keys sign": "reads the root key, on a machine that serves nobody",
    "keys publish": "changes the files that a server starts with, and decides by the private keys that lie beside them",
    "keys new-root": "writes a root key to a file, on a machine that serves nobody",
    "jobs run": "is what a running server does by itself",
}
# What programs ask and people at the machine need not.
OF_PROGRAMS = {"who_am_i": "tells a caller about its own API key; at the command line nobody has one"}


def commands(command: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Yield every command as it is typed, with the function behind it."""
    for name, member in getattr(command, "commands", {}).items():
        if hasattr(member, "commands"):
            yield from commands(member, (*words, name))
        else:
            yield " ".join((*words, name)), inspect.unwrap(member.callback)


COMMANDS = dict(sorted(commands(get_command(app))))
ROOMS = [importlib.import_module(f"{usecases.__name__}.{one.name}") for one in pkgutil.iter_modules(usecases.__path__)]
# Policies are files: the command reads one from the disk, a program sends one, and the loader is what both share.
USE_CASES = {
    name: member
    for module in (*ROOMS, loader)
    for name, member in ((name, inspect.unwrap(one)) for name, one in vars(module).items() if callable(one))
    if inspect.isfunction(member) and not name.startswith("_") and member.__module__ == module.__name__
}


COMMON = {"open_services", "naming_the_database", "refuse_unmigrated", "page_of", "paging_of", "shown", "settled"}
"""What every command or list has behind it."""


def behind(function: Callable[..., Any], depth: int = 3) -> set[str]:
    """Return the use cases that a function names, itself, through the helpers of its module, or through others."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    named = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    named |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    named |= {one.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for one in node.names}
    own = vars(inspect.getmodule(function))
    further = [found for name in named for found in (own.get(name), USE_CASES.get(name))] if depth else []
    return (named & USE_CASES.keys()).union(
        *(behind(one, depth - 1) for one in further if inspect.isfunction(one) and one is not function)
    ) - COMMON


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_also_an_endpoint(command: str) -> None:
    assert command in {row.command for row in ENDPOINTS} | OF_THE_MACHINE.keys()


@pytest.mark.parametrize("row", ENDPOINTS, ids=lambda row: row.name)
def test_an_endpoint_is_also_a_command_through_the_same_use_case(row) -> None:
    if row.name not in OF_PROGRAMS:
        assert behind(row.run) & behind(COMMANDS[row.command])


def test_the_exceptions_are_still_there() -> None:
    assert OF_THE_MACHINE.keys() <= COMMANDS.keys()
    assert OF_PROGRAMS.keys() <= {row.name for row in ENDPOINTS}
