import json

import pytest

from tests.server.signing.keys import DAY, ISSUER, NOW, add_key, online, private_key, publish
from tillkey_server.errors import ConfigError, Unavailable
from tillkey_server.settings import Settings
from tillkey_server.signing import ceremony
from tillkey_server.signing.keyring import Keyring, KeyState


@pytest.fixture
def settings(tmp_path):
    made = Settings.load(tmp_path, {})
    ceremony.init(made, issuer=ISSUER, now=NOW)
    return made


@pytest.fixture
def first(settings):
    """The first online key's entry."""
    return Keyring.load(settings).keyset.keys[0]


def test_a_new_servers_keyring_signs_with_its_only_key(settings, first):
    keyring = Keyring.load(settings)
    assert (keyring.issuer, keyring.keyset.version) == (ISSUER, 1)
    assert keyring.text == keyring.text_of(1) == settings.keyset_path.read_text()
    assert keyring.text_of(2) is None
    assert keyring.signer(NOW).public == first.key


def test_the_jwk_set_names_algorithm_use_and_key_id(settings, first):
    expected = first.key.jwk() | {"kid": first.key.thumbprint, "alg": "Ed25519", "use": "sig"}
    assert Keyring.load(settings).jwks() == {"keys": [expected]}


def test_serving_never_reads_the_root_key(settings):
    settings.root_key_path.write_text("moved away")
    Keyring.load(settings)
    settings.root_key_path.unlink()
    Keyring.load(settings)


def test_a_keyring_shows_no_secret(settings):
    secrets = [json.loads(path.read_text())["d"] for path in settings.online_keys_dir.iterdir()]
    keyring = Keyring.load(settings)
    assert secrets
    assert not any(secret in repr(keyring) + repr(keyring.signer(NOW)) + repr(keyring.jwks()) for secret in secrets)


def test_a_rotation_moves_keys_through_their_states(settings, first):
    second = private_key()
    add_key(settings, second)
    publish(settings, online_until(first, NOW + 5 * DAY), online(second, NOW + 3 * DAY))
    keyring = Keyring.load(settings)
    old, new = first.key.thumbprint, second.public.thumbprint
    states = [(keyring.state(old, NOW + day * DAY), keyring.state(new, NOW + day * DAY)) for day in (0, 3, 5)]
    assert states == [
        (KeyState.ACTIVE, KeyState.PENDING),
        (KeyState.RETIRING, KeyState.ACTIVE),
        (KeyState.RETIRED, KeyState.ACTIVE),
    ]
    signers = [keyring.signer(NOW + day * DAY).public.thumbprint for day in (2, 3)]
    assert signers == [old, new]


def online_until(entry, end):
    """The same entry with an end."""
    return type(entry)(entry.key, entry.not_before, int(end.timestamp()))


def test_a_key_that_left_before_its_end_is_compromised_and_one_that_left_after_it_retired(settings, first):
    second, third = private_key(), private_key()
    for key in (second, third):
        add_key(settings, key)
    publish(settings, online_until(first, NOW + DAY), online(second))
    publish(settings, online(third))
    keyring = Keyring.load(settings)
    assert keyring.state(first.key.thumbprint, NOW + DAY) is KeyState.RETIRED
    assert keyring.state(first.key.thumbprint, NOW) is KeyState.COMPROMISED
    assert keyring.state(second.public.thumbprint, NOW + 9 * DAY) is KeyState.COMPROMISED
    assert keyring.signer(NOW + DAY).public == third.public
    with pytest.raises(KeyError):
        keyring.state(private_key().public.thumbprint, NOW)


def test_a_key_without_its_private_half_here_never_signs(settings, first):
    publish(settings, first, online(private_key(), NOW + DAY))
    assert Keyring.load(settings).signer(NOW + 2 * DAY).public == first.key


def test_no_key_that_may_sign_is_unavailable(settings, first):
    publish(settings, online_until(first, NOW + DAY))
    keyring = Keyring.load(settings)
    for outside in (NOW - DAY, NOW + DAY):
        with pytest.raises(Unavailable):
            keyring.signer(outside)


@pytest.mark.clause("I17")
def test_every_version_is_kept_and_reachable(settings, first):
    texts = [settings.keyset_path.read_text(), publish(settings, first), publish(settings, first)]
    keyring = Keyring.load(settings)
    assert [keyring.text_of(version) for version in (1, 2, 3)] == texts
    assert keyring.text == texts[2]
    (settings.keysets_dir / "2.json").unlink()
    with pytest.raises(ConfigError, match=r"3\.json"):
        Keyring.load(settings)


def test_more_than_nine_versions_are_walked_in_the_order_of_their_numbers(settings, first):
    for _ in range(10):
        publish(settings, first)
    assert Keyring.load(settings).keyset.version == 11


def test_a_keyset_of_another_root_is_refused(settings, first):
    settings.root_key_path.write_text(json.dumps(private_key().jwk()))
    publish(settings, first)
    with pytest.raises(ConfigError, match=r"2\.json"):
        Keyring.load(settings)


def test_a_keyset_that_is_not_the_newest_is_refused(settings, first):
    old = settings.keyset_path.read_text()
    publish(settings, first)
    settings.keyset_path.write_text(old)
    with pytest.raises(ConfigError, match=r"keyset\.json"):
        Keyring.load(settings)


@pytest.mark.parametrize("content", ["", "{}", "nonsense", "ä"])
def test_a_damaged_keyset_is_named(settings, content):
    (settings.keysets_dir / "1.json").write_text(content)
    with pytest.raises(ConfigError, match=r"1\.json"):
        Keyring.load(settings)


def test_a_misnumbered_keyset_is_named(settings):
    (settings.keysets_dir / "1.json").rename(settings.keysets_dir / "7.json")
    with pytest.raises(ConfigError, match=r"7\.json"):
        Keyring.load(settings)


def test_a_folder_without_keys_says_what_to_run(tmp_path):
    with pytest.raises(ConfigError, match="tillkey-server init"):
        Keyring.load(Settings.load(tmp_path, {}))


def test_a_missing_keyset_says_what_to_run(settings):
    settings.keyset_path.unlink()
    with pytest.raises(ConfigError, match="tillkey-server init"):
        Keyring.load(settings)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o777])
def test_a_private_key_that_others_can_open_is_refused(settings, mode):
    path = next(settings.online_keys_dir.iterdir())
    path.chmod(mode)
    with pytest.raises(ConfigError, match=f"chmod 600 {path}"):
        Keyring.load(settings)


def test_a_private_key_that_is_a_link_to_an_open_file_is_refused(settings, tmp_path):
    path = next(settings.online_keys_dir.iterdir())
    outside = tmp_path / "elsewhere.json"
    path.rename(outside)
    outside.chmod(0o644)
    path.symlink_to(outside)
    with pytest.raises(ConfigError, match="chmod"):
        Keyring.load(settings)


@pytest.mark.parametrize("damage", [lambda text: text[:-20], lambda text: text.replace("d", "e"), lambda _: "[]"])
@pytest.mark.clause("I16")
def test_a_damaged_private_key_is_named_without_showing_it(settings, damage):
    path = next(settings.online_keys_dir.iterdir())
    secret = json.loads(path.read_text())["d"]
    path.write_text(damage(path.read_text()))
    with pytest.raises(ConfigError, match=path.name) as caught:
        Keyring.load(settings)
    assert secret[:10] not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_private_key_under_a_wrong_name_is_refused(settings):
    path = next(settings.online_keys_dir.iterdir())
    path.rename(path.with_name("main.json"))
    with pytest.raises(ConfigError, match="name it"):
        Keyring.load(settings)
