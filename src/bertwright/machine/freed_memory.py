"""Memory that one step frees is there for the next."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# mallopt(3): names and defaults of the two numbers.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_DEFAULT = 128 << 10
_MOST = 2**31 - 1
_MOST_OF_OLD_VERSIONS = 32 << 20


@contextmanager
def freed_memory_kept() -> Iterator[None]:
    """While it is entered, memory that the C library frees stays with the process; at the end it goes back.

    By itself the GNU C library hands large pieces back to the system at once and asks for them again in the next step,
    and the system fills each page with zeros: a tenth of the time of a step in bf16. Another library is left alone.
    """
    library = _gnu_c_library()
    if library is None:
        yield
        return
    if not library.mallopt(_MMAP_THRESHOLD, _MOST):
        library.mallopt(_MMAP_THRESHOLD, _MOST_OF_OLD_VERSIONS)
    library.mallopt(_TRIM_THRESHOLD, _MOST)
    try:
        yield
    finally:
        library.mallopt(_MMAP_THRESHOLD, _DEFAULT)
        library.mallopt(_TRIM_THRESHOLD, _DEFAULT)
        library.malloc_trim(0)


def _gnu_c_library() -> ctypes.CDLL | None:
    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "mallopt") and hasattr(library, "gnu_get_libc_version") else None
