"""What a person sees of a run: a bar where there is a terminal, a line now and then where there is none."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

_SECONDS_BETWEEN_LINES = 30.0


class Meter:
    """The counters behind the bar: steps, tokens a second, and a running mean of the loss."""

    def __init__(self, steps: int, console: Console, bar: Progress | None) -> None:
        self.steps = steps
        self._console = console
        self._bar = bar
        self._task = bar.add_task("training", total=steps, note="") if bar else None
        self._started = time.perf_counter()
        self._spoke = self._started
        self._step = 0
        self.tokens = 0
        self.seconds = 0.0
        self.loss = float("nan")

    def step(self, loss: float, tokens: int, seconds: float) -> None:
        """Count one step of the optimizer that took `seconds`."""
        self._step += 1
        self.tokens += tokens
        self.seconds += seconds
        self.loss = loss if self._step == 1 else 0.95 * self.loss + 0.05 * loss
        note = f"loss {self.loss:.4f} · {self.tokens / max(self.seconds, 1e-9):,.0f} tokens/s"
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, advance=1, note=note)
        elif time.perf_counter() - self._spoke > _SECONDS_BETWEEN_LINES:
            self._spoke = time.perf_counter()
            elapsed = self._spoke - self._started
            left = elapsed / self._step * (self.steps - self._step)
            self._console.print(
                f"step {self._step}/{self.steps} · {note} · {left:.0f} s left", highlight=False, soft_wrap=True
            )

    def say(self, line: str) -> None:
        """Print a line above the bar."""
        (self._bar.console if self._bar else self._console).print(line, highlight=False, soft_wrap=True)


@contextmanager
def training_progress(steps: int) -> Iterator[Meter]:
    """A meter on stderr for a run of `steps` steps."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield Meter(steps, console, None)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bar:
        yield Meter(steps, console, bar)
