"""`Comparison`: two runs on the same data, whatever their task is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from bertwright.data.examples import Example
from bertwright.data.reading.tables import Table
from bertwright.data.spreadsheet import spreadsheet_csv
from bertwright.evaluation.paired_tests import Difference
from bertwright.tasks.judged import heading
from bertwright.tasks.prediction import texts_of
from bertwright.wording import quantity, said, worded

WORTH_SHOWING = 0.01  # one point: the difference for which the verdict says how much data it takes
_SO_MANY = {"row": "so many rows", "text": "so many texts"}  # by the unit


@dataclass(frozen=True, slots=True)
class DifferingRow(ABC):
    """A text that the two runs answer differently."""

    example: Example

    @abstractmethod
    def line(self) -> str:
        """The true answer and those of both runs."""

    @abstractmethod
    def answers(self) -> dict[str, Any]:
        """The same as JSON values."""

    def to_json(self) -> dict[str, Any]:
        """A JSON object with `where`, the answers, `text` and, of a pair, `text_b`."""
        return {"where": str(self.example.where), **self.answers(), **texts_of(self.example)}

    def cells(self) -> dict[str, str]:
        """The same for a spreadsheet."""
        return {name: str(value) for name, value in self.to_json().items()}


@dataclass(frozen=True, repr=False)
class Comparison(ABC):
    """Two runs on the same texts.

    Attributes:
        table: the data.
        headline: the metric that the verdict is about.
        differences: of each metric.
        rows: where the answers differ, in the order of the data.
        seen: of A and of B: `train` or `dev` where the data are that set of the run itself, else None.
    """

    table: Table
    headline: str
    differences: dict[str, Difference]
    rows: Sequence[DifferingRow]

    seen: tuple[str | None, str | None] = field(default=(None, None), kw_only=True)

    unit: ClassVar[str]  # what is counted and resampled: one of them
    header: ClassVar[tuple[str, ...]]  # of `to_csv`
    worth: ClassVar[str]  # the metric that `needed` is about

    def __repr__(self) -> str:
        both = ", ".join(f"{name}={one.a:.4f}→{one.b:.4f}" for name, one in self.differences.items())
        return f"{type(self).__name__}('{self.table.source}', count={self.count}, {both})"

    @property
    def count(self) -> int:
        """Texts of the data."""
        return len(self.table.examples)

    @property
    @abstractmethod
    def needed(self) -> int:
        """About how many texts it takes to show a difference of one point between two such runs."""

    @abstractmethod
    def errors(self) -> dict[str, tuple[float, float]]:
        """Figures of both runs that are the better the lower they are."""

    @abstractmethod
    def tally(self) -> str:
        """Who is right how often, in a line."""

    def verdict(self) -> str:
        """One plain sentence."""
        found = self.differences[self.headline]
        name = "" if self.headline == "accuracy" else f" {self.headline}"
        if not self.rows:
            return said(
                "no difference: both give the same answer to each of the {rows}", rows=quantity(self.count, self.unit)
            )
        if found.is_shown:
            better, sign = ("B", 1) if found.value > 0 else ("A", -1)
            ends = sorted(sign * end for end in (found.low, found.high) if end is not None)
            return said(
                "{better} is better: {points}{name}, {p_value}",
                better=better, points=_points(abs(found.value), *ends), name=name, p_value=p_text(found.p_value),
            )  # fmt: skip
        text = said(
            "no difference can be shown with {rows} (B - A: {points}{name}, {p_value})",
            rows=quantity(self.count, self.unit), points=_points(found.value, found.low, found.high), name=name,
            p_value=p_text(found.p_value),
        )  # fmt: skip
        worth = worded(self.worth)
        if self.needed > self.count:
            needed = quantity(_rounded(self.needed), self.unit)
            return said("{text}; about {rows} would be needed to show 1 point of {worth}", text=text, rows=needed,
                        worth=worth)  # fmt: skip
        return said("{text}; in {so_many} a difference of 1 point of {worth} would probably have been seen", text=text,
                    so_many=worded(_SO_MANY[self.unit]), worth=worth)  # fmt: skip

    def to_json(self) -> dict[str, Any]:
        """Everything, as a JSON object."""
        return {
            "data": self.table.source,
            "examples": self.count,
            "seen_in_training": dict(zip(("a", "b"), self.seen)),
            "verdict": self.verdict(),
            "headline": self.headline,
            "metrics": {name: difference.to_json() for name, difference in self.differences.items()},
            f"{self.unit}s_needed_for_one_point": self.needed,
            "rows": [row.to_json() for row in self.rows],
        }

    def to_csv(self) -> str:
        """The rows where the answers differ, for a spreadsheet."""
        rows = [row.cells() for row in self.rows]
        header = [*self.header, *(["text_b"] if any("text_b" in row for row in rows) else [])]
        return spreadsheet_csv([*map(heading, header)], [[row.get(name, "") for name in header] for row in rows])


def p_text(p_value: float) -> str:
    """`p = 0.008`, or `p < 0.001`."""
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"


def _points(value: float, low: float | None, high: float | None) -> str:
    interval = "" if low is None or high is None else f" [{100 * low:.1f}, {100 * high:.1f}]"
    return said("{points:+.1f} points{interval}", points=100 * value, interval=interval)


def _rounded(number: int) -> int:
    """Two digits are all that such an estimate is worth."""
    scale = int(10 ** max(len(str(number)) - 2, 0))
    return -(-number // scale) * scale
