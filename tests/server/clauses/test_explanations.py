"""X-13 through the API: what could be done about a license is told as each topic's own preview tells it."""

from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.support.callers import Callers
from tests.support.help_desk import ADDON, CARE, CRM, MARKET
from tests.support.house import House
from tests.support.renewing import renew, sell
from tillkey_server.store import terms as store
from tillkey_server.store.licenses import by_id
from tillkey_server.usecases.possible import ACTIONS
from tillkey_server.usecases.project import add_project
from tillkey_server.usecases.terms import end_early, take_out

CORE, TERMINAL = "pos-core", "netposa-terminal"
PRODUCTS = (CORE, MARKET, ADDON, CRM, CARE, TERMINAL)
LANGUAGES = ("en", "fr", "it")
OFFICIAL = {"sender_verified": True}
WHOLE = ["steps", "expected", "actual", "version", "fresh_install_checked"]
OWN: dict[str, dict[str, set[str]]] = {
    MARKET: {
        "use": {"NX-45"},
        "updates": {"NX-15"},
        "support": {"NX-14"},
        "refund": {"NX-32", "NX-33", "NX-34", "NX-35", "NX-36"},
        "renew": {"NX-47"},
        "support request": {"NX-21"},
    },
    ADDON: {
        "updates": {"ZG-16", "ZG-20"},
        "support": {"ZG-01", "ZG-02"},
        "refund": {"ZG-09", "ZG-18"},
        "renew": {"ZG-04", "ZG-05"},
        "support request": {"ZG-13", "ZG-06"},
    },
    CRM: {
        "use": {"CJ-15"},
        "support": {"CJ-16"},
        "refund": {"CJ-06", "CJ-07", "CJ-11", "CJ-12"},
        "renew": {"CJ-23"},
        "support request": {"CJ-10", "CJ-07"},
    },
    CARE: {
        "updates": {"BC-01", "BC-35"},
        "support": {"BC-01", "BC-25"},
        "refund": {"BC-07", "BC-27", "BC-28"},
        "renew": {"BC-25", "BC-33"},
        "support request": {"BC-02", "BC-03", "BC-06"},
    },
    TERMINAL: {
        "support": {"NP-01"},
        "refund": {"NP-02"},
        "support request": {"NP-01"},
        "warranty": {"NP-10"},
    },
}
"""What each vendor's own explanation cites: the clocks by their names, and the topics."""


@pytest.fixture
async def http(callers: Callers) -> httpx.AsyncClient:
    return await callers.client()


async def explained(http: httpx.AsyncClient, license_id: str, language: str = "en") -> dict[str, Any]:
    """Return an explanation."""
    answer = await http.get(f"/v1/licenses/{license_id}/explain", params={"language": language})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def about(told: dict[str, Any], action: str) -> list[dict[str, Any]]:
    """Return what an explanation says to one thing that could be done."""
    return [one for one in told["possible"] if one["action"] == action]


def cited(told: dict[str, Any], name: str) -> set[str]:
    """Return the clauses of a clock or of a topic."""
    if name in told["clocks"] and name != "refund":
        return set(told["clocks"][name]["clauses"])
    action = "support" if name == "support request" else name
    return {clause for one in about(told, action) for clause in one["answer"]["clauses"]}


async def with_project(house: House, license_id: str) -> None:
    """Give the owner a project, which support is asked for under some terms."""
    async with house.services.db.reading() as tx:
        row = await by_id(tx, UUID(license_id))
    assert row is not None
    await add_project(house.services, row.customer_id, name="Corner Shop", site=None)


@pytest.mark.clause("X-13", "K-08")
@pytest.mark.parametrize("product", PRODUCTS)
async def test_an_explanation_names_the_vendors_own_clauses(house: House, http, product: str) -> None:
    sold = await sell(http, product)
    await with_project(house, sold)
    told = await explained(http, sold)
    assert tuple(dict.fromkeys(one["action"] for one in told["possible"])) == ACTIONS
    for name, expected in OWN.get(product, {}).items():
        assert expected <= cited(told, name), name
    for one in told["possible"]:
        answer = one["answer"]
        assert answer["clauses"], one["action"]
        assert (answer["evaluated_at"], answer["policy"]) == (told["evaluated_at"], answer["policy"])


PREVIEWS = {
    "refund": ("POST", "/v1/licenses/{id}/refunds/preview"),
    "renew": ("POST", "/v1/licenses/{id}/renewals/preview"),
    "support": ("POST", "/v1/support-requests/preview"),
    "care": ("GET", "/v1/licenses/{id}/care"),
    "update": ("POST", "/v1/licenses/{id}/updates/preview"),
    "warranty": ("POST", "/v1/warranty-claims/preview"),
}


@pytest.mark.clause("X-13", "K-08")
@pytest.mark.parametrize("days", [0, 500])
@pytest.mark.parametrize("product", PRODUCTS)
async def test_each_answer_is_the_one_of_the_topics_own_preview(house: House, http, product: str, days: int) -> None:
    sold = await sell(http, product)
    await with_project(house, sold)
    house.clock.turn(days=days)
    compared = []
    for one in (await explained(http, sold))["possible"]:
        if one["action"] in PREVIEWS:
            method, path = PREVIEWS[one["action"]]
            body = one["asked"] if method == "POST" else None
            preview = await http.request(method, path.format(id=sold), json=body)
            assert (preview.status_code, preview.json()) == (200, one["answer"]), one
            compared.append(one["action"])
    assert set(compared) == set(PREVIEWS)


@pytest.mark.clause("X-13", "X-12")
@pytest.mark.parametrize("product", PRODUCTS)
async def test_every_member_is_told_in_each_language(house: House, http, product: str) -> None:
    sold = await sell(http, product)
    await with_project(house, sold)
    english, french, italian = [await explained(http, sold, language) for language in LANGUAGES]

    def sentences(told: dict[str, Any]) -> list[tuple[str, str]]:
        return [
            ("standing", told["standing"]["words"]),
            *((name, clock["words"]) for name, clock in told["clocks"].items()),
            *((one["action"], one["answer"]["words"]) for one in told["possible"]),
            *((one["code"], one["words"]) for one in told["decisions"]),
        ]

    for three in zip(sentences(english), sentences(french), sentences(italian), strict=True):
        assert len({name for name, _ in three}) == 1
        assert len({words for _, words in three}) == len(LANGUAGES), three
        assert all(words and "{" not in words for _, words in three)


@pytest.mark.clause("X-13", "K-03", "CJ-31", "CJ-13")
async def test_what_the_terms_want_of_a_requests_form_is_taken_as_given_and_shown(house: House, http) -> None:
    sold = {product: await sell(http, product) for product in (CRM, CORE, MARKET)}
    told = {product: await explained(http, license_id) for product, license_id in sold.items()}
    refunds = {one["asked"]["reasons"][0]: one["asked"] for one in about(told[CRM], "refund")[1:]}
    assert refunds["mistake"] == {"reasons": ["mistake"], **OFFICIAL}
    assert refunds["defect"] == {"reasons": ["defect"], "by_email": True, **OFFICIAL}
    assert [one["asked"] for one in about(told[CORE], "refund")] == [{"reasons": []}, {"reasons": ["any"]}]
    assert {tuple(one["asked"]["described"]) for one in about(told[MARKET], "support")} == {tuple(WHOLE)}


@pytest.mark.clause("X-13", "X-01", "K-05")
async def test_a_clock_tells_which_payment_each_stretch_came_from_and_what_was_taken_out(house: House, http) -> None:
    sold = await sell(http, CARE)
    numbers = ["R-1", "R-2"]
    for number in numbers:
        assert (await renew(http, sold, number=number, amount="52.00 EUR")).status_code == 201
    clocks = (await explained(http, sold))["clocks"]
    paid = [(one["kind"], one["payment"]["number"]) for one in clocks["support"]["segments"]]
    assert paid[1:] == [("renewal", "R-1"), ("renewal", "R-2")]
    assert (paid[0][0], clocks["support"]["segments"][0]["payment"]["amount"]) == ("purchase", "129.99 EUR")
    assert [one["payment"]["number"] for one in clocks["refund"]["segments"]] == [paid[0][1]]
    assert [one["kind"] for one in clocks["use"]["segments"]] == ["purchase"]
    await _taken_out(house, sold)
    after = (await explained(http, sold))["clocks"]
    assert [one["payment"]["number"] for one in after["support"]["segments"]][1:] == []
    [gone] = after["support"]["taken_out"]
    assert (gone["payment"]["number"], gone["refunded_at"]) == ("R-1", "2026-03-02T09:00:00Z")
    [ending] = after["updates"]["endings"]
    assert (ending["reason"], after["use"]["endings"], after["use"]["taken_out"]) == ("agent", [], [])
    assert after["support"]["segments"][0]["ended_early"] is True


async def _taken_out(house: House, license_id: str) -> None:
    """Pay the first renewal back, and end the care."""
    now = house.clock.now()
    async with house.services.db.writing() as tx:
        row = await by_id(tx, UUID(license_id), lock=True)
        assert row is not None
        policy = await house.services.policies.of(tx, row.policy_ref)
        first = min(await store.of_license(tx, row.id), key=lambda one: one.id)
        done = await take_out(tx, row, policy, line_id=first.order_line_id, refunded_at=now, now=now)
        later = now.replace(month=6)
        await end_early(tx, done.license, policy, at=later, reason="agent", now=now)
