"""What a person sees of a run: a bar where there is a terminal, a line now and then where there is none."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

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

from bertwright.console import plain_console
from bertwright.runs.training_state import TrainingState

_SECONDS_BETWEEN_LINES = 30.0


@dataclass(frozen=True, slots=True)
class Speed:
    """What it takes to say how much of a machine is used.

    Attributes:
        operations: of a real token in a training step.
        rate: operations a second of the machine's matrix products in the precision of the run.
    """

    operations: float
    rate: float


class Meter:
    """The counters behind the bar: steps, tokens a second, and running means of loss and measures."""

    def __init__(
        self, steps: int, state: TrainingState, speed: Speed | None, console: Console, bar: Progress | None
    ) -> None:
        self._steps, self._state, self._speed = steps, state, speed
        self._console = console
        self._bar = bar
        self._task = bar.add_task("training", total=steps, completed=state.step, note="") if bar else None
        self._started = time.perf_counter()
        self._spoke = self._started
        self._done = 0  # since the start of this program
        self._means: dict[str, float] = {}

    def show(self, measures: Mapping[str, float]) -> None:
        """Show that one more step is done."""
        self._done += 1
        for name, value in measures.items():
            self._means[name] = 0.95 * self._means[name] + 0.05 * value if name in self._means else value
        rate = self._state.tokens / max(self._state.seconds, 1e-9)
        parts = [f"{name.replace('_', ' ')} {value:.4f}" for name, value in self._means.items()]
        parts.append(f"{rate:,.0f} tokens/s")
        if self._speed is not None:
            parts.append(f"MFU {100 * rate * self._speed.operations / self._speed.rate:.0f} %")
        note = " · ".join(parts)
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
def training_progress(steps: int, state: TrainingState, speed: Speed | None = None) -> Iterator[Meter]:
    """A meter on stderr for a run of `steps` steps that stands at `state`."""
    console = plain_console(stderr=True)
    if not console.is_terminal:
        yield Meter(steps, state, speed, console, None)
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
        yield Meter(steps, state, speed, console, bar)
