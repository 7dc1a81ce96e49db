import pytest
from hypothesis import given
from hypothesis import strategies as st

from tillkey_server.rules.site import canonical_site


@pytest.mark.clause("NX-03")
@pytest.mark.parametrize(
    "variant",
    [
        "shop.example",
        "https://shop.example",
        "http://shop.example/",
        "HTTPS://WWW.Shop.Example:8443/",
        "www.shop.example.",
        "shop.example:80",
        "https://user@shop.example/?a=b#c",
        "  shop.example\n",
    ],
)
def test_spellings_of_one_site_are_one_site(variant):
    """Sentence 1."""
    assert canonical_site(variant) == "shop.example"


@pytest.mark.clause("NX-03")
def test_an_international_name_and_its_ascii_form_are_one_site():
    assert canonical_site("https://bücher.example") == canonical_site("xn--bcher-kva.example")


@pytest.mark.clause("NX-03")
def test_the_path_tells_two_shops_under_one_host_apart():
    """Sentence 2."""
    assert canonical_site("https://shop.example/fr/") == "shop.example/fr"
    assert canonical_site("https://shop.example/fr") != canonical_site("https://shop.example/it")


@pytest.mark.clause("NX-03")
def test_a_path_keeps_its_own_letters():
    """Sentence 2: only the slash at its end goes."""
    assert canonical_site("https://shop.example/BOX/") == "shop.example/BOX"


@pytest.mark.parametrize(
    "text", ["", "   ", "https://", "/only/a/path", "two words", "..", "[1..2]", "a" * 64 + ".example"]
)
def test_what_names_no_host_is_no_site(text):
    """Sentence 3."""
    assert canonical_site(text) is None


@pytest.mark.parametrize(
    "text,site", [("http://192.0.2.7:8080/", "192.0.2.7"), ("http://[2001:DB8::1]:80/", "[2001:db8::1]")]
)
def test_an_address_is_a_site(text, site):
    assert canonical_site(text) == site


@given(st.text(max_size=40))
def test_the_canonical_form_of_a_canonical_form_is_itself(text):
    site = canonical_site(text)
    assert site is None or canonical_site(site) == site
