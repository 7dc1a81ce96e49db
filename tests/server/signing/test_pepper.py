import re

import pytest

from tillkey.wire.errors import WireError
from tillkey.wire.license_key import normalize
from tillkey_server.errors import ConfigError
from tillkey_server.ids import new_id, new_token
from tillkey_server.settings import Settings
from tillkey_server.signing.pepper import Pepper

PEPPER = Pepper(bytes(range(32)))


def test_a_key_is_hashed_to_32_bytes_that_depend_on_the_pepper():
    body = normalize(PEPPER.new_ticket())
    hashed = PEPPER.hash_key(body)
    assert len(hashed) == 32
    assert PEPPER.hash_key(body) == hashed
    assert Pepper(bytes(32)).hash_key(body) != hashed


def test_a_hash_of_one_use_never_stands_for_another():
    ticket = PEPPER.new_ticket()
    assert PEPPER.hash_ticket(ticket) != PEPPER.hash_key(normalize(ticket))


def test_a_step_always_has_the_same_ticket_and_every_step_another():
    activation, rid = new_id(), new_token()
    ticket = PEPPER.ticket(activation, 2, rid)
    assert re.fullmatch(r"MOVE(-[0-9A-HJKMNP-TV-Z]{5}){4}-[0-9A-HJKMNP-TV-Z]{7}", ticket)
    assert PEPPER.ticket(activation, 2, rid) == ticket
    others = {
        PEPPER.ticket(activation, 3, rid),
        PEPPER.ticket(new_id(), 2, rid),
        PEPPER.ticket(activation, 2, new_token()),
        Pepper(bytes(32)).ticket(activation, 2, rid),
    }
    assert len(others | {ticket}) == 5


def test_every_derived_ticket_can_be_typed():
    activation = new_id()
    for seq in range(300):
        normalize(PEPPER.ticket(activation, seq, "r" * 22))


def test_a_ticket_is_recognised_however_it_was_typed():
    ticket = PEPPER.new_ticket()
    assert PEPPER.hash_ticket(ticket.lower().replace("-", " ")) == PEPPER.hash_ticket(ticket)
    assert PEPPER.new_ticket() != ticket


def test_what_cannot_be_a_ticket_is_malformed():
    with pytest.raises(WireError, match="move_ticket"):
        PEPPER.hash_ticket("MOVE-123")


def test_a_pepper_is_made_once_and_read_again(tmp_path):
    settings = Settings.load(tmp_path, {})
    Pepper.create(settings)
    before = settings.pepper_path.read_bytes()
    with pytest.raises(ConfigError, match="never overwritten"):
        Pepper.create(settings)
    assert settings.pepper_path.read_bytes() == before
    body = normalize(PEPPER.new_ticket())
    assert Pepper.load(settings).hash_key(body) == Pepper(before).hash_key(body)


def test_a_missing_pepper_says_what_to_do(tmp_path):
    with pytest.raises(ConfigError, match="backup") as caught:
        Pepper.load(Settings.load(tmp_path, {}))
    assert "init" not in str(caught.value)  # it refuses a folder that has keys already, with these words


def test_a_pepper_that_others_can_read_is_refused(tmp_path):
    settings = Settings.load(tmp_path, {})
    Pepper.create(settings)
    settings.pepper_path.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        Pepper.load(settings)


def test_a_damaged_pepper_is_refused(tmp_path):
    settings = Settings.load(tmp_path, {})
    Pepper.create(settings)
    settings.pepper_path.write_bytes(b"short")
    with pytest.raises(ConfigError, match="5 bytes"):
        Pepper.load(settings)


@pytest.mark.clause("I16")
def test_a_pepper_shows_nothing_of_itself():
    pepper = Pepper(b"secret--" * 4)
    assert "secret" not in repr(pepper)
    assert "secret" not in str(pepper)
