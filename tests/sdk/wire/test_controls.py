"""A text that would steer the terminal of whoever reads it later is no claim."""

import pytest

from tillkey.wire.errors import WireError
from tillkey.wire.fields import Claims


@pytest.mark.parametrize("symbol", ["\x00", "\x1b", "\x7f", "\x85", "\x9b", "\u2028", "\u2029", "\u202e", "\u2066"])
def test_a_control_character_in_a_name_is_refused_by_field(symbol):
    with pytest.raises(WireError, match=r"request.name: has a control character"):
        Claims({"name": f"Corner{symbol}Shop"}, "request").text("name")


@pytest.mark.parametrize("name", ["Café Zoë", "角の店", "متجر", "Shop 🛒", "O'Brien & Søn"])
def test_a_name_in_any_script_is_read_as_it_is(name):
    assert Claims({"name": name}, "request").text("name") == name
