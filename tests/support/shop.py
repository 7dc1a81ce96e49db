"""A shop: a server process, and machines whose tills run the real SDK over a line that a test may break.

A `Machine` is a computer: traits of its own, a folder for state, a line to the server. `till()` starts the program
anew each time: a new `LicenseClient` on that machine's folder.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import dataclass
from functools import cache
from io import StringIO
from itertools import count
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from tests.support import backups
from tests.support.commands import COMMAND
from tests.support.databases import Databases
from tests.support.premises import OWNER, Premises, stock_of
from tests.support.proxy import Line
from tests.support.server import IssuedKey, Serving
from tillkey import LicenseClient, Verdict
from tillkey.state import State
from tillkey.storage import StateFolder
from tillkey_server.ids import new_id

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

    def __init__(self, premises: Premises, server: Serving, folder: Path, open_things: ExitStack) -> None:
        self.premises = premises
        self.server = server
        self.folder = folder
        self.keyset = premises.installation.data_dir / "keyset.json"
        self._stock: defaultdict[tuple[str, str], list[IssuedKey]] = defaultdict(list)
        # An id of the time at which each license was taken: its activations come after it.
        self._taken: dict[str, str] = {}
        self._open_things = open_things

    def license(self, product: str = "pos-core", customer: str = OWNER) -> IssuedKey:
        """Take a license that no test has used."""
        if not self._stock[product, customer]:
            try:
                self._stock[product, customer] = [self.premises.license(product, customer)]
            except StopIteration:
                words = ("license", "issue", "--product", product, "--customer", customer, "--quantity", "100")
                issued = self.command(*words)["licenses"]
                more = [IssuedKey(entry["license_id"], entry["license_key"]) for entry in issued]
                self._stock[product, customer] = more
        sold = self._stock[product, customer].pop()
        self._taken[sold.license_id] = str(new_id())
        return sold

    def machine(self, name: str = "till", *, folder: Path | None = None) -> Machine:
        """Set up a computer with nothing on it."""
        number = next(_numbers)
        traits = {trait: f"{trait} of {name} {number}" for trait in ("machine_id", "hostname", "hardware")}
        line = Line(self.server.url)
        self._open_things.callback(line.close)
        return Machine(self, name, folder or self.folder / f"{name}-{number}", traits, line)

    def back_up(self) -> None:
        """Keep the database as it stands, as a backup at night does; the server is down meanwhile."""
        self.server.stop()
        asyncio.run(backups.back_up(self.premises))
        self.server.start()

    def restore(self) -> None:
        """Go back to the backup."""
        self.server.stop()
        asyncio.run(backups.restore(self.premises))
        self.server.start()

    def command(self, *words: str, exit_code: int = 0) -> Any:
        """Run a command of `tillkey-server` in this process, and return its document."""
        installation = self.premises.installation
        environment = {"TILLKEY_DATABASE_URL": installation.environment["TILLKEY_DATABASE_URL"]}
        arguments = [*words, "--data-dir", str(installation.data_dir), "--json"]
        told = StringIO()
        with patch.dict(os.environ, environment), redirect_stdout(told):
            code = COMMAND.main(arguments, "tillkey-server", standalone_mode=False) or 0
        assert code == exit_code, (words, code, told.getvalue())
        return json.loads(told.getvalue())

    def seats(self, license_: IssuedKey) -> list[tuple[str, str]]:
        """Return the id and status of a license's activations, the oldest first, as `activation list` shows them."""
        return [(one["id"], one["status"]) for one in self.activations(license_)]

    def activations(self, license_: IssuedKey) -> list[dict[str, Any]]:
        """Return a license's activations as `activation list` shows them."""
        page = self.command("activation", "list", "--limit", "200", "--after", self._taken[license_.license_id])
        return [item for item in page["items"] if item["license_id"] == license_.license_id]

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
    with ExitStack() as open_things:
        # The clone's database goes with its cluster, which may be gone already when a session's shop closes.
        premises = stock_of(databases, folders).clone(dialect, folders.mktemp("premises"))
        server = open_things.enter_context(premises.installation.serving())
        yield Shop(premises, server, folders.mktemp("machines"), open_things)


@pytest.fixture(scope="session")
def shops(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Shop]]:
    """Give `shops(dialect)`: the shop of this process on that engine, whose server no test may stop."""
    with ExitStack() as open_shops:

        @cache
        def shop_on(dialect: str) -> Shop:
            return open_shops.enter_context(open_shop(dialect, databases, tmp_path_factory))

        yield shop_on
