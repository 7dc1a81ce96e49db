"""A disk that is really full: tills are told "unavailable", whoever watches the server is told why, and it ends."""

import os
import resource
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.server import Installation, Serving
from tests.support.till import RawTill

SECONDS = 20.0
DISK = "16m"


class FullDisk:
    """A file system that a test may fill."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self, _server: Serving) -> None:
        """Leave no byte of it free."""
        with self._filler.open("wb", buffering=0) as file:
            for size in (2**20, 2**12, 1):
                try:
                    while True:
                        file.write(b"x" * size)
                except OSError:
                    continue

    def empty(self, _server: Serving) -> None:
        """Make room again."""
        self._filler.unlink()


class NoLongerFiles(FullDisk):
    """Where nothing may be mounted: the system lets the server's files grow no further than they are."""

    def fill(self, server: Serving) -> None:
        log = self.folder / "tillkey.sqlite-wal"
        resource.prlimit(server._process.pid, resource.RLIMIT_FSIZE, (log.stat().st_size, resource.RLIM_INFINITY))

    def empty(self, server: Serving) -> None:
        unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        resource.prlimit(server._process.pid, resource.RLIMIT_FSIZE, unlimited)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[FullDisk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(mounted, capture_output=True, check=False).returncode:
        yield NoLongerFiles(folder)
        return
    yield FullDisk(folder)
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def eventually(server: Serving, status: int) -> httpx.Response:
    """Ask for readiness until the answer is the awaited one: an answer is kept for a moment."""
    deadline = time.monotonic() + SECONDS
    while (told := httpx.get(f"{server.url}/readyz", trust_env=False)).status_code != status:
        assert time.monotonic() < deadline, told.text
        time.sleep(0.1)
    return told


async def test_a_server_whose_disk_is_full_is_not_ready_until_there_is_room(tmp_path, disk):
    url = f"sqlite:///{disk.folder}/tillkey.sqlite"
    installation = Installation(tmp_path / "data", database_url=url).init()
    first, second = installation.issue_many(2)
    with installation.serving() as server:
        async with server.client() as http:
            assert (await RawTill(http, installation.keyset).activate(first.license_key)).status == 201
            eventually(server, 200)
            disk.fill(server)
            till = RawTill(http, installation.keyset)
            refused = await till.activate(second.license_key)
            assert (refused.status, refused.body["code"]) == (503, "unavailable")
            checks = {check["name"]: check["ok"] for check in eventually(server, 503).json()["checks"]}
            assert checks == {"migrated": True, "keys": True, "database": False}
            assert (await http.get("/healthz")).status_code == 200
            disk.empty(server)
            eventually(server, 200)
            assert (await till.activate(second.license_key)).status == 201
