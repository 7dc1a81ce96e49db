"""All that this till knows of licensing: where its settings lie, and the SDK in five lines.

The till's own manners, which the SDK leaves to it:

- it asks `check()` before a sale begins and never in the middle of one;
- a server that cannot be reached is shown on the status line and stops nothing;
- an extra is on while its entitlement is in the verdict, so extras go off by themselves when the lease has run out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from tillkey import LicenseClient

PRODUCT = "pos-core"
LOYALTY = "loyalty"


@dataclass(frozen=True)
class Setup:
    """What the vendor's installer writes once: the shop, the license server and the keyset that the till trusts.

    `machine` replaces the traits of the real machine, so that one computer can play several; None takes the real ones.
    """

    shop: str
    server: str
    keyset: str
    machine: Mapping[str, str] | None = None

    def save(self, folder: Path) -> None:
        """Write the settings into the till's folder, which is made if need be."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "till.json").write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Setup:
        """Read the settings. Raises `FileNotFoundError` for a till that was never set up."""
        return cls(**json.loads((folder / "till.json").read_text(encoding="utf-8")))


def open_client(setup: Setup, folder: Path) -> LicenseClient:
    """Return the SDK's client with this till's own state folder; nothing goes over the network yet."""
    return LicenseClient(
        server=setup.server,
        product=PRODUCT,
        pinned_keyset=setup.keyset,
        state_dir=folder / "license",
        machine_traits=setup.machine,
    )
