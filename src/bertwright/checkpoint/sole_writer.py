"""One process at a time writes a folder; a second one is told so."""

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
def sole_writer(folder: Path) -> Iterator[None]:
    """While the block lasts, no other process gets into such a block of the same folder.

    The folder is made, and removed if nothing was written to it. The lock is the kernel's, on the folder itself: it
    ends with the process, however that ends, and leaves no file behind. Where the folder cannot be made, or its file
    system knows no locks, nothing is checked.

    Raises:
        BertwrightError: BW514 another process, or another thread, is writing there.
    """
    made = False
    with suppress(OSError):
        if not folder.exists():
            folder.mkdir(parents=True)
            made = True
    handle = _locked(folder) if fcntl is not None and folder.is_dir() else None
    try:
        yield
    finally:
        if handle is not None:
            os.close(handle)
        if made:
            with suppress(OSError):  # it is not empty
                folder.rmdir()


def _locked(folder: Path) -> int | None:
    """An open handle that holds the lock; None where there are no locks.

    Raises:
        BertwrightError: BW514 another one holds it, and did so for a while.
    """
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return None
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return handle
        except BlockingIOError as error:
            if time.monotonic() > end:
                os.close(handle)
                raise BertwrightError("BW514", folder=folder) from error
            time.sleep(0.1)
        except OSError:
            os.close(handle)
            return None
