"""What libraries written in Rust raise where they give up, as an exception that a caller expects."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bertwright.wording import Phrase

_PANIC = "PanicException"  # of a private module, and no `Exception`: `except Exception` lets it pass


@contextmanager
def panics_as_errors() -> Iterator[None]:
    """Raise ValueError where a library panics; every other exception stays as it is."""
    try:
        yield
    except BaseException as error:
        if type(error).__name__ != _PANIC:
            raise
        first = (str(error).splitlines() or [_PANIC])[0]
        raise ValueError(Phrase("the library that computes it gave up: {reason}", reason=first[:200])) from error
