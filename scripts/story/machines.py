"""The machines of the story: each with its own disk, its own name and its own till."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from examples.till.licensing import Setup
from examples.till.till import Till


@dataclass(frozen=True)
class Machine:
    """One computer in the shop, played by a folder; `traits` stand for what the SDK would read from real hardware."""

    name: str
    folder: Path

    @property
    def traits(self) -> dict[str, str]:
        """What tells this machine from the others."""
        return {
            "machine_id": f"board-{self.folder.parent.name}-{self.name}",
            "hostname": f"{self.name}.shop.example",
            "hardware": f"cpu-and-disk-of-{self.folder.parent.name}-{self.name}",
            "location": str(self.folder),
        }

    def install(self, shop: str, server: str, keyset: Path) -> Till:
        """Install the till program: write its settings and start it. It is not activated yet."""
        Setup(shop, server, str(keyset), self.traits).save(self.folder)
        return self.boot()

    def boot(self) -> Till:
        """Start the till program again, knowing only what is on the machine's disk."""
        return Till(self.folder)


def next_run(tills: Path) -> Path:
    """Make and return the folder of the next run: `run-1`, then `run-2`, and so on."""
    tills.mkdir(parents=True, exist_ok=True)
    taken = [int(found.name[4:]) for found in tills.glob("run-*") if found.name[4:].isdecimal()]
    folder = tills / f"run-{max(taken, default=0) + 1}"
    folder.mkdir()
    return folder
