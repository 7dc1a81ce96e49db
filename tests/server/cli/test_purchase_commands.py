"""The commands about sales, orders under review, accounts and what comes with a purchase."""


def test_a_product_is_taken_off_sale_and_a_cart_is_told_so(shell):
    shell.json("product", "change", "pos-loyalty", "--kind", "module", "--requires", "pos-core")
    buyer = ("--customer", "owner@shop.example")
    assert shell.json("order", "preview", *buyer, "--line", "pos-loyalty")["code"] == "prereq_missing"
    assert shell.json("order", "preview", *buyer, "--line", "pos-loyalty", "--line", "pos-core")["decision"] == "allow"
    assert shell.json("product", "change", "pos-loyalty", "--requires", "")["requires"] == []
    assert shell.json("product", "offline", "pos-loyalty")["code"] == "product_offline_service_continues"
    words = ("license", "issue", "--product", "pos-loyalty", *buyer)
    assert shell.json(*words, exit_code=1)["code"] == "product_not_on_sale"
    assert shell.json("product", "online", "pos-loyalty")["code"] == "product_online"
    assert shell.json("product", "retire", "pos-loyalty")["code"] == "product_retired"


def test_an_order_waits_and_is_released_and_its_account_is_suspended_and_ended(shell):
    buyer = ("--customer", "owner@shop.example")
    placed = shell.json("order", "add", "--number", "A-1", *buyer, "--line", "pos-core", "--under-review")
    assert (placed["under_review"], placed["licenses"]) == (True, [])
    released = shell.json("order", "release", placed["id"], "--reason", "all is well")
    assert len(released["licenses"]) == 1
    assert shell.json("order", "hold", placed["id"], "--reason", "odd")["code"] == "order_under_review"
    account = placed["customer_id"]
    behavior = ("--behavior", "pb_key_sharing", "--evidence", "a forum")
    assert shell.json("account", "suspend", account, *behavior)["code"] == "account_suspension_set"
    assert shell.json("account", "show", account)["suspended"] is True
    assert shell.json("account", "lift", account, "--reason", "a mistake")["code"] == "account_suspension_lifted"
    assert shell.json("account", "lift", account, "--reason", "again", exit_code=1)["code"] == "account_not_suspended"
    assert shell.json("account", "preview-end", account)["code"] == "termination_scheduled"
    assert shell.json("account", "request-end", account)["code"] == "termination_requester_unverified"
    assert shell.json("account", "request-end", account, "--verified")["code"] == "termination_scheduled"
    assert (
        shell.json("account", "waive-balance", account, "--amount", "5.00 EUR", "--verified")["code"]
        == "balance_waived"
    )
    assert shell.json("account", "cancel-end", account)["code"] == "termination_canceled"
    assert shell.json("account", "terminate", account, *behavior)["code"] == "account_terminated_by_vendor"
    assert shell.json("account", "erase-again", "--customer", account)["erased"] == [account]
    assert [one["customer_id"] for one in shell.json("account", "erased")["items"]] == [account]


def test_a_purchase_code_a_free_installation_and_a_project_are_told(shell):
    shell.json("product", "change", "nexopos-multistore", "--kind", "core")
    buyer = ("--customer", "owner@shop.example")
    placed = shell.json("order", "add", "--number", "A-1", *buyer, "--line", "nexopos-multistore")
    account = placed["customer_id"]
    listed = shell.json("install-credit", "list", account)["items"]
    assert [one["state"] for one in listed] == ["open"]
    named = ("--credit", listed[0]["id"])
    assert shell.json("install-credit", "use", account, *named)["code"] == "install_credit_used"
    assert shell.json("install-credit", "use", account, *named, exit_code=1)["code"] == "install_credit_none"
    assert shell.json("install-credit", "use", account, exit_code=1)["code"] == "install_credit_none"
    brought = ("--channel", "envato", "--code", "0123-4567-89ab", "--product", "nexopos-multistore", *buyer)
    bought = ("--support-months", "6", "--purchased-at", "2026-01-31T10:00:00Z")
    assert shell.json("license", "import", *brought, *bought)["code"] == "license_imported"
    project = shell.json("project", "add", "--customer", account, "--name", "Corner Shop")
    assert shell.json("project", "entitlements", project["id"])["code"] == "project_not_entitled"


def test_the_list_of_a_marketplace_is_read_from_a_file_and_a_wrong_line_is_named(shell, tmp_path):
    brought = ("--channel", "envato", "--code", "0123-4567-89ab", "--product", "nexopos-multistore")
    bought = ("--customer", "owner@shop.example", "--support-months", "6", "--purchased-at", "2026-01-31T10:00:00Z")
    made = shell.json("license", "import", *brought, *bought)
    names = tmp_path / "codes.csv"
    words = ("license", "reconcile", "--channel", "envato", str(names))
    for text, named in (
        ("code,state\n0123-4567-89ab,lost\n", "codes, line 1, state"),
        ("0123-4567-89ab,active,soon", "codes, line 1, supported_until"),
        ("0123-4567-89ab,refunded\n\nshort,active,", "codes, line 2, code"),
        ("0123-4567-89ab", "codes, line 1"),
        ("code,state\n", "codes"),
    ):
        names.write_text(text, "utf-8")
        refused = shell.json(*words, exit_code=2)
        assert (refused["code"], refused["detail"].partition(":")[0]) == ("malformed", named)
    names.write_bytes(b"\xff\xfe0")
    assert shell.json(*words, exit_code=2)["detail"].startswith("file")
    names.write_text("code,state,supported_until\n0123-4567-89ab,refunded,2026-12-24T10:00:00Z\n", "utf-8")
    told = shell.json(*words, "--part")
    assert [(one["outcome"], one["license_id"]) for one in told["items"]] == [("ended", made["license_id"])]
    assert "ended_before" in shell.run(*words).stdout
