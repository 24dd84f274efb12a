"""Work on the parts of a corpus by all cores: results come in the order of the parts, whoever is ready first."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait
from types import TracebackType
from typing import Any, Protocol, Self

from bertwright.errors import BertwrightError


class Job(Protocol):
    """What every process needs to know, small enough to be sent to it."""

    def make(self) -> Any:
        """The object whose methods do the work, made once in each process."""


class Workers:
    """Processes that each hold what `job.make()` gives; with one worker this process does the work itself.

    Args:
        job: what they work at.
        count: how many there are.
    """

    def __init__(self, job: Job, count: int) -> None:
        self._count = count
        self._here = job.make() if count == 1 else None
        self._pool = None
        if count > 1:
            # Forked processes would share the locks of the tokenizer's threads.
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(count, context, initializer=_begin, initargs=(job,))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=error is None, cancel_futures=True)

    def map(self, method: str, arguments: Iterable[tuple[Any, ...]]) -> Iterator[Any]:
        """What `method` gives for each of `arguments`, in their order; few of them wait in memory at a time.

        Raises:
            BertwrightError: BW550 a process ended before its work; and whatever the method raises.
        """
        if self._pool is None:
            for one in arguments:
                yield _work(self._here, method, one)
            return
        waiting: deque[Future[Any]] = deque()
        try:
            for one in arguments:
                waiting.append(self._pool.submit(_call, method, one))
                if len(waiting) > 2 * self._count:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool as error:
            raise BertwrightError("BW550", workers=self._count) from error


_made: Any = None


def _begin(job: Job) -> None:
    global _made
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # there is a process for every core
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all of them; the first process decides
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _made = job.make()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _call(method: str, arguments: tuple[Any, ...]) -> Any:
    return _work(_made, method, arguments)


def _work(made: Any, method: str, arguments: tuple[Any, ...]) -> Any:
    # A part becomes hundreds of thousands of strings and lists, none of them in a cycle: a third of the time would go
    # into looking for cycles.
    collects = gc.isenabled()
    gc.disable()
    try:
        return getattr(made, method)(*arguments)
    finally:
        if collects:
            gc.enable()
