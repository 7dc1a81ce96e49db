"""What `[deadlines]` and `[support]` may not say together."""

import pytest

from tillkey_server.policies.loader import PolicyError, bundled_policies, parse_policy

SOURCES = {name: loaded.source for name, loaded in bundled_policies().items()}


def faults(name: str, old: str, new: str) -> dict[str, str]:
    text = SOURCES[name]
    assert old in text, old
    with pytest.raises(PolicyError) as caught:
        parse_policy(text.replace(old, new, 1), f"{name}.toml")
    return dict(caught.value.faults)


@pytest.mark.parametrize(
    ("name", "old", "new", "key"),
    [
        ("crmjetty", "alarm_days = 4", "alarm_days = 6", "deadlines.resolve.alarm_days"),
        ("nexopos", 'proposed\nstart = "received"', 'proposed\nstart = "accepted"', "deadlines.reply.start"),
        ("01generator", 'authoritative_language = "el" ', "#", "sale.authoritative_statement"),
        ("01generator", 'tasks = ["technical_issue"]', 'tasks = ["repair"]', "deadlines.fix.tasks"),
        ("prestashop-care", "[deadlines.ack]", "[deadlines.reply]", "deadlines.closures.pauses_ack"),
        ("nexopos", 'code = "nosup_abusive"', 'code = "nosup_support_expired"', "support.grounds.code"),
        ("nexopos", "exhaustive = false", "exhaustive = true", "support.exhaustive"),
        ("nexopos", 'versions = ["K-09"]\n', "", "support.clauses.versions"),
        ("01generator", 'tasks = ["install_advice"', 'tasks = ["hands_on", "install_advice"', "support.tasks"),
        ("nexopos", 'severities = ["severe"', 'severities = ["bad"', "support.hotfix.severities.0"),
        ("nexopos", 'code = "nosup_abusive"', 'code = "nosup_rainy_day"', "support.grounds.7.code"),
    ],
)
def test_a_contradiction_is_refused_by_its_key(name: str, old: str, new: str, key: str) -> None:
    assert list(faults(name, old, new)) == [key]


@pytest.mark.parametrize(
    ("name", "old", "new", "key"),
    [
        (
            "nexopos",
            "\nalways_free",
            "\noffers_published_by_request = true\nalways_free",
            "offers_published_by_request",
        ),
        ("nexopos", "[support.fix]", "[support.fix]\ncovers_reported_in_time = true", "covers_reported_in_time"),
        ("netposa", 'id = "web"', 'id = "web"\nregions = ["south"]', "regions"),
    ],
)
def test_a_key_that_nothing_reads_is_refused(name: str, old: str, new: str, key: str) -> None:
    [(named, reason)] = faults(name, old, new).items()
    assert (named.rpartition(".")[2], reason) == (key, "is no key of a policy")


@pytest.mark.clause("K-09")
@pytest.mark.parametrize("name", sorted(SOURCES))
def test_a_file_without_these_sections_still_loads(name: str) -> None:
    text = SOURCES[name].partition("\n[deadlines]")[0].partition("\n[support]")[0]
    policy = parse_policy(text, f"{name}.toml").policy
    assert (policy.deadlines, policy.support) == (None, None)
