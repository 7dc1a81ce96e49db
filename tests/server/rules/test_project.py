import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.server.rules.facts import NOW, POLICIES, SHOP, told
from tillkey_server.rules.project import decide_site, normal_name

CARE, MARKET, SILENT = (POLICIES[name] for name in ("prestashop-care", "nexopos", "netposa"))


@pytest.mark.clause("NX-02")
@pytest.mark.parametrize(
    "variant",
    ["Corner Shop", "corner shop", "  CORNER \t Shop\n", "Corner\u00a0Shop", "\uff23orner Shop", "Corner\u2003Shop"],
)
def test_variants_of_a_name_are_one_project(variant):
    """Sentence 1."""
    assert normal_name(variant) == "corner shop"


@pytest.mark.parametrize("one,other", [("Straße", "STRASSE"), ("Café", "Cafe\u0301"), ("ΜΆΪΟΣ", "μάϊος")])
def test_spellings_that_differ_by_case_or_composition_are_one_project(one, other):
    assert normal_name(one) == normal_name(other)


@pytest.mark.parametrize("blank", ["", "   ", "\t\n", "\u00a0"])
def test_a_name_of_spaces_is_no_name(blank):
    assert normal_name(blank) == ""


def test_different_names_are_different_projects():
    assert normal_name("Corner Shop 1") != normal_name("Corner Shop 2")


@given(st.text(max_size=40))
def test_the_normal_form_of_a_normal_form_is_itself(text):
    assert normal_name(normal_name(text)) == normal_name(text)


@pytest.mark.clause("BC-09")
@pytest.mark.parametrize(
    ("bound", "clauses"),
    [
        ((), ("BC-32", "BC-09")),
        ((CARE,), ("BC-32", "BC-09")),
        ((MARKET, CARE), ("NX-06", "BC-32", "NX-16", "NX-17", "BC-09")),
        ((SILENT, MARKET), ("NX-06", "NP-02", "NX-16", "NX-17")),
    ],
)
def test_another_site_is_approved_by_the_terms_of_every_license_of_the_shop(bound, clauses):
    """Sentence 3: of a shop that has none, by the terms that are offered."""
    facts = {"project": str(SHOP), "reason": "another domain"}
    found = decide_site(SHOP, "another domain", bound, CARE, NOW)
    assert found.policy == (bound[0] if bound else CARE).ref
    assert told(found) == ("allow", "project_site_changed", clauses, facts, ())
