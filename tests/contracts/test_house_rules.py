"""Every file of the checkout keeps the house rules; beside each rule, the proof that a violation would be seen."""

from pathlib import Path

import pytest

from tests.contracts import checks

ROOT = Path(__file__).parents[2]
# The rules and their canaries name what they forbid.
OF_THE_RULES = ("tests/contracts/checks.py", "tests/contracts/test_house_rules.py")


@pytest.fixture(scope="module")
def files():
    listed = checks.tracked_files(ROOT)
    assert "pyproject.toml" in listed
    return [path for path in listed if path not in OF_THE_RULES]


@pytest.fixture
def plant(tmp_path):
    def write(path, text):
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        return tmp_path, [path]

    return write


def test_no_file_is_longer_than_400_lines(files):
    assert "\n".join(checks.overlong_files(ROOT, [*files, *OF_THE_RULES])) == ""


def test_a_file_of_401_lines_is_found(plant):
    assert checks.overlong_files(*plant("a.py", "x = 1\n" * 401)) == ["a.py:1: 401 lines, at most 400"]
    assert checks.overlong_files(*plant("a.py", "x = 1\n" * 400)) == []


def test_no_function_is_longer_than_40_lines(files):
    assert "\n".join(checks.overlong_functions(ROOT, [*files, *OF_THE_RULES])) == ""


def test_a_function_of_41_lines_is_found_and_its_docstring_is_free(plant):
    forty = "async def f():\n" + "    x = 1\n" * 39
    assert checks.overlong_functions(*plant("a.py", forty)) == []
    assert checks.overlong_functions(*plant("a.py", forty + "    x = 1\n")) == ["a.py:1: f has 41 lines, at most 40"]
    documented = forty.replace(":\n", ':\n    """One.\n\n    Two.\n    """\n', 1)
    assert checks.overlong_functions(*plant("a.py", documented)) == []


def test_no_private_key_is_tracked(files):
    assert "\n".join(checks.private_keys(ROOT, files)) == ""


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("keys/root.txt", "-----BEGIN PRIVATE KEY-----"),
        ("keys/root.txt", "-----BEGIN OPENSSH PRIVATE KEY-----"),
        ("tests/vectors/a.json", '{"kty":"OKP", "d": "' + "A" * 43 + '"}'),
        ("data/root-key.json", "{}"),
        ("data/pepper", ""),
        ("data/online-keys/a.json", "{}"),
        ("data/tillkey.sqlite-wal", ""),
    ],
)
def test_a_private_key_is_found_by_name_or_content(plant, path, text):
    assert len(checks.private_keys(*plant(path, text))) == 1


def test_a_key_that_a_standard_printed_and_a_public_key_are_let_be(plant):
    published = '{"d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A", "x": "' + "A" * 43 + '"}'
    assert checks.private_keys(*plant("tests/rfc.json", published)) == []


def test_no_path_of_a_machine_is_tracked(files):
    assert "\n".join(checks.machine_paths(ROOT, files)) == ""


@pytest.mark.parametrize("text", ["see /work/main", 'open("/home/me/x")', "cd /root/x", "file:///Users/me/x"])
def test_a_path_of_a_machine_is_found(plant, text):
    assert len(checks.machine_paths(*plant("docs/a.md", text))) == 1


@pytest.mark.parametrize(
    "text", ["GET /v1/work/1", "/var/lib/tillkey", "~/home/x", "$ROOT/root/x", "https://x.org/home"]
)
def test_other_paths_are_let_be(plant, text):
    assert checks.machine_paths(*plant("docs/a.md", text)) == []


def test_no_address_of_a_package_index_is_tracked(files):
    assert "\n".join(checks.index_addresses(ROOT, files)) == ""


@pytest.mark.parametrize(
    "text",
    ["--index-url x", "--extra-index-url x", "--find-links x", "https://mirror.example/simple/", "PIP_INDEX_URL=x"],
)
def test_an_address_of_a_package_index_is_found(plant, text):
    assert len(checks.index_addresses(*plant("requirements.lock", text))) == 1


def test_nothing_that_ships_says_it_is_unfinished(files):
    assert "\n".join(checks.unfinished(ROOT, files)) == ""


@pytest.mark.parametrize("text", ["raise NotImplementedError", "# TODO: later", "# FIXME"])
def test_unfinished_code_is_found(plant, text):
    assert len(checks.unfinished(*plant("sdk/tillkey/a.py", text))) == 1
    assert checks.unfinished(*plant("docs/a.md", text)) == []


def test_no_file_draws_rulers_between_its_sections(files):
    assert "\n".join(checks.section_rulers(ROOT, files)) == ""


def test_a_ruler_is_found(plant):
    assert len(checks.section_rulers(*plant("a.py", "# ---------- keys\n"))) == 1


@pytest.mark.parametrize(
    "name", ["requirements.lock", "requirements-postgres.lock", "requirements-node.lock", "requirements-mutants.lock"]
)
def test_a_lock_pins_every_package_by_hash_and_names_none_of_ours(name):
    assert "\n".join(checks.loose_requirements((ROOT / name).read_text())) == ""


HASH = "    --hash=sha256:" + "0" * 64


@pytest.mark.parametrize(
    "lock",
    [
        "idna==3.20\n",
        "idna>=3.20 \\\n" + HASH,
        "sdk\n",
        "-e ./sdk\n",
        "--find-links x\n",
        "idna @ file:///x/idna.whl \\\n" + HASH,
        "tillkey==0.1.0 \\\n" + HASH,
        "tillkey-server==0.1.0 \\\n" + HASH,
        "idna==3.20 \\\n    --hash=md5:0\n",
    ],
)
def test_a_loose_line_in_the_lock_is_found(lock):
    assert len(checks.loose_requirements(lock)) == 1


def test_a_well_formed_lock_passes():
    lock = f"idna==3.20 \\\n{HASH} \\\n{HASH}\n    # via httpx\nuvloop==0.23.0 ; sys_platform != 'win32' \\\n{HASH}\n"
    assert checks.loose_requirements(lock) == []
