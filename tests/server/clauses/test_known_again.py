"""CJ-05 through the API: by what a customer is known again whose purchase was refunded, beside the account."""

import pytest
from sqlalchemy import select

from tests.server.clauses.test_purchases import told
from tests.server.clauses.test_refund_plans import reopened
from tests.support.house import House
from tests.support.refunding import DAY, OFFICIAL, Desk, own_terms
from tillkey_server.store import tables

OWNER, COLLEAGUE, STRANGER = "Owner@shop.example", "till@SHOP.example", "owner@elsewhere.example"
GRANT = {"decision": "grant", "reason": "a good customer"}


def write(house: House, known_by: str, name: str = "known") -> None:
    """Put terms into place that know customers again by something."""
    change = ('repurchase = "deny"  ', f'repurchase_known_by = {known_by}\nrepurchase = "deny"  ')
    place = house.services.settings.policies_dir / f"{name}.toml"
    place.write_text(own_terms(name, "crmjetty", change), "utf-8")


async def refunded(desk: Desk, customer: str = OWNER) -> str:
    """Sell, pay all of it back, and let a day pass; return whose it was."""
    sold = await desk.sell("known", customer=customer)
    done = await desk.act(await desk.ask(sold, "third_party", **OFFICIAL), "decide", **GRANT)
    desk.house.clock.turn(days=1)
    # Paid out, so that nothing keeps the account from ending.
    await desk.act(done, "attest", statement="all gone", vouched=True)
    assert (await desk.act(done, "payout"))["status"] == "paid_out"
    return str(done["customer_id"])


async def answered(desk: Desk, customer: str) -> tuple[str, bool]:
    """How a refund of what a customer buys now is answered, and whether by CJ-05."""
    told_now = await desk.preview(await desk.sell("known", customer=customer), "defect", **OFFICIAL)
    return told_now["code"], "CJ-05" in told_now["clauses"]


async def leave(desk: Desk, customer_id: str, how: str) -> None:
    """Let an address become free again."""
    if how == "readdressed":
        await told(desk.supervisor, "PATCH", f"/v1/customers/{customer_id}", {"email": STRANGER})
    else:
        await told(desk.platform, "POST", "/v1/accounts/erase-again", {"customers": [customer_id]})


BARRED, ANOTHER = ("ref_denied_repurchase", True), ("ref_pending_issue_required", False)


@pytest.mark.clause("CJ-05", "NX-38")
@pytest.mark.parametrize("how", ["readdressed", "erased"])
@pytest.mark.parametrize(
    ("known_by", "owner", "colleague"),
    [("[]", ANOTHER, ANOTHER), ('["email"]', BARRED, ANOTHER), ('["domain"]', BARRED, BARRED)],
)
async def test_a_new_account_of_an_address_is_known_again_only_where_the_terms_want_it(
    house: House, how: str, known_by: str, owner: tuple[str, bool], colleague: tuple[str, bool]
) -> None:
    write(house, known_by)
    async with reopened(house, "known") as desk:
        customer_id = await refunded(desk)
        await leave(desk, customer_id, how)
        assert await answered(desk, OWNER.lower()) == owner
        assert await answered(desk, COLLEAGUE) == colleague
        assert await answered(desk, "owner@third.example") == ANOTHER


@pytest.mark.clause("CJ-05", "I16")
@pytest.mark.parametrize("known_by", ["[]", '["email"]', '["email", "domain"]'])
async def test_what_is_kept_is_a_keyed_hash_and_nothing_where_the_terms_do_not_ask(house: House, known_by: str) -> None:
    write(house, known_by)
    async with reopened(house, "known") as desk:
        await leave(desk, await refunded(desk), "erased")
        async with desk.house.services.db.reading() as tx:
            kept = (await tx.execute(select(tables.refund.c.email_hash, tables.refund.c.domain_hash))).one()
        assert [one is not None for one in kept] == ["email" in known_by, "domain" in known_by]
        pepper = desk.house.services.pepper
        words = {"email": OWNER.casefold(), "domain": "shop.example"}
        for found, (use, word) in zip(kept, words.items(), strict=True):
            assert found in {None, pepper.hash_word(f"refund_{use}", word)}


@pytest.mark.clause("CJ-05")
async def test_a_variant_of_the_product_is_known_again_by_the_address_too_and_another_product_is_not(
    house: House,
) -> None:
    write(house, '["email"]')
    async with reopened(house, "known") as desk:
        await leave(desk, await refunded(desk), "erased")
        for family, expected in (("known", BARRED), (None, ANOTHER)):
            async with desk.house.services.db.writing() as tx:
                variant = tables.product.update().where(tables.product.c.code == "crmjetty-customer-portal")
                await tx.execute(variant.values(family=family, policy_name="known"))
            desk.house.clock.instant += DAY
            sold = await desk.sell("crmjetty-customer-portal", customer=OWNER)
            found = await desk.preview(sold, "defect", **OFFICIAL)
            assert (found["code"], "CJ-05" in found["clauses"]) == expected
