"""Releases, updates and warranty at the command line, as a person and as a script."""

import re

RELEASE = ("--sha256", "ab" * 32, "--size", "1", "--url", "https://files.example/x")
SINCE = "2026-01-31T15:00:00Z"


def publish(shell, version, *more, exit_code=0, product="pos-core"):
    words = ("release", "publish", product, "--version", version, *RELEASE, *more)
    return shell.json(*words, exit_code=exit_code)


def test_a_release_is_published_downloaded_and_withdrawn(shell):
    license_id = shell.issue()["license_id"]
    made = publish(shell, "1.0", "--fixes", f"{license_id}={SINCE}", "--kind", "corrective")
    assert (made["code"], made["owners"]) == ("fix_released", 1)
    assert shell.json("license", "updates", license_id)["facts"]["version"] == "1.0"
    assert "Version 1.0 can be had." in shell.run("license", "updates", license_id, "--version", "1.0").stdout
    granted = shell.json("license", "download", license_id, "--version", "1.0")
    assert shell.json("release", "redeem", granted["grant"])["url"] == "https://files.example/x"
    assert "1.0" in shell.run("license", "download", license_id, "--version", "1.0").stdout
    assert "files.example" in shell.run("release", "redeem", granted["grant"]).stdout
    assert [one["version"] for one in shell.json("release", "list", "--product", "pos-core")["items"]] == ["1.0"]
    gone = shell.run("release", "withdraw", made["release"]["id"], "--reason", "it loses sales")
    assert gone.stdout == "pos-core 1.0 is withdrawn.\n"
    refused = shell.run("license", "download", license_id, "--version", "1.0")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "Refused: update_withdrawn." in refused.stderr
    assert "Version 1.0 was withdrawn and is given to nobody." in refused.stderr
    assert shell.json("release", "redeem", granted["grant"], exit_code=1)["code"] == "download_grant_invalid"


def test_an_update_is_offered_for_a_request(shell):
    license_id = shell.issue(product="prestashop-click-collect")["license_id"]
    publish(shell, "1.0", product="prestashop-click-collect")
    offer = ("license", "update-offer", license_id, "--version", "1.0", "--requested-at", SINCE)
    assert shell.json(*offer, "--free")["code"] == "update_free"


def test_words_that_mean_nothing_are_refused_by_their_field(shell):
    for more in (("--kind", "big"), ("--severity", "bad"), ("--fixes", "x"), ("--fixes", f"x={SINCE}")):
        assert publish(shell, "1.0", *more, exit_code=2)["code"] == "malformed"
    wrong = ("release", "publish", "pos-core", "--version", "1.0", "--sha256", "x", *RELEASE[2:])
    assert "sha256" in shell.json(*wrong, exit_code=2)["detail"]
    refused = publish(shell, "1.0", "--kind", "hotfix", "--severity", "minor", exit_code=1)
    assert refused["code"] == "hotfix_not_justified"


def test_a_claim_goes_from_its_contract_to_the_replaced_device(shell):
    license_id = shell.issue(product="netposa-terminal")["license_id"]
    contract = ("--number", "C-1", "--serial", "S-1", "--starts-on", "2026-01-31", "--months", "600")
    shell.json("warranty", "contract", license_id, *contract, "--contact", "buyer@shop.example")
    supposed = ("--fault", "board", "--ground", "abnormal", "--caused", "--cause", "fall")
    assert shell.json("warranty", "preview", license_id, *supposed)["code"] == "warranty_excluded_abnormal"
    seen = shell.run("warranty", "preview", license_id, *supposed).stdout
    assert re.search(r"^answer +no, ", seen, re.MULTILINE)
    assert re.search(r"^start_basis +delivery$", seen, re.MULTILINE)
    told = ("--serial", "S-1", "--symptoms", "dead", "--diagnostics", "boot.log")
    claim = shell.json("warranty", "open", "--license", license_id, *told)["claim_id"]
    found = ("--fault", "board", "--ground", "misuse", "--caused", "--hardware", "--evidence", "a photograph")
    shell.json("warranty", "finding", claim, *found, "--worked-on", "2026-02-01", "--worked-by", "vendor")
    mistyped = ("--fault", "board", "--evidence", "none", "--ground", "unofficial_channel")
    for more in ((), ("--withdrawn",)):
        shell.json("warranty", "finding", claim, *mistyped, *more)
    assert [one["withdrawn"] for one in shell.json("warranty", "show", claim)["findings"]] == [False, False, True]
    assert "The service is charged" in shell.run("warranty", "decide", claim, "chargeable").stdout
    quote = ("warranty", "quote", claim, "--amount", "120.00 CNY", "--reason", "a board")
    assert "120.00 CNY" in shell.run(*quote).stdout
    sent = shell.json(*quote)
    assert sent["version"] == 2
    word = ("--token", sent["token"], "--contact", "buyer@shop.example")
    assert shell.json("warranty", "accept", claim, *word)["code"] == "quote_accepted"
    assert shell.json("warranty", "accept", claim, *word, exit_code=1)["code"] == "quote_already_accepted"
    assert shell.json("warranty", "rma", claim)["code"] == "rma_issued"
    assert shell.json("warranty", "start", claim, "--serial", "S-1")["code"] == "work_started"
    assert "S-2 has the license now" in shell.run("warranty", "replace", claim, "S-2").stdout
    assert shell.json("warranty", "replace", claim, "S-3", exit_code=1)["code"] == "device_already_replaced"
    assert shell.json("warranty", "show", claim)["status"] == "replaced"
    assert shell.json("warranty", "list", "--license", license_id)["items"][0]["id"] == claim
    assert shell.json("warranty", "quote", claim, "--amount", "x", "--reason", "y", exit_code=2)["code"] == "malformed"
    for wrong in (("--ground", "bad luck"), ("--worked-on", "yesterday"), ("--cause", "bad luck"), ("--withdrawn",)):
        assert shell.json("warranty", "finding", claim, *found, *wrong, exit_code=2)["code"] == "malformed"
    assert shell.json("warranty", "open", "--kind", "x", exit_code=2)["code"] == "malformed"
