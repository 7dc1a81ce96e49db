"""The golden vectors are what the code makes and reads, and nothing changes one that is published."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import vectors
from tillkey.wire.answers import open_lease, open_statement
from tillkey.wire.errors import WireError
from tillkey.wire.keys import PrivateKey, PublicKey
from tillkey.wire.keyset import open_keyset, step
from tillkey.wire.license_key import hint, normalize
from tillkey.wire.request import open_request, path_of

ROOT = Path(__file__).parents[3]
ISSUER = "licenses.example"
OPENERS = {"lease": open_lease, "statement": open_statement}


def read(name):
    return json.loads((ROOT / f"tests/vectors/{name}.json").read_text("ascii"))


def named(name):
    return [pytest.param(vector, id=vector["name"]) for vector in read(name)]


def keysets():
    held = {None: None}
    for vector in read("keysets"):
        before = held[vector["held"]]
        held[vector["name"]] = step(before, vector["text"]) if before else open_keyset(vector["text"])
    return held


def flat(claims):
    """The claims by the names of the dataclasses' fields."""
    flat = dict(claims)
    flat["jkt"] = flat.pop("cnf")["jkt"]
    if "policy" in flat:
        policy = flat.pop("policy")
        flat.update(policy_name=policy["name"], policy_version=policy["version"])
    return flat


def test_the_code_still_makes_every_published_vector():
    for path, made in vectors.build().items():
        assert (ROOT / path).read_text("ascii") == json.dumps(made, indent=2) + "\n", path


def test_no_published_file_has_lost_its_maker():
    made = set(vectors.build())
    published = {*ROOT.glob("tests/vectors/*.json"), *ROOT.glob("keys/vectors/*")}
    assert {path.relative_to(ROOT).as_posix() for path in published} == made


@pytest.mark.parametrize("vector", named("keys"))
def test_a_key_is_its_labels_and_only_its_public_half_is_published(vector):
    published = json.loads((ROOT / f"keys/vectors/{vector['name']}.json").read_text("ascii"))
    seed = hashlib.sha256(f"tillkey vector: {vector['name']}".encode()).digest()
    assert published == vector["jwk"] == PrivateKey.from_seed(seed).public.jwk()
    assert set(published) == {"kty", "crv", "x"}
    assert PublicKey.from_jwk(published).thumbprint == vector["thumbprint"]


def test_the_chain_of_keysets_can_be_walked():
    held = keysets()
    for vector in read("keysets"):
        keyset = held[vector["name"]]
        assert keyset.version == vector["version"]
        assert [online.key.thumbprint for online in keyset.keys] == vector["kids"]


@pytest.mark.parametrize("vector", named("requests"))
def test_a_request_says_what_its_vector_says(vector):
    request = open_request(vector["text"], aud=vector["aud"])
    claims = vector["claims"]
    assert (request.aud, request.op, request.rid) == (claims["aud"], claims["op"], claims["rid"])
    assert (request.keyset, request.iat) == (claims["keyset"], claims["iat"])
    assert request.jkt == next(key["thumbprint"] for key in read("keys") if key["name"] == vector["key"])
    assert path_of(request.body) == vector["path"]
    for name, value in vars(request.body).items():
        said = claims.get(name)
        assert (vars(value) if hasattr(value, "__dict__") else value) == (
            {"site": None, **said} if name == "project" and said else said
        )


@pytest.mark.parametrize("vector", named("answers"))
def test_an_answer_says_what_its_vector_says(vector):
    answer = OPENERS[vector["kind"]](vector["text"], keysets()[vector["keyset"]])
    said = {name: tuple(claim) if isinstance(claim, list) else claim for name, claim in flat(vector["claims"]).items()}
    assert {name: value for name, value in vars(answer).items() if name in said} == said
    assert all(not value for name, value in vars(answer).items() if name not in said)


@pytest.mark.parametrize("vector", named("license_keys"))
def test_a_license_key_is_read_however_it_was_typed(vector):
    if "code" in vector:
        with pytest.raises(WireError) as refused:
            normalize(vector["typed"])
        assert refused.value.code == vector["code"]
    else:
        assert normalize(vector["typed"]) == vector["body"]
        assert hint(vector["typed"]) == vector["hint"]


@pytest.mark.parametrize("vector", named("refused_requests"))
def test_a_bad_request_is_refused_with_its_code(vector):
    with pytest.raises(WireError) as refused:
        open_request(vector["text"], aud=ISSUER)
    assert refused.value.code == vector["code"]


@pytest.mark.parametrize("vector", named("refused_leases"))
def test_a_bad_lease_is_refused_with_its_code(vector):
    with pytest.raises(WireError) as refused:
        open_lease(vector["text"], keysets()["v2"])
    assert refused.value.code == vector["code"]


@pytest.mark.parametrize("vector", named("refused_steps"))
def test_a_bad_step_is_refused_with_its_code(vector):
    with pytest.raises(WireError) as refused:
        step(keysets()["v2"], vector["text"])
    assert refused.value.code == vector["code"]


def test_the_script_adds_what_is_missing(tmp_path):
    made = {"a.json": [1, 2], "deep/b.json": {"x": 1}}
    assert vectors.update(tmp_path, {"a.json": [1]}, check=False) == ["a.json"]
    assert vectors.update(tmp_path, made, check=True) == ["a.json", "deep/b.json"]
    assert vectors.update(tmp_path, made, check=False) == ["a.json", "deep/b.json"]
    assert vectors.update(tmp_path, made, check=False) == []
    assert json.loads((tmp_path / "a.json").read_text()) == [1, 2]


@pytest.mark.parametrize("made", [[1], [2, 1], [1, 3], [], {"x": 1}])
def test_the_script_edits_nothing(tmp_path, made):
    vectors.update(tmp_path, {"a.json": [1, 2]}, check=False)
    with pytest.raises(ValueError, match="never edited"):
        vectors.update(tmp_path, {"a.json": made}, check=False)
    assert json.loads((tmp_path / "a.json").read_text()) == [1, 2]


def test_a_public_key_that_is_published_is_not_changed_either(tmp_path):
    vectors.update(tmp_path, {"k.json": {"x": 1}}, check=False)
    with pytest.raises(ValueError, match="never edited"):
        vectors.update(tmp_path, {"k.json": {"x": 2}}, check=False)


def test_the_script_finds_nothing_to_do():
    run = subprocess.run(
        [sys.executable, "-m", "scripts.vectors", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
