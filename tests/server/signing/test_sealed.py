import io

import pytest

from tillkey_server.errors import BadInput
from tillkey_server.signing import sealed
from tillkey_server.signing.sealed import CHUNK_BYTES, Opening, Sealing, is_sealed

PASSPHRASE = "correct horse battery"
_TAG = 16
_HEAD = len(sealed.MAGIC) + 16


def closed(content):
    file = io.BytesIO()
    sink = Sealing(file, PASSPHRASE)
    for start in range(0, len(content), 40_000):
        sink.write(content[start : start + 40_000])
    sink.close()
    return file.getvalue()


def opened(file, passphrase=PASSPHRASE):
    source = Opening(io.BytesIO(file), passphrase)
    return b"".join(iter(lambda: source.read(10_000), b""))


@pytest.fixture(scope="module")
def plain():
    return bytes(range(256)) * 640


@pytest.fixture(scope="module")
def file(plain):
    return closed(plain)


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES])
def test_what_was_sealed_comes_back(size):
    content = b"x" * size
    assert opened(closed(content)) == content


def test_nothing_of_the_content_can_be_read(file, plain):
    assert plain[:32] not in file
    assert is_sealed(io.BytesIO(file))
    assert not is_sealed(io.BytesIO(plain))


def test_two_files_of_the_same_content_share_nothing(file, plain):
    assert closed(plain)[_HEAD : _HEAD + 32] != file[_HEAD : _HEAD + 32]


def test_another_passphrase_opens_nothing(file):
    with pytest.raises(BadInput, match="passphrase"):
        opened(file, "correct horse batterx")


def test_a_short_passphrase_is_refused():
    with pytest.raises(BadInput, match="at least 12"):
        Sealing(io.BytesIO(), "too short")


@pytest.mark.parametrize("at", [len(sealed.MAGIC), _HEAD, _HEAD + CHUNK_BYTES + _TAG + 5, -1])
def test_a_changed_byte_is_noticed(file, at):
    changed = bytearray(file)
    changed[at] ^= 1
    with pytest.raises(BadInput, match="damaged"):
        opened(bytes(changed))


@pytest.mark.parametrize("length", [_HEAD + CHUNK_BYTES + _TAG, _HEAD + 2 * (CHUNK_BYTES + _TAG), -1])
def test_a_cut_is_noticed_between_chunks_too(file, length):
    with pytest.raises(BadInput, match="damaged"):
        opened(file[:length])


def test_chunks_cannot_change_places(file):
    one, two = CHUNK_BYTES + _TAG, 2 * (CHUNK_BYTES + _TAG)
    head, body = file[:_HEAD], file[_HEAD:]
    with pytest.raises(BadInput, match="damaged"):
        opened(head + body[one:two] + body[:one] + body[two:])
