"""ZG-09 and reading 3 through the API: what a defect that was not corrected in time gives back of an add-on."""

import pytest

from tests.support.refunding import DAY, MORNING, ZG, Desk, desk  # noqa: F401 - fixture
from tests.support.renewing import renew


@pytest.mark.clause("ZG-09", "ZG-07", "X-04")
async def test_a_late_fix_gives_the_price_back_and_what_was_prepaid_but_no_term_that_has_begun(
    desk: Desk,  # noqa: F811
) -> None:
    """The first renewal runs already and stays paid; the second has not begun, and would be lost with the license."""
    sold = await desk.sell(ZG, "100.00 EUR", paid_at=MORNING - 100 * DAY)
    for days, amount in ((95, "5.00 EUR"), (94, "6.00 EUR")):
        paid_at = (MORNING - days * DAY).isoformat()
        assert (await renew(desk.integration, str(sold.license_id), amount=amount, paid_at=paid_at)).status_code == 201
    request = await desk.issue(sold, MORNING - 60 * DAY, finding="malfunction")
    told = await desk.ask(sold, "sla_breach", support_request=request)
    assert (told["http"], told["code"], told["facts"]["amount"]) == (201, "ref_granted_sla_breach", "106.00 EUR")
    assert "ZG-09" in told["clauses"]
    stands = (await desk.agent.get(f"/v1/licenses/{sold.license_id}/explain")).json()["standing"]
    assert stands["status"] == "refunded"
