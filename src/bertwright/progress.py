"""How far a long work is: a bar where stderr is a terminal, a line every half minute elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    Task,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from bertwright.wording import said, worded

SECONDS_BETWEEN_LINES = 30.0
_SECONDS_BETWEEN_LOOKS = 0.1  # of a bar, which is painted ten times a second
_NOTE = TextColumn("{task.fields[note]}", markup=False)


class Display:
    """What shows it; made by `progress`."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._stages: dict[str, Task] = {}
        self._spoke = time.monotonic()
        self._shown = 0.0

    def is_due(self) -> bool:
        """Whether somebody would see what is shown now: for whoever has a sentence to make before."""
        now = time.monotonic()
        if self._bars.disable:
            return now - self._spoke > SECONDS_BETWEEN_LINES
        return now - self._shown > _SECONDS_BETWEEN_LOOKS

    def show(self, stage: str, done: float, total: float | None = 1.0, note: str = "") -> None:
        """Show that `done` of `total` is done, None: of nobody knows how much; a stage begins where it is first shown.

        `note` stands beside it.
        """
        if stage not in self._stages:
            self._bars.add_task(worded(stage), total=total, completed=done, note=note)  # type: ignore[arg-type]  # whole or not
            self._stages[stage] = self._bars.tasks[-1]
        task, self._shown = self._stages[stage], time.monotonic()
        self._bars.update(task.id, completed=done, note=note)
        if self._bars.disable and time.monotonic() - self._spoke > SECONDS_BETWEEN_LINES:
            self._spoke = time.monotonic()
            self.say(_line(task))

    def say(self, line: str) -> None:
        """Print a line, above the bar."""
        self._bars.console.print(line, highlight=False, soft_wrap=True)


def _line(task: Task) -> str:
    parts = [] if task.total is None else [f"{task.description}: {task.percentage:.0f} %"]
    if task.fields["note"]:
        parts.append(task.fields["note"])
    if task.time_remaining is not None:
        parts.append(said("{s:.0f} s left", s=task.time_remaining))
    return " · ".join(parts)


@contextmanager
def progress(console: Console, *, bounded: bool = True) -> Iterator[Display]:
    """A display on `console`.

    Args:
        bounded: it is known how much there is to do; else the note alone is shown, and taken away in the end.
    """
    bar = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), _NOTE, TimeElapsedColumn())
    left = (TextColumn(said("left")), TimeRemainingColumn())
    columns = (*bar, *left) if bounded else (SpinnerColumn(), _NOTE, TimeElapsedColumn())
    bars = Progress(
        *columns, console=console, transient=not bounded, speed_estimate_period=600, disable=not console.is_terminal
    )
    with nullcontext() if bars.disable else bars:  # entered where it is not shown, it would print an empty line
        yield Display(bars)
