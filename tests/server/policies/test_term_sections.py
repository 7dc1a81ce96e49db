"""What the sections about terms may not say together, or beside the clocks: refused by key and reason."""

import pytest

from tillkey_server.policies.loader import PolicyError, bundled_policies, parse_policy

ONE = bundled_policies()["01generator"].source
CARE = bundled_policies()["prestashop-care"].source


def faults(text: str) -> dict[str, str]:
    with pytest.raises(PolicyError) as caught:
        parse_policy(text, "x.toml")
    return dict(caught.value.faults)


def changed(old: str, new: str, text: str = ONE) -> str:
    assert text.count(old) == 1, old
    return text.replace(old, new)


@pytest.mark.clause("ZG-01", "ZG-16")
@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("updates_months = 3 ", "updates_months = 6 ", "clocks.updates_months"),
        ('extends = ["support", "updates"]', 'extends = ["support"]', "renewal.extends"),
        ('extends = ["support", "updates"]', 'extends = ["updates"]', "renewal.extends"),
        (
            "purchase_months = []                 # ZG-02: three months, no choice\npurchase_clocks = []",
            'purchase_months = [6]\npurchase_clocks = ["support"]',
            "terms.purchase_clocks",
        ),
    ],
)
def test_the_update_right_cannot_be_taken_out_of_the_one_window(old, new, key):
    assert "both are one" in faults(changed(old, new))[key]


@pytest.mark.clause("ZG-01")
def test_split_windows_may_differ():
    split = changed('window = "one"', 'window = "split"').replace("updates_months = 3 ", 'updates_months = "no_end" ')
    loaded = parse_policy(split.replace('extends = ["support", "updates"]', 'extends = ["support"]'), "x.toml")
    assert loaded.policy.clocks.updates_months is None


@pytest.mark.parametrize(
    ("text", "key", "reason"),
    [
        (changed("purchase_months = [] ", "purchase_months = [6] "), "terms.purchase_clocks", "stand together"),
        (changed("months = [3] ", "months = [3, 6] "), "renewal.price_percent", "one length"),
        (
            changed("price_percent = 30", "").replace("surcharge_percent = 0", "surcharge_percent = 9"),
            "renewal.late_surcharge_percent",
            "comes on top",
        ),
        (changed("[subscription]\nmonths = [12]", "[subscription]\nmonths = [6]", CARE), "subscription.months", "6 is"),
        (changed("months = [3] ", "months = [] "), "renewal.months", ""),
        (changed("months = [3] ", "months = [121] "), "renewal.months.0", ""),
    ],
)
def test_what_contradicts_itself_is_refused(text, key, reason):
    assert reason in faults(text)[key]
