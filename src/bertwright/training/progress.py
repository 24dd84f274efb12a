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

from bertwright.training.state import TrainingState

_SECONDS_BETWEEN_LINES = 30.0


class Meter:
    """The counters behind the bar: steps, tokens a second, and a running mean of the loss."""

    def __init__(self, steps: int, state: TrainingState, console: Console, bar: Progress | None) -> None:
        self._steps, self._state = steps, state
        self._console = console
        self._bar = bar
        self._task = bar.add_task("training", total=steps, completed=state.step, note="") if bar else None
        self._started = time.perf_counter()
        self._spoke = self._started
        self._done = 0  # since the start of this program
        self._loss = 0.0

    def show(self, loss: float) -> None:
        """Show that one more step is done."""
        self._done += 1
        self._loss = loss if self._done == 1 else 0.95 * self._loss + 0.05 * loss
        note = f"loss {self._loss:.4f} · {self._state.tokens / max(self._state.seconds, 1e-9):,.0f} tokens/s"
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, advance=1, note=note)
        elif time.perf_counter() - self._spoke > _SECONDS_BETWEEN_LINES:
            self._spoke = time.perf_counter()
            elapsed = self._spoke - self._started
            step = self._state.step + 1
            left = elapsed / self._done * (self._steps - step)
            self._console.print(
                f"step {step}/{self._steps} · {note} · {left:.0f} s left", highlight=False, soft_wrap=True
            )

    def say(self, line: str) -> None:
        """Print a line above the bar."""
        (self._bar.console if self._bar else self._console).print(line, highlight=False, soft_wrap=True)


@contextmanager
def training_progress(steps: int, state: TrainingState) -> Iterator[Meter]:
    """A meter on stderr for a run of `steps` steps that stands at `state`."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield Meter(steps, state, console, None)
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
        yield Meter(steps, state, console, bar)
