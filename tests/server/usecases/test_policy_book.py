from datetime import timedelta

import pytest

from tillkey_server.policies.loader import PolicyError, bundled_policies, parse_policy
from tillkey_server.rules.policy import PolicyRef
from tillkey_server.store import policies
from tillkey_server.usecases.policy_book import PolicyBook


@pytest.mark.clause("K-09")
async def test_terms_that_were_sold_under_are_read_though_a_later_server_would_refuse_the_file(house):
    source = bundled_policies()["default"].source.replace("version = 3", "version = 1")
    source = source.replace("use_months = 0", "use_months = 1").replace('\nfull = "30d"', '\nfull = "40d"')
    with pytest.raises(PolicyError, match=r"lease\.full"):
        parse_policy(source, "default.toml")
    async with house.services.db.writing() as tx:
        await policies.record(tx, policies.PolicyVersionRow("default", 1, "0" * 64, source, house.clock.now()))
        sold_under = await PolicyBook(house.services.policies.files()).of(tx, PolicyRef("default", 1))
    assert (sold_under.clocks.use_months, sold_under.lease.full) == (1, timedelta(days=40))
