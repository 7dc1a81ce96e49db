import gzip
import io
import json
import tarfile

import pytest

from tillkey_server.errors import BadInput
from tillkey_server.store import archive

PARTS = {"folder/pepper": b"p" * 32, "database/license/0.jsonl": b"[1]\n" * 100}


def written(parts=PARTS):
    file = io.BytesIO()
    with archive.writing(file, {"issuer": "x"}, 1_700_000_000) as writer:
        for name, content in parts.items():
            writer.add(name, content)
    return file.getvalue()


def entries(file):
    with tarfile.open(fileobj=io.BytesIO(file)) as tar:
        return {entry.name: tar.extractfile(entry).read() for entry in tar}


def packed(members):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as tar:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return file.getvalue()


def read(file):
    return dict(archive.parts(io.BytesIO(file)))


def refused(file):
    with pytest.raises(BadInput) as caught:
        read(file)
    assert caught.value.field == "file"
    return caught.value.detail


def test_parts_come_back_in_order_and_what_the_archive_is_comes_first():
    found = read(written())
    about = json.loads(found.pop("about.json"))
    assert about == {"format": "tillkey-backup", "version": 1, "issuer": "x"}
    assert [*found.items()] == [*PARTS.items()]


@pytest.mark.parametrize(
    "file",
    [b"", b"nonsense", gzip.compress(b"nonsense"), packed({"readme.txt": b"{}"})],
    # Names of their own: gzip writes the time, and each of several workers would name the test otherwise.
    ids=["nothing", "nonsense", "packed nonsense", "another archive"],
)
def test_what_is_no_backup_is_told(file):
    assert refused(file).startswith(("is no Tillkey backup", "is cut off"))


def test_another_version_of_the_format_is_refused():
    members = entries(written())
    members["about.json"] = members["about.json"].replace(b'"version": 1', b'"version": 2')
    assert refused(packed(members)) == (
        "is of format version 2; this server reads version 1: take the version of the server that wrote it"
    )


def test_a_changed_part_is_noticed():
    members = entries(written())
    members["folder/pepper"] = b"q" * 32
    assert "parts are not those of its manifest" in refused(packed(members))


def test_a_missing_part_is_noticed():
    members = entries(written())
    del members["database/license/0.jsonl"]
    assert "manifest" in refused(packed(members))


def test_a_missing_manifest_is_noticed():
    members = entries(written())
    del members["manifest.json"]
    assert refused(packed(members)) == "is cut off: its manifest is missing; take another backup"


def test_what_follows_the_manifest_is_refused():
    assert "follows its manifest" in refused(packed({**entries(written()), "folder/more": b"x"}))


@pytest.mark.parametrize("name", ["folder/../../etc", "/folder/x", "folder/.hidden", "x", "folder/a/b/c/d"])
def test_a_name_that_leads_elsewhere_is_refused(name):
    assert "of a name" in refused(packed({"about.json": entries(written())["about.json"], name: b"x"}))


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_a_file_that_was_cut_off_is_refused(share):
    whole = written({"folder/noise": bytes(range(256)) * 8, **PARTS})
    refused(whole[: int(len(whole) * share)])
