"""What a task says about answers to labelled examples, in forms that reports and tables show without asking who it is.

Shapes: N examples, C classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bertwright.evaluation.class_scores import Floats, Ints
from bertwright.evaluation.confidence import Estimate
from bertwright.evaluation.summary import Calibration
from bertwright.wording import Phrase, said, worded


@dataclass(frozen=True, slots=True)
class ScoreTable:
    """A table of a report.

    Attributes:
        title: above it.
        header: of its columns; the first is of names, the others are of numbers.
        rows: as many cells each.
        note: a sentence or two below it.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """A JSON object, in which cells that are numbers are numbers."""
        rows = [[name, *map(_number_of, cells)] for name, *cells in self.rows]
        return {"title": self.title, "header": list(self.header), "rows": rows, "note": self.note}


@dataclass(frozen=True, slots=True)
class Confusion:
    """True classes against predicted ones.

    Attributes:
        labels: C names.
        counts: `[C, C]`, rows are the true classes.
    """

    labels: tuple[str, ...]
    counts: Ints


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars, one group a kind of answer.

    Attributes:
        title: above them.
        names: of the groups.
        counts: how often each kind is in the data.
        scores: by name, one a group, each from 0 to 1.
    """

    title: str | Phrase
    names: tuple[str, ...]
    counts: tuple[int, ...]
    scores: Mapping[str, Sequence[float]]
    caption: str = "scores by type"


@dataclass(frozen=True, slots=True)
class Scatter:
    """Points around the diagonal.

    Attributes:
        title: above them.
        gold, predicted: `[N]` true values and those of the model.
    """

    title: str | Phrase
    gold: Floats
    predicted: Floats
    caption: str = "true values against predicted ones"


# What can be drawn; `reports.plots` knows how.
Drawable = Bars | Scatter | Confusion | Calibration


@dataclass(frozen=True, slots=True)
class Mistakes:
    """Wrong answers, the most confident (or the farthest from the truth) first.

    Attributes:
        rows: a JSON object each, with `where`, `gold`, `predicted`, `score` and `text`.
        header: of the columns for a spreadsheet.
        cells: one row each of as many cells.
    """

    rows: Sequence[Mapping[str, Any]]
    header: Sequence[str]
    cells: Sequence[Sequence[str]]

    @classmethod
    def of(cls, rows: Sequence[Mapping[str, Any]], header: Sequence[str]) -> Mistakes:
        """Whose cells hold the values of the rows."""
        cells = [[_cell(name, value) for name, value in row.items()] for row in rows]
        return cls(rows, list(rows[0]) if rows else header, cells)


def _interval(one: Estimate) -> str:
    return "–" if one.low is None else said("{low:.4f} to {high:.4f}", low=one.low, high=one.high)


def heading(name: str) -> str:
    """A column of a file for a spreadsheet, in the language of the moment; the name of a file of JSON lines where the
    catalogue does not know it.
    """
    known = worded(f"column {name}")
    return name if known == f"column {name}" else known


def _number_of(cell: str) -> str | int | float:
    try:
        return int(cell) if cell.strip().isdecimal() else float(cell)
    except ValueError:
        return cell


def _cell(name: str, value: object) -> str:
    """A value for a spreadsheet; what kind of mistake it is in the language of the moment."""
    if isinstance(value, float):
        return f"{value:.6f}"
    return worded(str(value)) if name == "kind" else str(value)


MISTAKE_HEADER = ("where", "kind", "gold", "predicted", "score", "text")  # where a task has no other


@dataclass(frozen=True, slots=True)
class Sureness:
    """How sure the answers are, to find a threshold above which they are right often enough.

    Attributes:
        confidence: `[N]` the probability of each answer.
        right: `[N]` 1 where it is right, else 0.
    """

    confidence: Floats
    right: Ints


@dataclass(frozen=True, slots=True)
class Judged:
    """How good answers to labelled examples are.

    Attributes:
        count: examples.
        scores: the metrics by name, the headline first.
        metrics: those with their intervals, by titles for people; empty where a task tells no intervals here.
        metrics_note: where the intervals come from.
        confusion: of classes; None for other answers.
        calibration: what the probabilities are worth; None for answers without any.
        sureness: None where an answer is not right or wrong as a whole.
        tables: beside the metrics.
        figures: what is drawn, by the name of the file.
        limits: what a user of the model should know, a sentence each.
        details: what a JSON document says beside the scores.
        types: of what is found in a text, where that is what answers are made of.
    """

    count: int
    scores: Mapping[str, float]
    metrics: Mapping[str, Estimate] = field(default_factory=dict)
    metrics_note: str = ""
    confusion: Confusion | None = None
    calibration: Calibration | None = None
    sureness: Sureness | None = None
    tables: Sequence[ScoreTable] = ()
    figures: Mapping[str, Drawable] = field(default_factory=dict)
    limits: Sequence[str] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    types: Sequence[str] = ()

    def metric_rows(self) -> list[tuple[str, str, str]]:
        """Title, value and interval of each of the `metrics`."""
        return [(worded(title), f"{one.value:.4f}", _interval(one)) for title, one in self.metrics.items()]
