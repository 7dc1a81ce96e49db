"""A warranty claim that a test drives through the API."""

from typing import Any

from tests.support.house import House

DEVICE = "netposa-terminal"
OWNER = "owner@shop.example"


class Claim:
    """A claim that a test drives through the API."""

    def __init__(self, http: Any, house: House, sold: Any) -> None:
        self.http, self.house, self.sold = http, house, sold
        self.path = ""

    async def post(self, path: str, **body: Any) -> Any:
        answer = await self.http.post(path, json=body)
        assert answer.status_code in {200, 201, 403, 409}, answer.text
        return answer.json()

    async def contract(self, starts_on: str = "2026-03-02", **more: Any) -> Any:
        body = {"number": "C-1", "serial": "S-1", "starts_on": starts_on, "start_basis": "delivery"}
        return await self.post(f"/v1/licenses/{self.sold.license_id}/warranty-contract", **(body | more))

    async def preview(self, **more: Any) -> Any:
        return await self.post("/v1/warranty-claims/preview", license_id=str(self.sold.license_id), **more)

    async def open(self, **more: Any) -> Any:
        told = {"serial": "S-1", "symptoms": "it does not start", "diagnostics": "boot.log"}
        body = {"license_id": str(self.sold.license_id)} | told | more
        opened = await self.post("/v1/warranty-claims", **body)
        self.path = f"/v1/warranty-claims/{opened.get('claim_id')}"
        return opened

    async def find(self, ground: str, **more: Any) -> Any:
        body = {"fault": "board", "ground": ground, "caused": True, "evidence": "a photograph"}
        return await self.post(f"{self.path}/findings", **(body | more))

    async def do(self, verb: str, **body: Any) -> Any:
        return await self.post(f"{self.path}/{verb}", **body)

    async def show(self) -> Any:
        return (await self.http.get(self.path)).json()


async def claimed(house: House, http: Any, ground: str | None = None, **more: Any) -> Claim:
    """Sell a device with its contract and open a claim; with a ground, find that."""
    claim = Claim(http, house, await house.license(DEVICE, OWNER))
    await claim.contract()
    await claim.open()
    if ground is not None:
        await claim.find(ground, **more)
    return claim
