import pytest
from hypothesis import given
from hypothesis import strategies as st

from tillkey_server.errors import BadInput
from tillkey_server.money import Money, exponent, parse


@pytest.mark.clause("K-07")
@pytest.mark.parametrize(
    "text,minor",
    [
        ("49.90 EUR", 4990),
        ("49.9 EUR", 4990),
        ("5 EUR", 500),
        ("0.05 EUR", 5),
        ("-0.05 EUR", -5),
        ("1200 JPY", 1200),
        ("1.234 KWD", 1234),
        (" 7.00 USD ", 700),
    ],
)
def test_a_price_is_read_into_whole_minor_units_of_its_currency(text, minor):
    assert parse(text) == Money(minor, text.split()[1])


@pytest.mark.clause("K-07")
@pytest.mark.parametrize(
    "text", ["49,90 EUR", "49.90", "EUR 49.90", "49.901 EUR", "1.5 JPY", "1e3 EUR", "5 eur", "", ". EUR", "nan EUR"]
)
def test_a_price_that_is_no_exact_amount_of_its_currency_is_refused(text):
    with pytest.raises(BadInput) as caught:
        parse(text)
    assert caught.value.field == "price"


@pytest.mark.clause("K-07")
@pytest.mark.parametrize("currency,places", [("EUR", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4), ("XOF", 0)])
def test_a_currency_has_its_own_number_of_decimal_places(currency, places):
    assert exponent(currency) == places


@pytest.mark.parametrize("currency", ["eur", "EURO", "", "E1R"])
def test_what_is_not_three_capital_letters_is_no_currency(currency):
    with pytest.raises(BadInput, match="currency"):
        Money(1, currency)


@pytest.mark.parametrize(
    "money,shown",
    [
        (Money(4990, "EUR"), "49.90 EUR"),
        (Money(5, "EUR"), "0.05 EUR"),
        (Money(-5, "EUR"), "-0.05 EUR"),
        (Money(0, "JPY"), "0 JPY"),
        (Money(-1200, "JPY"), "-1200 JPY"),
        (Money(1, "KWD"), "0.001 KWD"),
    ],
)
def test_an_amount_is_shown_with_the_places_of_its_currency(money, shown):
    assert money.display() == shown


@pytest.mark.clause("K-07")
@given(st.integers(-(10**14), 10**14), st.sampled_from(["EUR", "JPY", "KWD", "CLF"]))
def test_no_minor_unit_is_lost_between_showing_and_reading(minor, currency):
    assert parse(Money(minor, currency).display()) == Money(minor, currency)
