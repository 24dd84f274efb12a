"""One process at a time writes a folder or a file; a second one is told so."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bertwright.errors import BertwrightError

try:
    import fcntl
except ImportError:  # Windows, where folders cannot be locked: nothing is checked
    fcntl = None  # type: ignore[assignment]

_PATIENCE = 5.0  # seconds for a process that was just killed to be gone


@contextmanager
def sole_writer(place: Path) -> Iterator[None]:
    """While the block lasts, no other process gets into such a block of the same folder, or file.

    Where neither is there a folder is made, and removed if nothing was written to it. The lock is the kernel's, on the
    place itself: it ends with the process, however that ends, and leaves no file behind. Where the folder cannot be
    made, or its file system knows no locks, nothing is checked.

    Raises:
        BertwrightError: BW514 another process, or another thread, is writing there.
    """
    end = time.monotonic() + _PATIENCE
    is_file, handle = place.is_file(), None
    while True:
        made = not is_file and _made(place)
        if fcntl is not None and (is_file or place.is_dir()):
            handle = _locked(place, end)
        if handle is None or _is_still(place, handle):
            break
        os.close(handle)  # who held it has taken the place away
        handle = None
        if is_file:
            place.touch()
    try:
        yield
    finally:
        if made:
            with suppress(OSError):  # it is not empty
                place.rmdir()
        if handle is not None:
            os.close(handle)


def _made(folder: Path) -> bool:
    """Make a folder where there is nothing; whether that was done."""
    try:
        folder.mkdir(parents=True)
    except OSError:
        return False
    return True


def _locked(place: Path, end: float) -> int | None:
    """An open handle that holds the lock; None where there are no locks, or no place any more.

    Raises:
        BertwrightError: BW514 another one holds it until `end`.
    """
    try:
        handle = os.open(place, os.O_RDONLY)
    except OSError:
        return None
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return handle
        except BlockingIOError as error:
            if time.monotonic() > end:
                os.close(handle)
                raise BertwrightError("BW514", folder=place) from error
            time.sleep(0.1)
        except OSError:
            os.close(handle)
            return None


def _is_still(place: Path, handle: int) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), place.stat())
    except OSError:
        return False
