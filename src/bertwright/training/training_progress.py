"""What a person sees of a run: its step, the means of its loss, and how fast it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from bertwright.console import plain_console
from bertwright.progress import Display, progress
from bertwright.runs.training_state import TrainingState
from bertwright.wording import measure_name, said


class Meter:
    """The counters beside the bar: steps, tokens a second, and running means of loss and measures."""

    def __init__(self, steps: int, state: TrainingState, peak_tokens: float | None, display: Display) -> None:
        self._steps, self._state, self._peak_tokens = steps, state, peak_tokens
        self._means: dict[str, float] = {}
        self._display = display
        self._display.show(said("training"), state.step, steps)
        self.say = display.say

    def show(self, measures: Mapping[str, float]) -> None:
        """Show that one more step is done."""
        for name, value in measures.items():
            self._means[name] = 0.95 * self._means[name] + 0.05 * value if name in self._means else value
        step = self._state.step + 1
        rate = self._state.tokens / max(self._state.seconds, 1e-9)
        parts = [said("step {step}/{steps}", step=step, steps=self._steps)]
        parts += [f"{measure_name(name).replace('_', ' ')} {value:.4f}" for name, value in self._means.items()]
        parts.append(said("{rate:,.0f} tokens/s", rate=rate))
        if self._peak_tokens is not None:
            parts.append(f"MFU {100 * rate / self._peak_tokens:.0f} %")
        self._display.show(said("training"), step, self._steps, " · ".join(parts))


@contextmanager
def training_progress(steps: int, state: TrainingState, peak_tokens: float | None = None) -> Iterator[Meter]:
    """A meter on stderr for a run of `steps` steps that stands at `state`; `peak_tokens`: see `Course`."""
    with progress(plain_console(stderr=True)) as display:
        yield Meter(steps, state, peak_tokens, display)
