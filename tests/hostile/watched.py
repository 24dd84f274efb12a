"""A case under watch: how it ended, how long it took, and how much more memory the process needed."""

from __future__ import annotations

import json
import resource
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from bertwright.errors import BertwrightError

SECONDS = 20
BYTES = 1536 << 20


class TooLongError(BaseException):
    """Past every `except Exception`."""


@dataclass(frozen=True)
class Ending:
    """How a case ended.

    Attributes:
        code: of the error; empty where it was accepted.
        trouble: what must never be: another exception, a hang, too much memory; empty where all is well.
    """

    code: str = ""
    trouble: str = ""


@dataclass
class Figures:
    """What came of many cases."""

    endings: Counter[str] = field(default_factory=Counter)
    troubles: list[str] = field(default_factory=list)

    def add(self, name: str, ending: Ending, *, must_refuse: bool) -> None:
        """Count a case."""
        self.endings[ending.code or "accepted"] += 1
        if ending.trouble:
            self.troubles.append(f"{name}: {ending.trouble}")
        elif must_refuse and not ending.code:
            self.troubles.append(f"{name}: accepted")


def watched(case: Callable[[], Sequence[Any]]) -> Ending:
    """Run a case, whose answers must be JSON that every program reads and whose error must have its message."""
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    try:
        with _limited():
            code = _ended(case)
    except TooLongError:
        return Ending(trouble=f"more than {SECONDS} seconds")
    except BaseException as error:  # a panic of a library is no Exception
        if isinstance(error, KeyboardInterrupt):
            raise
        return Ending(trouble=f"{type(error).__name__}: {error}"[:300])
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) << 10
    if grown > BYTES:
        return Ending(code, f"{grown >> 20} MiB")
    if time.monotonic() - began > SECONDS:
        return Ending(code, f"{time.monotonic() - began:.0f} seconds")
    return Ending(code)


def _ended(case: Callable[[], Sequence[Any]]) -> str:
    try:
        for answer in case():
            json.dumps(answer, allow_nan=False).encode()
    except BertwrightError as error:
        told = [error.message(lang).strip() for lang in ("en", "zh")]
        return error.code if all(told) else ""
    return ""


@contextmanager
def _limited() -> Iterator[None]:
    def end(number: int, frame: FrameType | None) -> None:
        raise TooLongError

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
