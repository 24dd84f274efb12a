"""Ctrl-C and SIGTERM: the step that is under way is finished and saved, then the program ends."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

TERMINATED = 128 + signal.SIGTERM


class Interruption:
    """Whether the run was asked to stop, and by which signal."""

    def __init__(self) -> None:
        self._signal: int | None = None

    @property
    def requested(self) -> bool:
        """Whether a signal came."""
        return self._signal is not None

    def note(self, number: int, _frame: FrameType | None) -> None:
        """Remember the signal; the second one does not wait for the step."""
        if self._signal is not None:
            self.end()
        self._signal = number

    def end(self) -> NoReturn:
        """End as the signal would have.

        Raises:
            KeyboardInterrupt: for Ctrl-C.
            SystemExit: for SIGTERM, and where another process was asked to stop, with the code that a shell expects.
        """
        if self._signal == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(TERMINATED)


@contextmanager
def interruptible() -> Iterator[Interruption]:
    """Within the block signals are noted instead of obeyed; only the main thread can do that."""
    interruption = Interruption()
    if threading.current_thread() is not threading.main_thread():
        yield interruption
        return
    before = {number: signal.signal(number, interruption.note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interruption
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
