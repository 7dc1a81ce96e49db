"""The six files that come with the server: they load, differ where vendors differ, and no rule knows their names."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest

import tillkey_server
from tillkey_server.policies.difference import differences
from tillkey_server.policies.loader import bundled_policies
from tillkey_server.rules.policy import ProjectBinding

LOADED = bundled_policies()
POLICIES = {name: loaded.policy for name, loaded in LOADED.items()}
HOUSE = Path(tillkey_server.__file__).parent


def test_the_five_vendors_and_a_plain_default_are_bundled():
    assert list(POLICIES) == ["01generator", "crmjetty", "default", "netposa", "nexopos", "prestashop-care"]
    assert {policy.version for policy in POLICIES.values()} == {3}


@pytest.mark.clause("X-01")
@pytest.mark.parametrize(
    "name,support,updates,refund_days,refund_months",
    [
        ("nexopos", 12, 12, None, None),
        ("01generator", 3, 3, 30, None),
        ("crmjetty", 0, None, 30, None),
        ("netposa", 12, None, None, None),
        ("prestashop-care", 12, 12, None, 1),
        ("default", 12, 12, 30, None),
    ],
)
def test_each_vendor_has_its_own_clocks_and_every_use_right_is_perpetual(
    name, support, updates, refund_days, refund_months
):
    clocks = POLICIES[name].clocks
    assert (clocks.support_months, clocks.updates_months) == (support, updates)
    assert (clocks.refund_days, clocks.refund_months) == (refund_days, refund_months)
    assert clocks.use_months == 0


@pytest.mark.clause("NX-06", "BC-32", "NP-02")
def test_all_three_readings_of_the_binding_are_in_use():
    assert {name: policy.activation.project_binding for name, policy in POLICIES.items()} == {
        "nexopos": ProjectBinding.PERMANENT_AFTER_PRODUCTION,
        "01generator": ProjectBinding.PERMANENT_AFTER_PRODUCTION,
        "default": ProjectBinding.PERMANENT_AFTER_PRODUCTION,
        "prestashop-care": ProjectBinding.PERMANENT_FROM_FIRST_ACTIVATION,
        "crmjetty": ProjectBinding.WHILE_ACTIVE,
        "netposa": ProjectBinding.WHILE_ACTIVE,
    }
    assert [name for name, policy in POLICIES.items() if policy.activation.bind_site] == ["prestashop-care"]


@pytest.mark.clause("NX-04")
def test_nexopos_does_not_exempt_staging_and_others_do():
    exempt = [name for name, policy in POLICIES.items() if policy.activation.staging_exempt]
    assert exempt == ["crmjetty", "prestashop-care"]


@pytest.mark.clause("NX-48", "NX-50")
def test_every_policy_reminds_of_staging_after_30_days_and_none_takes_a_seat_by_itself():
    for policy in POLICIES.values():
        terms = policy.activation
        assert (terms.staging_stale_after, terms.release_unseen_after) == (timedelta(days=30), None)
        assert (terms.clauses.stale, terms.clauses.unseen) == (("NX-48",), ("NX-50",))


@pytest.mark.clause("NX-09")
def test_nexopos_allows_three_forced_deactivations_in_365_days_a_day_apart():
    forced = POLICIES["nexopos"].forced_deactivation
    assert (forced.limit, forced.window, forced.gap) == (3, timedelta(days=365), timedelta(hours=24))
    assert forced.recently_seen == timedelta(hours=48)


@pytest.mark.parametrize("name", list(POLICIES))
def test_every_till_beats_as_the_protocol_has_it_by_default(name):
    policy = POLICIES[name]
    assert (policy.heartbeat.every, policy.heartbeat.jitter_percent) == (timedelta(hours=6), 20)
    assert (policy.lease.soft, policy.lease.full) == (timedelta(days=7), timedelta(days=30))
    assert policy.lease.full_while_refundable == timedelta(days=10)


_OWN = {"nexopos": "NX", "01generator": "ZG", "crmjetty": "CJ", "netposa": "NP", "prestashop-care": "BC"}


@pytest.mark.parametrize("name,prefix", list(_OWN.items()))
def test_a_vendors_file_cites_its_own_clauses_and_adopted_ones_but_no_other_vendors(name, prefix):
    cited = set(re.findall(r'"([A-Z]+)-[0-9]{2}"', LOADED[name].source))
    assert prefix in cited
    assert cited <= {prefix, "NX", "K", "X"}


@pytest.mark.parametrize("name", list(POLICIES))
def test_the_comments_of_a_file_name_only_clauses_of_known_shape(name):
    for clause in re.findall(r"\b[A-Z]{1,2}-[0-9]+\b", LOADED[name].source):
        assert re.fullmatch(r"(NX|ZG|CJ|NP|BC|K|X)-[0-9]{2}", clause), clause


# The use cases are left out for the example catalogue, whose products are sold under these policies.
@pytest.mark.parametrize("room", ["rules", "policies", "store", "signing", "api"])
def test_no_code_knows_a_vendor_by_name(room):
    names = [*_OWN, "01generator", "netposa", "crmjetty", "prestashop"]
    for path in sorted((HOUSE / room).rglob("*.py")):
        text = path.read_text(encoding="utf-8").casefold()
        assert not [name for name in names if name in text], path


def test_any_two_policies_can_be_compared_and_told_as_json():
    for before in LOADED.values():
        for after in LOADED.values():
            told = [one.after for one in differences(before.source, after.source)]
            assert json.loads(json.dumps(told)) == told
