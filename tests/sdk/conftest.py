from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.sdk.http_server import LocalServer, local_server
from tests.sdk.license_server import LicenseServer
from tests.sdk.tills import Clock, PaperTill
from tillkey import LicenseClient


@pytest.fixture
def server() -> LicenseServer:
    return LicenseServer()


@pytest.fixture
def till(server: LicenseServer) -> PaperTill:
    return PaperTill(server)


@pytest.fixture
def http(server: LicenseServer) -> Iterator[LocalServer]:
    with local_server() as running:
        running.serve(server)
        yield running


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def make_client(server: LicenseServer, http: LocalServer, clock: Clock, folder: Path) -> Callable[..., LicenseClient]:
    def make(**changes: object) -> LicenseClient:
        arguments = {
            "server": http.address,
            "product": server.product,
            "pinned_keyset": server.keysets[1],
            "state_dir": folder,
            "clock": clock,
            "machine_traits": {"hardware": "board-1"},
            **changes,
        }
        return LicenseClient(**arguments)

    return make


@pytest.fixture
def client(make_client: Callable[..., LicenseClient]) -> LicenseClient:
    return make_client()


@pytest.fixture
def state_file(folder: Path) -> Callable[[], dict]:
    def read(product: str = "pos-core") -> dict:
        return json.loads((folder / f"tillkey-{product}.json").read_bytes())["state"]

    return read
