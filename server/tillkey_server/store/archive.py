"""The file that a backup is: named parts in a compressed tar, with a manifest of their SHA-256 as the last.

1. `about.json` comes first and says what the rest is; an archive of another format or version is refused by it.
2. `manifest.json` comes last. An archive without it was cut off; one whose parts differ from it is damaged.
3. Both ways go through the file once and in order, so that neither size nor an encryption around it matters.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol, cast

from tillkey_server.errors import BadInput

FORMAT = "tillkey-backup"
VERSION = 1
ABOUT = "about.json"
MANIFEST = "manifest.json"
MAX_PART_BYTES = 64 * 1024 * 1024
_NAME = re.compile(r"[a-z]+(/[A-Za-z0-9_-][A-Za-z0-9_.-]*){1,3}")


class Sink(Protocol):
    """Where an archive is written to."""

    def write(self, content: bytes, /) -> int:
        """Take bytes."""
        ...


class Source(Protocol):
    """Where an archive is read from."""

    def read(self, size: int, /) -> bytes:
        """Give up to `size` bytes, none at the end."""
        ...


class ArchiveWriter:
    """Writes parts one after the other; made by `writing`."""

    def __init__(self, tar: tarfile.TarFile, at: int) -> None:
        """Take the open tar, and the seconds since the epoch that every part bears."""
        self._tar = tar
        self._at = at
        self._manifest: dict[str, dict[str, object]] = {}

    def add(self, name: str, content: bytes) -> None:
        """Write one part."""
        assert len(content) <= MAX_PART_BYTES, name
        self._manifest[name] = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
        self._write(name, content)

    def finish(self) -> None:
        """Write the manifest."""
        self._write(MANIFEST, json.dumps(self._manifest, indent=1).encode("ascii"))

    def _write(self, name: str, content: bytes) -> None:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode, entry.mtime = len(content), 0o600, self._at
        self._tar.addfile(entry, io.BytesIO(content))


@contextmanager
def writing(sink: Sink, about: Mapping[str, object], at: int) -> Iterator[ArchiveWriter]:
    """Give a writer whose first part says `about`; its manifest is written when the block ends cleanly."""
    # The streaming modes ask for nothing but `write` and `read`.
    with (
        gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=cast("Any", sink), mtime=at) as zipped,
        tarfile.open(fileobj=zipped, mode="w|") as tar,
    ):
        writer = ArchiveWriter(tar, at)
        told = {"format": FORMAT, "version": VERSION, **about}
        writer.add(ABOUT, json.dumps(told, indent=1).encode("ascii"))
        yield writer
        writer.finish()


def parts(source: Source) -> Iterator[tuple[str, bytes]]:
    """Give each part's name and content in order, `about.json` first; without the manifest.

    After the last one the whole archive has been proved. Raises BadInput, naming `file`, where it is none of ours, of a
    version that this server does not know, damaged or cut off.
    """
    seen: dict[str, dict[str, object]] = {}
    manifest: object = None
    for name, content in _members(source):
        if manifest is not None:
            raise BadInput("file", "is damaged: something follows its manifest; take another backup")
        if not seen:
            _refuse_other_formats(name, content)
        if name == MANIFEST:
            manifest = _json(content)
            continue
        if name != ABOUT and not _NAME.fullmatch(name):
            raise BadInput("file", "is damaged: it holds a part of a name that no backup has; take another backup")
        seen[name] = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
        yield name, content
    if manifest is None:
        raise BadInput("file", "is cut off: its manifest is missing; take another backup")
    if manifest != seen:
        raise BadInput("file", "is damaged: its parts are not those of its manifest; take another backup")


def _members(source: Source) -> Iterator[tuple[str, bytes]]:
    try:
        with tarfile.open(fileobj=cast("Any", source), mode="r|gz") as tar:
            for entry in tar:
                file = tar.extractfile(entry) if entry.isreg() and entry.size <= MAX_PART_BYTES else None
                if file is None:
                    raise BadInput("file", "is damaged: it holds a part that no backup has; take another backup")
                content = file.read()
                if len(content) != entry.size:
                    raise BadInput("file", "is cut off; take another backup")
                yield entry.name, content
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        raise BadInput("file", "is no Tillkey backup, is damaged or is cut off; take another backup") from error


def _refuse_other_formats(name: str, content: bytes) -> None:
    about = _json(content) if name == ABOUT else None
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        raise BadInput("file", "is no Tillkey backup; take another backup")
    if about.get("version") != VERSION:
        raise BadInput(
            "file",
            f"is of format version {about.get('version')!r}; this server reads version {VERSION}: take the"
            " version of the server that wrote it",
        )


def _json(content: bytes) -> object:
    try:
        return json.loads(content)
    except ValueError as error:
        raise BadInput("file", "is damaged: a part of it is no JSON; take another backup") from error
