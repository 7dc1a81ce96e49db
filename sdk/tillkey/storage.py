"""The state folder: files that survive a crash at any step, and one lock for all processes of a till.

1. A write makes a temporary file, brings it to the disk, keeps the present file as the previous generation, renames
   the temporary one into place and syncs the folder. After a crash the file is the old one, the new one, or missing
   with the previous generation whole.
2. A torn, truncated or foreign file is set aside under a name of its own, reported, and recovered from the previous
   generation. Nothing is thrown away and nothing here crashes the host: reading never changes the folder, setting
   aside is done under the lock.
3. The lock is on the folder, since the products' files in it share one installation key. It is the operating system's
   and ends with its process.
4. A whole file of another server (its keyset was pinned before, or by mistake) is no damage: it lies where it is until
   there is something to write, then waits beside, and has its place again when its keyset is pinned again.
5. When a write takes the license key out of the state, it is made twice, so that the previous generation forgets the
   key too.
"""

from __future__ import annotations

import contextlib
import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Optional, Union

from tillkey import platform
from tillkey.errors import Busy, StateError
from tillkey.state import MAX_STATE_BYTES, Damaged, State, TooNew, decode, encode

_PREFIX = "tillkey-"
_SUFFIX = ".json"
_LOCK = ".tillkey.lock"


@dataclass(frozen=True)
class Flaw:
    """Why a file holds no state of this till: a reason as in ``verdict.Evidence.fault``, and the rest of a sentence.

    ``issuer`` is the server that a whole file belongs to, where that is another one.
    """

    reason: str
    text: str
    issuer: Optional[str] = None


@dataclass(frozen=True)
class Loaded:
    """What was found: a state or None, sentences about what went wrong, and the files that are to be set aside.

    ``fault`` is the reason of the present file's flaw, or None; ``owner`` the issuer whose whole file lies in the place
    of this state, which waits beside it.
    """

    state: Optional[State]
    problems: tuple[str, ...] = ()
    damaged: tuple[Path, ...] = ()
    fault: Optional[str] = None
    owner: Optional[str] = None


class StateFolder:
    """The files of one state folder. Nothing is made before the first write or lock."""

    def __init__(self, folder: Path, product: str, issuer: str) -> None:
        """Take the folder and whose file is meant; a file of another product or issuer is foreign."""
        self.folder = folder
        self.file = folder / f"{_PREFIX}{product}{_SUFFIX}"
        self.previous = folder / f"{_PREFIX}{product}{_SUFFIX}.previous"
        self._product = product
        self._issuer = issuer

    @contextlib.contextmanager
    def locked(self, wait: float) -> Iterator[None]:
        """Hold the folder's lock; wait at most ``wait`` seconds (0: do not wait), then raise ``Busy``."""
        import filelock  # noqa: PLC0415 - a fifth of the time that importing the SDK may take

        lock = filelock.FileLock(str(self.folder / _LOCK), timeout=wait, mode=0o600)
        try:
            platform.make_folder(self.folder)
            lock.acquire()
        except filelock.Timeout as error:
            raise Busy(
                f"another process of this till holds {self.folder} and talks to the server; try again in a few seconds"
            ) from error
        except (OSError, NotImplementedError) as error:
            raise _cannot("lock", self.folder, error) from error
        try:
            yield
        finally:
            lock.release()

    @property
    def has_lock(self) -> bool:
        """Tell whether the lock's file is there, so that asking for the lock makes none."""
        return (self.folder / _LOCK).exists()

    def load(self) -> Loaded:
        """Read the file, or the previous generation.

        Raises ``StateError`` where the disk fails or the file is a newer SDK's.
        """
        current = self._read(self.file)
        if isinstance(current, State):
            return Loaded(current)
        if current is None or current.issuer is not None:
            # Ours may wait beside another server's (rule 4).
            parked = self._read(self._parked(self._issuer))
            if isinstance(parked, State):
                return Loaded(parked, owner=None if current is None else current.issuer)
        previous = self._read(self.previous)
        state = previous if isinstance(previous, State) else None
        if current is None:
            # Missing beside a whole previous generation: a write was cut short before anything was sent.
            return Loaded(state)
        recovered = "the previous generation is used" if state else "there is no previous generation to go back to"
        problem = f"The state file {self.file.name} {current.text}; {recovered}."
        damaged = () if current.issuer is not None else (self.file,)
        return Loaded(state, (problem,), damaged, current.reason)

    def set_aside(self, loaded: Loaded) -> None:
        """Move damaged files out of the way and sweep what a cut write left; to be called under the lock."""
        ours = self._parked(self._issuer)
        try:
            if loaded.owner is not None:
                platform.replace_file(self.file, self._parked(loaded.owner))
            if ours.exists() and not self.file.exists():
                platform.replace_file(ours, self.file)
            for path in loaded.damaged:
                platform.replace_file(path, path.with_name(f"{path.name}.damaged-{secrets.token_hex(8)}"))
            for left in self.folder.glob(f".{self.file.name}.*.tmp"):
                left.unlink()
        except OSError as error:
            raise _cannot("tidy", self.folder, error) from error

    def save(self, state: State) -> None:
        """Make a state durable; to be called under the lock.

        Raises ``StateError``; the file is then the old one or the new one.
        """
        content = encode(state)
        if len(content) > MAX_STATE_BYTES:
            raise StateError(f"the state of {self.file} would be over {MAX_STATE_BYTES} bytes")
        try:
            before = self._read(self.file)
            if isinstance(before, Flaw) and before.issuer is not None:
                platform.replace_file(self.file, self._parked(before.issuer))
            self._write(content)
            if isinstance(before, State) and before.secret is not None and before.secret != state.secret:
                self._write(content)
        except OSError as error:
            raise _cannot("write", self.file, error) from error

    def spare_seed(self) -> Optional[bytes]:
        """Return the installation key that another product of the same server keeps in this folder, or None."""
        try:
            neighbors = sorted(self.folder.glob(f"{_PREFIX}*{_SUFFIX}"))
        except OSError:
            return None
        for path in neighbors:
            if path == self.file:
                continue
            with contextlib.suppress(OSError, Damaged, TooNew):
                state = decode(_bytes_of(path))
                if state.issuer == self._issuer and state.seed is not None:
                    return state.seed
        return None

    def stamp(self) -> tuple[int, ...]:
        """Return a value that changes when another process writes the file: one ``stat``."""
        try:
            status = self.file.stat()
        except OSError:
            return ()
        return (status.st_mtime_ns, status.st_size, status.st_ino)

    def _read(self, path: Path) -> Union[State, Flaw, None]:
        """Return the state, or what is wrong with the file, or None where there is none."""
        try:
            state = decode(_bytes_of(path))
        except FileNotFoundError:
            return None
        except Damaged as error:
            return Flaw("state_damaged", str(error))
        except TooNew as error:
            raise StateError(f"{path} {error}: update the program that uses this SDK") from error
        except OSError as error:
            raise _cannot("read", path, error) from error
        if state.product != self._product:
            return Flaw("other_product", f"belongs to the product {state.product!r}")
        if state.issuer != self._issuer:
            return Flaw("keyset_mismatch", "belongs to another license server", state.issuer)
        return state

    def _parked(self, issuer: str) -> Path:
        """Return where the file waits while another server's lies in its place."""
        owner = hashlib.sha256(issuer.encode()).hexdigest()[:16]
        return self.folder / f"{self.file.name}.of-{owner}"

    def _write(self, content: bytes) -> None:
        temporary = self.folder / f".{self.file.name}.{secrets.token_hex(8)}.tmp"
        try:
            platform.write_durably(temporary, content)
            with contextlib.suppress(FileNotFoundError):
                platform.replace_file(self.file, self.previous)
            platform.replace_file(temporary, self.file)
            platform.sync_folder(self.folder)
        except OSError:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise


def _bytes_of(path: Path) -> bytes:
    if path.exists() and not path.is_file():
        # Opening a pipe would wait for its writer for ever.
        raise Damaged("is no regular file")
    with path.open("rb") as file:
        content = file.read(MAX_STATE_BYTES + 1)
    if len(content) > MAX_STATE_BYTES:
        raise Damaged(f"is over {MAX_STATE_BYTES} bytes")
    return content


def _cannot(verb: str, path: Path, error: Exception) -> StateError:
    reason = getattr(error, "strerror", None) or type(error).__name__
    return StateError(f"cannot {verb} {path}: {reason}; give this user the folder, or name another one as state_dir")
