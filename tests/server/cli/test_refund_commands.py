"""The commands about refunds and balances do what the endpoints do."""

import pytest

PRODUCT = "nexopos-multistore"


def sold(shell):
    return shell.issue(product=PRODUCT)["license_id"]


@pytest.mark.clause("NX-33", "NX-31")
def test_a_refund_is_previewed_asked_for_shown_and_spent(shell):
    license_id = sold(shell)
    told = shell.json("refund", "preview", license_id, "--reason", "mistake", "--language", "it")
    assert (told["code"], told["words"][:9]) == ("ref_granted_mistake", "Concesso:")
    assert shell.run("refund", "list").stdout == "No refunds.\n"
    done = shell.json("refund", "request", license_id, "--reason", "mistake")
    assert (done["status"], done["granted"]["amount"]) == ("paid_out", "79.00 USD")
    assert "paid_out" in shell.run("refund", "show", done["id"]).stdout
    assert [one["id"] for one in shell.json("refund", "list", "--license", license_id)["items"]] == [done["id"]]
    customer = done["customer_id"]
    spent = shell.json("customer", "spend", customer, "--amount", "70 USD", "--reference", "A-1")
    assert spent["balances"] == [{"currency": "USD", "amount": "9.00 USD"}]
    refused = shell.run("customer", "spend", customer, "--amount", "70 USD", "--reference", "A-2")
    assert (refused.exit_code, "balance_too_low" in refused.stderr) == (1, True)
    assert "9.00 USD" in shell.run("customer", "balance", customer).stdout
    paid = shell.json("customer", "pay-out", customer, "--amount", "9 USD", "--reference", "bank 7")
    assert (paid["balances"], paid["entries"][0]["kind"]) == ([{"currency": "USD", "amount": "0.00 USD"}], "paid_out")


@pytest.mark.clause("NX-36", "X-10")
def test_a_person_decides_the_money_goes_out_and_comes_back(shell):
    first, second = sold(shell), sold(shell)
    pending = shell.json("refund", "request", first, "--reason", "my_own_word")
    assert pending["status"] == "pending"
    decide = ("refund", "decide", pending["id"])
    part = shell.json(*decide, "grant", "--reason", "a good customer", "--amount", "9 USD")
    assert (part["granted"]["amount"], part["granted"]["ends"]) == ("9.00 USD", "nothing")
    assert shell.json("refund", "attest", part["id"], "--statement", "all gone", "--vouched")["granted"]["attested_at"]
    assert shell.json("refund", "payout", part["id"], exit_code=1)["code"] == "ref_payout_closed"
    assert shell.json("refund", "payout-failed", part["id"], "--failure", "closed")["status"] == "failed"
    other = shell.json("refund", "request", second, "--reason", "my_own_word", "--found", "code_modified", exit_code=1)
    assert other["code"] == "ref_denied_code_modified"
    assert shell.json("refund", "preview", second, "--item", "everything", exit_code=2)["code"] == "malformed"


@pytest.mark.clause("CJ-02")
def test_a_hold_that_found_a_violation_ends_the_right_to_a_refund(shell):
    license_id = shell.issue(product="crmjetty-customer-portal")["license_id"]
    shell.json("license", "hold", license_id, "--reason", "a claim")
    shell.json("license", "release-hold", license_id, "--reason", "judged", "--violation")
    told = shell.json("refund", "preview", license_id, "--reason", "defect", "--sender-verified", "--by-email")
    assert told["code"] == "ref_denied_copyright"


@pytest.mark.clause("NX-31")
def test_a_line_tells_its_coupon_and_the_refund_shows_it(shell):
    line = f"{PRODUCT}:2,price=79.00 USD,coupon=30.00 USD"
    placed = shell.json("order", "add", "--number", "A-1", "--customer", "owner@shop.example", "--line", line)
    assert placed["lines"][0]["coupon"] == "30.00 USD"
    done = shell.json("refund", "request", placed["licenses"][0]["license_id"], "--reason", "mistake")
    assert (done["granted"]["amount"], done["granted"]["coupon"]) == ("79.00 USD", "15.00 USD")
    assert "15.00 USD" in shell.run("refund", "show", done["id"]).stdout
    balance = shell.json("customer", "balance", done["customer_id"])["balances"]
    assert balance == [{"currency": "USD", "amount": "64.00 USD"}]


@pytest.mark.clause("ZG-04")
def test_one_renewal_is_asked_back_by_its_id(shell):
    license_id = shell.issue(product="01generator-price-import")["license_id"]
    paid = ("--number", "R-1", "--channel", "shop", "--amount", "6.00 EUR")
    renewal = shell.json("license", "renew", license_id, *paid)["renewal_id"]
    told = shell.json("refund", "preview", license_id, "--renewal", renewal)
    assert (told["code"], told["facts"]["renewal"]) == ("ref_pending_review", renewal)
    asked = shell.json("refund", "request", license_id, "--renewal", renewal)
    done = shell.json("refund", "decide", asked["id"], "grant", "--reason", "paid twice")
    assert (done["granted"]["amount"], done["granted"]["ends"]) == ("6.00 EUR", "renewal")
    assert shell.json("refund", "preview", license_id, "--item", "renewal", exit_code=2)["code"] == "malformed"
