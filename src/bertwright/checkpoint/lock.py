"""One process at a time writes a folder or a file; a second one is told so."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from bertwright.errors import BertwrightError

_PATIENCE = 5.0  # seconds for a process that was just killed to be gone


@contextmanager
def sole_writer(place: Path) -> Iterator[None]:
    """While the block lasts, no other process gets into such a block of the same folder, or file.

    The lock is the kernel's, on a file beside the place, `.NAME.lock`: it ends with the process, however that ends. The
    file goes with the block; after a process that was killed it stays, and holds up nobody. A folder that the block
    makes goes with it, too, if nothing was written to it. Where beside the place nothing can be written, or the file
    system knows no locks, nothing is checked.

    Raises:
        BertwrightError: BW514 another process, or another thread, is writing there.
    """
    real = Path(os.path.realpath(place))
    file = real.parent / f".{real.name}.lock"
    lock = FileLock(file, timeout=_PATIENCE, poll_interval=0.1, fallback_to_soft=False)
    try:
        real.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as error:  # an OSError, too
        raise BertwrightError("BW514", folder=place) from error
    except OSError:
        pass
    made = not real.exists()
    try:
        yield
    finally:
        if made:
            with suppress(OSError):  # it is not empty
                real.rmdir()
        if lock.is_locked:
            with suppress(OSError):  # Windows cannot take it away before it is let go, and does so then
                file.unlink()
            lock.release()
