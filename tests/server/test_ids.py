import re
import uuid

from tillkey_server.ids import new_id, new_token


def test_ids_are_version_7_of_the_standard_librarys_type_and_rise():
    made = [new_id() for _ in range(2000)]
    assert all(type(one) is uuid.UUID and one.version == 7 and one.variant == uuid.RFC_4122 for one in made)
    assert len(set(made)) == len(made)
    assert made == sorted(made)


def test_tokens_are_16_random_bytes_in_22_characters():
    made = {new_token() for _ in range(500)}
    assert len(made) == 500
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{21}[AQgw]", token) for token in made)
