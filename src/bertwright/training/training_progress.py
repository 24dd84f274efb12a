"""What a person sees of a run: its step, the means of its loss, and how fast it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from bertwright.console import plain_console
from bertwright.progress import Display, progress
from bertwright.runs.training_state import TrainingState


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
    """The counters beside the bar: steps, tokens a second, and running means of loss and measures."""

    def __init__(self, steps: int, state: TrainingState, speed: Speed | None, display: Display) -> None:
        self._steps, self._state, self._speed = steps, state, speed
        self._means: dict[str, float] = {}
        self._display = display
        self._display.show("training", state.step, steps)
        self.say = display.say

    def show(self, measures: Mapping[str, float]) -> None:
        """Show that one more step is done."""
        for name, value in measures.items():
            self._means[name] = 0.95 * self._means[name] + 0.05 * value if name in self._means else value
        step = self._state.step + 1
        rate = self._state.tokens / max(self._state.seconds, 1e-9)
        parts = [f"step {step}/{self._steps}"]
        parts += [f"{name.replace('_', ' ')} {value:.4f}" for name, value in self._means.items()]
        parts.append(f"{rate:,.0f} tokens/s")
        if self._speed is not None:
            parts.append(f"MFU {100 * rate * self._speed.operations / self._speed.rate:.0f} %")
        self._display.show("training", step, self._steps, " · ".join(parts))


@contextmanager
def training_progress(steps: int, state: TrainingState, speed: Speed | None = None) -> Iterator[Meter]:
    """A meter on stderr for a run of `steps` steps that stands at `state`."""
    with progress(plain_console(stderr=True)) as display:
        yield Meter(steps, state, speed, display)
