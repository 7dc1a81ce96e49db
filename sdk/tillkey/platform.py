"""Where systems differ: clocks since boot, folders, file modes, durable writes, a machine's traits.

``sys.platform`` is compared in the open so that a type checker can read each branch (``mypy --platform win32``). What
a system does not tell is left out, never guessed: a missing trait or boot id is a weaker proof, not a wrong one.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import secrets
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Optional

from tillkey.wire.request import ClockReading

_BOOT_ID_LENGTH = 64
_REPLACE_ATTEMPTS = 20
_REPLACE_PAUSE = 0.05


def read_clock() -> ClockReading:
    """Read the machine's clocks.

    Wall and time since boot (suspend included where the system counts it) in seconds, and the boot's id.
    """
    return ClockReading(wall=max(0, int(time.time())), boottime=_boottime(), boot_id=_boot_id())


def _boottime() -> int:
    if sys.platform == "linux":
        return max(0, int(time.clock_gettime(time.CLOCK_BOOTTIME)))
    if sys.platform == "darwin":
        return max(0, int(time.clock_gettime(time.CLOCK_MONOTONIC_RAW)))  # goes on while the machine sleeps
    # Windows: time since boot.
    return max(0, int(time.monotonic()))


@functools.lru_cache(maxsize=1)
def _process_id_of_boot() -> str:
    # No boot id to be had: the time since boot is comparable within this process only, so the process names it.
    return f"process-{secrets.token_hex(16)}"


@functools.lru_cache(maxsize=1)
def _boot_id() -> str:
    with contextlib.suppress(OSError, ValueError):
        found = _system_boot_id()
        if found:
            return found[:_BOOT_ID_LENGTH]
    return _process_id_of_boot()


def _system_boot_id() -> Optional[str]:
    if sys.platform == "linux":
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    if sys.platform == "win32":
        memory = r"SYSTEM\CurrentControlSet\Control\Session Manager\Memory Management\PrefetchParameters"
        number = _registry(memory, "BootId")
        return f"windows-{number}" if number else None
    if sys.platform == "darwin":
        return _sysctl("kern.bootsessionuuid")
    return None


if sys.platform == "win32":

    def _registry(path: str, name: str) -> Optional[str]:
        import winreg  # noqa: PLC0415 - only Windows has it

        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, path, 0, winreg.KEY_READ | winreg.KEY_WOW64_64KEY) as key:
            return str(winreg.QueryValueEx(key, name)[0])


if sys.platform == "darwin":

    def _sysctl(name: str) -> Optional[str]:
        import ctypes  # noqa: PLC0415 - 10 ms that only macOS needs

        library = ctypes.CDLL(None)
        size = ctypes.c_size_t(256)
        buffer = ctypes.create_string_buffer(size.value)
        if library.sysctlbyname(name.encode("ascii"), buffer, ctypes.byref(size), None, 0) != 0:
            return None
        return buffer.value.decode("ascii", "replace")


def default_state_folder(issuer: str) -> Path:
    """Return the user's data folder for the license state of one vendor's server.

    Named by the issuer, so that two vendors' products on one machine never meet in one folder.
    """
    import platformdirs  # noqa: PLC0415 - not needed where the host names the folder

    slug = "".join(symbol if symbol.isascii() and symbol.isalnum() else "-" for symbol in issuer.lower())[:40].strip(
        "-"
    )
    digest = hashlib.sha256(issuer.encode("utf-8")).hexdigest()[:8]
    return Path(platformdirs.user_data_dir("tillkey", appauthor=False)) / f"{slug}-{digest}"


def make_folder(folder: Path) -> None:
    """Make a folder that only its owner enters, where the system has modes; one that is there stays as it is."""
    if not folder.is_dir():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def write_durably(path: Path, content: bytes) -> None:
    """Make a new file of mode 0600 and bring it to the disk; raises ``OSError``, also where the file exists."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    if sys.platform == "win32":
        flags |= os.O_BINARY | os.O_NOINHERIT
    descriptor = os.open(path, flags, 0o600)
    with open(descriptor, "wb") as file:  # noqa: PTH123 - of a descriptor, so that the mode holds from the first byte
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def replace_file(source: Path, target: Path) -> None:
    """Rename over whatever is there; on Windows wait a moment for a reader to close the target."""
    if sys.platform == "win32":
        for _ in range(_REPLACE_ATTEMPTS - 1):
            with contextlib.suppress(PermissionError):
                source.replace(target)
                return
            time.sleep(_REPLACE_PAUSE)
    source.replace(target)


def sync_folder(folder: Path) -> None:
    """Bring a rename to the disk.

    Windows has no such call: there the rename itself is as durable as the file system makes it.
    """
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def machine_id() -> Optional[str]:
    """Return the id that the system was given when it was installed, or None."""
    with contextlib.suppress(OSError, ValueError):
        return _machine_id()
    return None


def _machine_id() -> Optional[str]:
    if sys.platform == "win32":
        return _registry(r"SOFTWARE\Microsoft\Cryptography", "MachineGuid")
    if sys.platform == "darwin":
        return _sysctl("kern.uuid")
    for path in ("/etc/machine-id", "/var/lib/dbus/machine-id"):
        with contextlib.suppress(OSError):
            found = Path(path).read_text(encoding="ascii").strip()
            if found and found != "uninitialized":
                return found
    return None


def hardware_id() -> Optional[str]:
    """Return an id of the hardware.

    The board's where it is readable, else the lowest address of a real network card, or None.
    """
    with contextlib.suppress(OSError, ValueError):
        if sys.platform == "linux":
            return _linux_board() or next(iter(sorted(_linux_cards())), None)
        import uuid  # noqa: PLC0415 - 5 ms that only these systems need

        address = uuid.getnode()
        # A set multicast bit means that uuid found no card and drew a random number (RFC 9562 section 6.10).
        return None if address >> 40 & 1 else f"{address:012x}"
    return None


def _linux_board() -> Optional[str]:
    with contextlib.suppress(OSError):
        return Path("/sys/class/dmi/id/product_uuid").read_text(encoding="ascii").strip() or None
    return None


def _linux_cards() -> Iterator[str]:
    for card in Path("/sys/class/net").iterdir():
        # Only a card of its own device: bridges, tunnels and containers' interfaces get a new address at each start.
        if not (card / "device").exists():
            continue
        with contextlib.suppress(OSError):
            address = (card / "address").read_text(encoding="ascii").strip().replace(":", "")
            if int(address or "0", 16) and not int(address[:2], 16) & 2:
                yield address
