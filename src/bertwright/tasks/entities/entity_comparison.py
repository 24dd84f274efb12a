"""Two runs that mark parts of texts.

Shapes: N texts, C types, K sums.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from bertwright.data.answers import Span, span_json
from bertwright.data.examples import spans_of
from bertwright.data.reading.tables import Table
from bertwright.evaluation.class_scores import Floats
from bertwright.evaluation.entity_scores import EntityCounts, entity_reliability, f1_of
from bertwright.evaluation.paired_tests import paired_bootstrap_of_sums, resampling_units_needed
from bertwright.tasks.comparison import WORTH_SHOWING, Comparison, DifferingRow
from bertwright.tasks.entities.entities import Entity, EntityPrediction
from bertwright.wording import said

_TRUE, _FOUND, _RIGHT = range(3)


@dataclass(frozen=True, slots=True)
class DifferingEntities(DifferingRow):
    """A text in which the two runs mark different parts.

    Attributes:
        a, b: what each marks.
        better: the run with fewer mistakes here, `A` or `B`; `neither` where they make as many.
    """

    a: Sequence[Entity]
    b: Sequence[Entity]
    better: str

    def line(self) -> str:
        cells = self.cells()
        return f"true: {cells['gold'] or '–'}  A: {cells['a'] or '–'}  B: {cells['b'] or '–'}"

    def answers(self) -> dict[str, Any]:
        gold = [span_json(self.example.text, span) for span in spans_of(self.example) or ()]
        a, b = ([one.to_json() for one in given] for given in (self.a, self.b))
        return {"gold": gold, "better": self.better, "a": a, "b": b}

    def cells(self) -> dict[str, str]:
        """The entities by name: a JSON list does not read well in a cell."""
        text = self.example.text

        def named(entities: Sequence[Entity | Span]) -> str:
            return ", ".join(f"{text[one.start : one.end]} ({one.type})" for one in entities)

        cells = {"where": str(self.example.where), "gold": named(spans_of(self.example) or ()), "better": self.better}
        return {**cells, "a": named(self.a), "b": named(self.b), "text": text}


@dataclass(frozen=True, repr=False)
class EntityComparison(Comparison):
    """Two runs on the same texts; the texts are resampled, since the entities of one are not independent.

    Attributes:
        ece_a, ece_b: of the scores that each gives.
        both, only_a, only_b, neither: true entities by who finds them.
        wrong_both, wrong_a, wrong_b: wrong answers of both and of one of the two alone.
    """

    ece_a: float
    ece_b: float
    both: int
    only_a: int
    only_b: int
    neither: int
    wrong_both: int
    wrong_a: int
    wrong_b: int

    unit: ClassVar[str] = "text"
    header: ClassVar[tuple[str, ...]] = ("where", "gold", "better", "a", "b", "text")
    worth: ClassVar[str] = "F1"

    @property
    def needed(self) -> int:
        return resampling_units_needed(self.differences[self.headline], self.count, WORTH_SHOWING)

    def errors(self) -> dict[str, tuple[float, float]]:
        return {"ece": (self.ece_a, self.ece_b)}

    def tally(self) -> str:
        return said(
            "entities found: by both {both}, only A {only_a}, only B {only_b}, neither {neither}; wrong answers: of "
            "both {wrong_both}, only A {wrong_a}, only B {wrong_b}",
            both=self.both, only_a=self.only_a, only_b=self.only_b, neither=self.neither,
            wrong_both=self.wrong_both, wrong_a=self.wrong_a, wrong_b=self.wrong_b,
        )  # fmt: skip

    def to_json(self) -> dict[str, Any]:
        return {
            **super().to_json(),
            "calibration": {"a": {"ece": self.ece_a}, "b": {"ece": self.ece_b}},
            "found": {"both": self.both, "only_a": self.only_a, "only_b": self.only_b, "neither": self.neither},
            "wrong": {"both": self.wrong_both, "only_a": self.wrong_a, "only_b": self.wrong_b},
        }


def compare_entities(
    a: Sequence[EntityPrediction], b: Sequence[EntityPrediction], table: Table, types: Sequence[str]
) -> EntityComparison:
    """The comparison of answers to the examples of `table`: F1, precision and recall, and the F1 of each type."""
    gold = [spans_of(example) or () for example in table.examples]
    given = [[one.entities for one in predictions] for predictions in (a, b)]
    sums = [_sums(gold, answers, types) for answers in given]
    rows: list[DifferingEntities] = []
    tally = np.zeros(7, dtype=np.int64)
    for example, true, one, other in zip(table.examples, gold, *given):
        truth, by_a, by_b = set(true), _spans(one), _spans(other)
        tally += [
            len(truth & by_a & by_b), len(truth & by_a - by_b), len(truth & by_b - by_a), len(truth - by_a - by_b),
            len((by_a & by_b) - truth), len(by_a - by_b - truth), len(by_b - by_a - truth),
        ]  # fmt: skip
        if by_a != by_b:
            mistakes = len(truth ^ by_a) - len(truth ^ by_b)
            rows.append(
                DifferingEntities(example, one, other, "A" if mistakes < 0 else "B" if mistakes > 0 else "neither")
            )
    return EntityComparison(
        table,
        "f1",
        paired_bootstrap_of_sums(sums[0], sums[1], _metrics(types)),
        rows,
        entity_reliability(gold, given[0]).error(),
        entity_reliability(gold, given[1]).error(),
        *tally.tolist(),
    )


def _sums(gold: Sequence[Sequence[Any]], answers: Sequence[Sequence[Any]], types: Sequence[str]) -> Floats:
    """`[N, 3 (1 + C)]`: true, found and right ones of each text, of all types and of each."""

    def only(kind: str, entities: Sequence[Sequence[Any]]) -> list[list[Any]]:
        return [[one for one in some if one.type == kind] for some in entities]

    parts = [EntityCounts.of(gold, answers).of_texts]
    parts += [EntityCounts.of(only(kind, gold), only(kind, answers)).of_texts for kind in types]
    sums: Floats = np.concatenate(parts, axis=1).astype(np.float64)
    return sums


def _metrics(types: Sequence[str]) -> dict[str, Callable[[Floats], Floats]]:
    def share(part: int, whole: int) -> Callable[[Floats], Floats]:
        return lambda sums: sums[..., part] / np.maximum(sums[..., whole], 1)

    def f1_at(place: int) -> Callable[[Floats], Floats]:
        return lambda sums: f1_of(sums[..., 3 * place : 3 * place + 3])

    metrics = {"f1": f1_at(0), "precision": share(_RIGHT, _FOUND), "recall": share(_RIGHT, _TRUE)}
    return metrics | {f"f1 {kind}": f1_at(place) for place, kind in enumerate(types, start=1)}


def _spans(entities: Sequence[Entity]) -> set[Span]:
    return {one.span for one in entities}
