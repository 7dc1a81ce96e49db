"""Lists about money ask the database as often for many as for one."""

from uuid import UUID

from tests.server.usecases.test_heartbeat_statements import counted
from tests.support.refunding import NX, Desk, desk  # noqa: F401 - fixture
from tillkey_server.usecases.install_credit import list_install_credits
from tillkey_server.usecases.refunds import list_refunds


async def test_lists_of_refunds_and_of_free_installations_take_as_many_statements_for_many_as_for_one(
    desk: Desk,  # noqa: F811
) -> None:
    services = desk.house.services

    async def statements() -> tuple[int, int]:
        asked = await desk.ask(await desk.sell(NX), "mistake")
        customer = UUID(str(asked["customer_id"]))
        with counted(services.db) as of_refunds:
            await list_refunds(services, customer_id=customer)
        with counted(services.db) as of_credits:
            await list_install_credits(services, customer)
        return len(of_refunds), len(of_credits)

    one = await statements()
    assert [await statements() for _ in range(2)] == [one, one]
