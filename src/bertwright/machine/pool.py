"""Work by several processes: results come in the order of the work, whoever is ready first."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait
from types import TracebackType
from typing import Generic, Self, TypeVar, TypeVarTuple

from bertwright.errors import BertwrightError

Tool = TypeVar("Tool")
Result = TypeVar("Result")
Arguments = TypeVarTuple("Arguments")


class Pool(Generic[Tool]):
    """Processes that each hold a tool, which is made once in each of them.

    They leave Ctrl-C to the process that began them, and end with it, however that ends.

    Args:
        make: gives the tool; it is sent to the processes, so it must be small and can be pickled.
        processes: how many there are; with none of them this process does the work itself, when it is asked for.
        ahead: how many results a process has ready, or is at, before they are asked for.
        died: the error where a process ended before its work, from what the library says of it.
    """

    def __init__(
        self,
        make: Callable[[], Tool],
        processes: int,
        *,
        ahead: int = 2,
        died: Callable[[BrokenProcessPool], BertwrightError],
    ) -> None:
        self._ahead, self._died = ahead * processes, died
        self._executor = None
        if processes:
            # Forked processes would share the locks of this one's threads.
            context = multiprocessing.get_context("spawn")
            self._executor = ProcessPoolExecutor(processes, context, initializer=_begin, initargs=(make,))
        else:
            self._tool = make()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._executor is not None:
            self._executor.shutdown(wait=error is None, cancel_futures=True)

    def map(
        self, work: Callable[[Tool, *Arguments], Result], arguments: Iterable[tuple[*Arguments]]
    ) -> Iterator[Result]:
        """What `work` gives for a tool and each of `arguments`, in their order; few of them wait in memory at a time.

        Args:
            work: a function of a module, or a method of the tool's class.
            arguments: what follows the tool; there may be no end of them.

        Raises:
            BertwrightError: that of `died`; and whatever `work` raises.
        """
        if self._executor is None:
            for one in arguments:
                yield _uncollected(work, self._tool, *one)
            return
        waiting: deque[Future[Result]] = deque()
        try:
            for one in arguments:
                waiting.append(self._executor.submit(_call, work, *one))
                if len(waiting) > self._ahead:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool as error:
            raise self._died(error) from error


_tool: object = None


def _begin(make: Callable[[], object]) -> None:
    global _tool
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # there is a process for every core
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all of them; the first process decides
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _tool = make()


def _end_with_parent() -> None:
    """A parent that was killed takes leave of nobody."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _call(work: Callable[..., Result], *arguments: object) -> Result:
    return _uncollected(work, _tool, *arguments)


def _uncollected(work: Callable[..., Result], *arguments: object) -> Result:
    # A part of a corpus becomes hundreds of thousands of strings and lists, none of them in a cycle: a third of the
    # time would go into looking for cycles.
    collects = gc.isenabled()
    gc.disable()
    try:
        return work(*arguments)
    finally:
        if collects:
            gc.enable()
