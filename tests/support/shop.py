"""A shop: a server process, and machines whose tills run the real SDK over a line that a test may break.

A `Machine` is a computer: traits of its own, a folder for state, a line to the server. `till()` starts the program
anew each time: a new `LicenseClient` on that machine's folder.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.support.databases import Databases
from tests.support.premises import OWNER, Premises, cloned
from tests.support.proxy import Line
from tests.support.server import IssuedKey, Serving
from tillkey import LicenseClient, Verdict
from tillkey.state import State
from tillkey.storage import StateFolder
from tillkey_server.cli.main import app

PROJECT = "Corner Shop"
EVERYTHING = ("sell", "reports", "loyalty")
"""What the default policy grants."""

_numbers = count(1)


@dataclass(frozen=True)
class Picture:
    """What a till's owner cares about."""

    status: str
    usable: bool
    entitlements: tuple[str, ...]
    activation: str | None


def picture(verdict: Verdict) -> Picture:
    """Return the part of a verdict that only a signed answer may change."""
    return Picture(verdict.status, verdict.usable, verdict.entitlements, verdict.activation)


NEVER_ACTIVATED = Picture("unlicensed", False, (), None)


def sells(verdict: Verdict) -> bool:
    """Tell whether a till has its full rights."""
    return (verdict.status, verdict.usable, verdict.entitlements) == ("valid", True, EVERYTHING)


class Shop:
    """One server and the machines around it."""

    def __init__(self, premises: Premises, server: Serving, folder: Path, closing: ExitStack) -> None:
        self.premises = premises
        self.server = server
        self.folder = folder
        self.keyset = premises.installation.data_dir / "keyset.json"
        self._closing = closing

    def license(self, product: str = "pos-core", customer: str = OWNER) -> IssuedKey:
        """Take a license that no test has used."""
        return self.premises.license(product, customer)

    def machine(self, name: str = "till", *, folder: Path | None = None) -> Machine:
        """Set up a computer with nothing on it."""
        number = next(_numbers)
        traits = {trait: f"{trait} of {name} {number}" for trait in ("machine_id", "hostname", "hardware")}
        line = Line(self.server.url)
        self._closing.callback(line.close)
        return Machine(self, name, folder or self.folder / f"{name}-{number}", traits, line)

    def command(self, *words: str, exit_code: int = 0) -> Any:
        """Run a command of `tillkey-server` in this process, and return its document."""
        installation = self.premises.installation
        told = CliRunner().invoke(
            app,
            [*words, "--data-dir", str(installation.data_dir), "--json"],
            env={"TILLKEY_DATABASE_URL": installation.environment["TILLKEY_DATABASE_URL"]},
        )
        if told.exception is not None and not isinstance(told.exception, SystemExit):
            raise told.exception
        assert told.exit_code == exit_code, (words, told.exit_code, told.stdout, told.stderr)
        return json.loads(told.stdout)

    def seats(self, license_: IssuedKey) -> list[tuple[str, str]]:
        """Return the id and status of a license's activations, the oldest first, as `activation list` shows them."""
        return [(one["id"], one["status"]) for one in self.activations(license_)]

    def activations(self, license_: IssuedKey) -> list[dict[str, Any]]:
        """Return a license's activations as `activation list` shows them."""
        found: list[dict[str, Any]] = []
        after: list[str] = []
        while True:
            page = self.command("activation", "list", "--limit", "200", *after)
            found += [item for item in page["items"] if item["license_id"] == license_.license_id]
            if page["next"] is None:
                return found
            after = ["--after", page["next"]]

    def explained(self, license_: IssuedKey) -> Explained:
        """Return what `license explain` tells of a license."""
        told = self.command("license", "explain", license_.license_id)
        chain = told["chain"]
        return Explained(
            seats=[(one["id"], one["status"]) for one in told["activations"]],
            suspicions=(chain["forks"], chain["switches"]),
            events=[event["kind"] for event in chain["events"]],
            decisions=[one["code"] for one in told["decisions"]],
        )


@dataclass(frozen=True)
class Explained:
    """A license as `license explain` shows it: who holds it, forks and switches, every event of its chain."""

    seats: list[tuple[str, str]]
    suspicions: tuple[int, int]
    events: list[str]
    decisions: list[str]


@dataclass(frozen=True)
class Machine:
    """A computer: what the fingerprint sees of it, the till's folder, and the line to the server."""

    shop: Shop
    name: str
    folder: Path
    traits: dict[str, str]
    line: Line

    def till(self, product: str = "pos-core", **options: Any) -> LicenseClient:
        """Start the program: a new client on this machine's folder."""
        settings = {"machine_traits": self.traits, "app_version": "1.0", **options}
        return LicenseClient(self.line.url, product, self.shop.keyset, self.folder, **settings)

    def activated(self, license_: IssuedKey, **options: Any) -> LicenseClient:
        """Start the program and activate it."""
        till = self.till()
        assert sells(till.activate(license_.license_key, **{"project": PROJECT, **options}))
        return till

    def state(self, product: str = "pos-core") -> State:
        """Return what the state folder holds of a product, as the SDK would read it."""
        issuer = self.shop.premises.keyset.issuer
        return StateFolder(self.folder, product, issuer).load().state or State(product, issuer)

    def rights(self, product: str = "pos-core") -> tuple[object, ...]:
        """Return the part of the state that only a signed answer may change."""
        held = self.state(product)
        return (held.lease, held.statement, held.chain, held.license_value, held.project, held.environment)

    @property
    def seq(self) -> int:
        """The number of the last step that this machine's till knows of, 0 for none."""
        chain = self.state().chain
        return 0 if chain is None else chain.seq

    def backup(self) -> Path:
        """Copy the state folder, as a backup at night does."""
        copy = self.folder.with_name(f"{self.folder.name}-backup-{next(_numbers)}")
        shutil.copytree(self.folder, copy)
        return copy

    def restore(self, copy: Path) -> None:
        """Put a copy in the state folder's place."""
        shutil.rmtree(self.folder)
        shutil.copytree(copy, self.folder)

    def wiped(self) -> Machine:
        """The same computer with its disk wiped."""
        shutil.rmtree(self.folder)
        return self

    def copied(self) -> Machine:
        """Another computer with a copy of this one's folder."""
        other = self.shop.machine(f"{self.name}-copy")
        shutil.copytree(self.folder, other.folder)
        return other


@contextmanager
def open_shop(dialect: str, databases: Databases, folders: pytest.TempPathFactory) -> Iterator[Shop]:
    """Set a server up on one engine, and serve."""
    with ExitStack() as closing:
        premises = closing.enter_context(cloned(dialect, databases, folders))
        server = closing.enter_context(premises.installation.serving())
        yield Shop(premises, server, folders.mktemp("machines"), closing)
