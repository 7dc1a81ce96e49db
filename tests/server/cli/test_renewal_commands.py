"""The commands about renewals, terms and automatic renewals, told to people and to programs."""


def test_a_renewal_is_asked_about_told_and_shown(shell):
    sold = shell.issue()["license_id"]
    asked = shell.json("license", "renewal-preview", sold)
    assert (asked["code"], asked["facts"]["price"]) == ("renewal_quote", "59.60 EUR")
    assert asked["facts"]["last_day"] in shell.run("license", "renewal-preview", sold).stdout
    told = ("license", "renew", sold, "--number", "R-1", "--amount", "59.60 EUR")
    assert shell.json(*told)["code"] == "renewed_appended"
    assert shell.json(*told)["code"] == "renewal_already_recorded"
    other = shell.json("license", "renew", sold, "--number", "R-1", "--amount", "1.00 EUR", exit_code=1)
    assert other["code"] == "order_differs"
    shown = shell.json("license", "terms", sold)
    assert [one["kind"] for one in shown["clocks"]["support"]["segments"]] == ["purchase", "renewal"]
    assert "support: until" in shell.run("license", "terms", sold).stdout
    assert shell.json("license", "care", sold, "--language", "fr")["words"].startswith("Le service")
    assert shell.json("license", "care", sold, "--at", "2001-01-01T00:00:00Z")["code"] == "care_inactive"


def test_automatic_renewals_are_begun_cancelled_and_taken_up_again(shell):
    sold = shell.issue()["license_id"]
    assert "Nothing is renewed" in shell.run("license", "subscription", sold).stdout
    assert shell.json("license", "subscribe", sold, "--months", "12")["facts"]["price"] == "59.60 EUR"
    assert shell.json("license", "cancel-renewal", sold)["code"] == "renewal_cancelled"
    assert "goes on" in shell.run("license", "resume-renewal", sold).stdout
    assert shell.json("license", "subscription", sold)["subscription"]["cancelled_at"] is None
    assert "59.60 EUR" in shell.run("license", "subscription", sold).stdout
    done = shell.json("jobs", "run")
    assert done["renewals"] == {"cancelled": 0, "created": 0, "blocked": 0}
    assert (done["accounts"], done["orders"]) == ({"ended": 0}, {"refund_proposed": 0})


def test_a_refusal_by_the_terms_says_so(shell):
    sold = shell.issue()["license_id"]
    refused = shell.run("license", "cancel-renewal", sold)
    assert "subscription_none" in refused.stderr
    assert "This license has no automatic renewal." in refused.stderr
