"""The house rules that no linter knows, each a function from a file tree to a list of complaints.

A complaint says where and what: `path:line: …`. The functions take the root and the files' relative paths, so that a
test can plant a violation in a tree of its own and see it found.
"""

import ast
import re
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 40

_PRIVATE_PEM = re.compile(r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----")
_PRIVATE_JWK = re.compile(r"""["']d["']\s*:\s*["'](?P<seed>[A-Za-z0-9_-]{43})["']""")
# RFC 8037, appendix A.1: printed in the standard, so it protects nothing and may stand in a test.
_PUBLISHED_SEEDS = frozenset({"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"})
_PRIVATE_NAMES = re.compile(
    r"(?:^|/)(?:root-key\.json|pepper|online-keys/.*|.*\.(?:pem|sqlite3?|sqlite3?-wal|sqlite3?-shm))$"
)

_MACHINE_PATH = re.compile(r"(?<![\w.~$}-])/(?:work|home|root|Users|farm)/")
_INDEX_ADDRESS = re.compile(
    r"--(?:extra-)?index-url|--find-links|\bPIP_(?:EXTRA_)?INDEX_URL|\bUV_(?:DEFAULT_)?INDEX"
    r"|(?:https?|file)://[^\s\"'<>]*/(?:simple|packages)\b"
)
_UNFINISHED = re.compile(r"raise NotImplementedError|\b(?:TODO|FIXME|XXX)\b")
_SECTION_RULER = re.compile(r"^\s*#\s*[-=#*~]{8,}")
_HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")
_PINNED = re.compile(r"^(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==\S+(?: ; .+?)? \\$")


def tracked_files(root: Path) -> list[str]:
    """Return what git tracks, or would with the next `git add`, as paths relative to the root."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout
    return sorted({path for path in listed.split("\0") if path and (root / path).is_file()})


def overlong_files(root: Path, files: Iterable[str]) -> list[str]:
    """Complain of Python files of more lines than a person reads in one sitting."""
    counted = ((path, len(text.splitlines())) for path, text in _texts(root, files) if path.endswith(".py"))
    return [f"{path}:1: {lines} lines, at most {MAX_FILE_LINES}" for path, lines in counted if lines > MAX_FILE_LINES]


def overlong_functions(root: Path, files: Iterable[str]) -> list[str]:
    """Complain of functions of too many lines, decorators and docstring not counted."""
    return [
        f"{path}:{function.lineno}: {function.name} has {_length(function)} lines, at most {MAX_FUNCTION_LINES}"
        for path, text in _texts(root, files)
        if path.endswith(".py")
        for function in ast.walk(ast.parse(text, filename=path))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) and _length(function) > MAX_FUNCTION_LINES
    ]


def private_keys(root: Path, files: Iterable[str]) -> list[str]:
    """Complain of private keys, peppers and databases, by their name or their content."""
    files = list(files)
    complaints = [f"{path}:1: this file is private by its name" for path in files if _PRIVATE_NAMES.search(path)]
    for path, number, line in _lines(root, files):
        secret = _PRIVATE_JWK.search(line)
        if _PRIVATE_PEM.search(line) or (secret and secret["seed"] not in _PUBLISHED_SEEDS):
            complaints.append(f"{path}:{number}: a private key")
    return complaints


def machine_paths(root: Path, files: Iterable[str]) -> list[str]:
    """Complain of paths that exist on one machine only."""
    return _found(root, files, _MACHINE_PATH, "a path of one machine")


def index_addresses(root: Path, files: Iterable[str]) -> list[str]:
    """Complain of the address of a package index, in a lock or anywhere else."""
    return _found(root, files, _INDEX_ADDRESS, "an address of a package index")


def unfinished(root: Path, files: Iterable[str]) -> list[str]:
    """Complain of code that says of itself that it is not done."""
    shipped = [path for path in files if path.startswith(("server/", "sdk/", "migrations/"))]
    return _found(root, shipped, _UNFINISHED, "not finished")


def section_rulers(root: Path, files: Iterable[str]) -> list[str]:
    """Complain of comments that draw lines across a file; a file that needs them is two files."""
    return _found(root, [path for path in files if path.endswith(".py")], _SECTION_RULER, "a section ruler")


def loose_requirements(lock: str) -> list[str]:
    """Complain of whatever in a lock is not a pinned package with its hashes, and of our own packages in it.

    Our own packages are on no index: a line that names one would let pip take a stranger's package of that name.
    """
    complaints = []
    for number, entry in _entries(lock):
        head = entry[0]
        pinned = _PINNED.match(head)
        if pinned is None:
            complaints.append(f"line {number}: not a pinned package: {head}")
        elif pinned["name"].lower().startswith("tillkey"):
            complaints.append(f"line {number}: {pinned['name']} comes from this checkout, never from an index")
        elif len(entry) == 1 or not all(_HASH.fullmatch(line.strip().removesuffix(" \\")) for line in entry[1:]):
            complaints.append(f"line {number}: {pinned['name']} has something else than hashes")
    return complaints


def _entries(lock: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each requirement with the number of its first line: that line, and the indented ones below it."""
    entry: list[str] = []
    start = 0
    for number, line in enumerate(lock.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if line.startswith(" "):
            entry.append(line)
            continue
        if entry:
            yield start, entry
        start, entry = number, [line]
    if entry:
        yield start, entry


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count a function's lines from `def` to its end, without its docstring."""
    end = node.end_lineno or node.lineno
    first = node.body[0]
    documented = ast.get_docstring(node, clean=False) is not None
    docstring = (first.end_lineno or first.lineno) - first.lineno + 1 if documented else 0
    return end - node.lineno + 1 - docstring


def _texts(root: Path, files: Iterable[str]) -> Iterator[tuple[str, str]]:
    for path in files:
        content = (root / path).read_bytes()
        if b"\0" not in content:
            yield path, content.decode("utf-8", errors="replace")


def _lines(root: Path, files: Iterable[str]) -> Iterator[tuple[str, int, str]]:
    for path, text in _texts(root, files):
        for number, line in enumerate(text.splitlines(), 1):
            yield path, number, line


def _found(root: Path, files: Iterable[str], pattern: re.Pattern[str], what: str) -> list[str]:
    return [f"{path}:{number}: {what}" for path, number, line in _lines(root, files) if pattern.search(line)]
