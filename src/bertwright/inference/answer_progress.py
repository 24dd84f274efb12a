"""What a person sees while many texts are answered: a moving line on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from bertwright.console import remarks_console

_SECONDS_BETWEEN_LINES = 30.0


def counted(lines: Iterable[str], done: int = 0) -> Iterator[str]:
    """The lines, while stderr tells how many there were, and how many a second.

    How many there will be is not known: the input is read as it is answered. `done` were there before.
    """
    console = remarks_console()
    started = spoke = time.perf_counter()

    def told(count: int) -> str:
        rate = count / max(time.perf_counter() - started, 1e-9)
        return f"{done + count:,} answers · {rate:,.0f}/s"

    if console.is_terminal:
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        with Progress(*columns, console=console, transient=True) as bar:
            task = bar.add_task(told(0))
            for count, line in enumerate(lines, start=1):
                yield line
                if count % 100 == 0:
                    bar.update(task, description=told(count))
        return
    for count, line in enumerate(lines, start=1):
        yield line
        if time.perf_counter() - spoke > _SECONDS_BETWEEN_LINES:
            spoke = time.perf_counter()
            console.print(told(count), highlight=False, soft_wrap=True)
