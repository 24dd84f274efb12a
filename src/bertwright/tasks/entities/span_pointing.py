"""Spans that may lie in each other: every pair of words is asked for every type whether it bounds a span.

Shapes: N inputs, S tokens of an input, C types, K spans or candidates.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bertwright.data.answers import Span
from bertwright.data.examples import Example
from bertwright.data.ragged import Ragged
from bertwright.data.tagged.encoded_units import EncodedUnits, Ints
from bertwright.data.targets import Targets
from bertwright.data.windows import EncodedTexts
from bertwright.evaluation.score_scaling import Scaling
from bertwright.model.models import BertWithHead
from bertwright.model.pointer import BertForSpanPointing, pair_scores
from bertwright.settings import Settings
from bertwright.tasks.entities.entities import Entity, EntityPrediction
from bertwright.tasks.entities.entity_settings import EntityValues, SpanSettings
from bertwright.tasks.entities.entity_task import EntityTask
from bertwright.tasks.entities.tag_targets import named_at, say_lost, say_parted, units_of_spans, units_touched
from bertwright.tasks.task import Outputs

_MOST_CANDIDATES = 4096  # of an input: a model that knows nothing finds every second pair good


@dataclass(frozen=True, slots=True)
class SpanTargets(Targets):
    """The spans of each input, `[K, 4]`: its first piece, the first piece of its last unit, its type, and 1 where it is
    taught; 0 where nothing is: a span cuts one of the units, so that nobody can say whether these are one.
    """

    rows: Sequence[NDArray[np.int64]]

    def take(self, members: NDArray[np.int64]) -> Tensor:
        """`[K, 5]`: those of some inputs, the place of the input among them in front."""
        parts = [
            np.concatenate([np.full((len(self.rows[index]), 1), place), self.rows[index]], 1)
            for place, index in enumerate(members)
        ]
        return torch.from_numpy(np.concatenate(parts).astype(np.int64))


@dataclass(frozen=True)
class SpanPointing(EntityTask[SpanSettings]):
    """Parts of a text are marked, also within each other, each with a type."""

    name: ClassVar[str] = "spans"
    settings_class: ClassVar[type[Settings]] = SpanSettings

    @property
    def model_class(self) -> type[BertWithHead]:
        return BertForSpanPointing

    def with_settings(self, settings: SpanSettings) -> Self:
        return self if settings.unit == "auto" else replace(self, unit=settings.unit)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        told = EntityValues.of(values)
        return cls(tuple(told.types), told.unit, scaling=Scaling.from_json(told.scaling))

    @property
    def output_names(self) -> tuple[str, ...]:  # type: ignore[override]
        return self.types

    def config_changes(self) -> dict[str, Any]:
        return {"id2label": dict(enumerate(self.types)), "problem_type": None}

    def targets(self, examples: Sequence[Example], encoded: EncodedTexts) -> Targets:
        """A span is taught in every input that holds the first pieces of all its units. Where a span cuts a unit, the
        units that it touches are not taught to be none.
        """
        assert isinstance(encoded, EncodedUnits)
        lost: list[str] = []
        of_texts = [units_of_spans(one, units, lost) for one, units in zip(examples, encoded.units)]
        say_lost(lost, self.unit)
        touched = [units_touched(units, cut) for units, (_, cut) in zip(encoded.units, of_texts)]
        rows = []
        parted = [[*dict.fromkeys(spans)] for spans, _ in of_texts]
        for one, owner in zip(encoded.inputs, encoded.owners.tolist()):
            held = _held(one.word_ids, len(encoded.units[owner]))
            rows.append(np.concatenate([self._rows(held, of_texts[owner][0], 1), self._rows(held, touched[owner], 0)]))
            parted[owner] = [span for span in parted[owner] if not held.holds(span)]
        say_parted([
            named_at(one, units, span.start, span.end)
            for one, units, left in zip(examples, encoded.units, parted) for span in left
        ])  # fmt: skip
        return SpanTargets(rows)

    def _rows(self, held: _Held, spans: Sequence[Span], taught: int) -> Ints:
        """`[K, 4]`: those that an input holds."""
        rows = [
            (held.piece(span.start), held.piece(span.end - 1), self.types.index(span.type), taught)
            for span in filter(held.holds, spans)
        ]
        return np.array(rows, dtype=np.int64).reshape(-1, 4)

    def loss(self, model: BertWithHead, batch: Ragged, targets: Tensor, weights: Tensor) -> dict[str, Tensor]:
        """For each type: every span above 0 and every pair that is none below it (Su et al. 2022, equation 6)."""
        features = torch.split(model.scores(batch).float(), list(batch.lengths))
        total = weights.new_zeros(())
        for index, one in enumerate(features):
            scores = pair_scores(one)
            first, last, kind, taught = targets[targets[:, 0] == index, 1:].unbind(1)
            is_span, may_be_one = torch.zeros(2, *scores.shape, dtype=torch.bool, device=scores.device)
            may_be_one[kind, first, last] = True
            is_span[kind[taught == 1], first[taught == 1], last[taught == 1]] = True
            lowest = torch.finfo(scores.dtype).min
            wrong = scores.masked_fill(may_be_one, lowest).flatten(1)
            missing = (-scores).masked_fill(~is_span, lowest).flatten(1)
            zero = scores.new_zeros(len(scores), 1)
            losses = torch.cat([zero, wrong], 1).logsumexp(1) + torch.cat([zero, missing], 1).logsumexp(1)
            total = total + weights[index] * losses.mean()
        return {"loss": total}

    def scores(self, outputs: Outputs, batch: Ragged) -> Sequence[Tensor]:
        """Of each input the pairs above 0, `[K, 4]`: first token, last token, type, score; the best ones at most."""
        found = []
        for one in torch.split(outputs["scores"].float(), list(batch.lengths)):
            scores = pair_scores(one)
            values, places = scores.flatten().topk(min(_MOST_CANDIDATES, scores.numel()))
            places = places[values > 0]
            kind, first, last = torch.unravel_index(places, scores.shape)
            found.append(torch.stack([first.float(), last.float(), kind.float(), values[values > 0]], 1).cpu())
        return found

    def decode(self, scores: Sequence[Tensor], encoded: EncodedTexts) -> list[EntityPrediction]:
        """A pair of first pieces is a span of units; of several windows the one with most context around it speaks.

        Among the windows that hold all of it, that one decides, also that the pair is no span. Where a part of the
        text was cut off, what stands before it and what stands after it is no span.
        """
        assert isinstance(encoded, EncodedUnits)
        found: list[dict[tuple[int, int, int], float]] = [{} for _ in encoded.units]
        held = [_held(one.word_ids, len(encoded.units[owner])) for one, owner in zip(encoded.inputs, encoded.owners)]
        ends = np.cumsum(encoded.inputs_of).tolist()
        inputs_of = [_InOrder.of(held[begin:end]) for begin, end in zip([0, *ends], ends)]
        for index, (rows, owner) in enumerate(zip(scores, encoded.owners.tolist())):
            word_ids = encoded.inputs[index].word_ids
            for first, last, kind, value in rows.tolist():
                start, end = int(word_ids[int(first)]), int(word_ids[int(last)])
                context = held[index].context(start, end)
                if context >= 0 and context == inputs_of[owner].most_context(start, end):
                    key = (start, end + 1, int(kind))
                    found[owner][key] = max(value, found[owner].get(key, 0.0))
        entities = map(self._entities, found, encoded.units, encoded.texts)
        return self.tempered(
            [EntityPrediction(bool(cut), tuple(one)) for one, cut in zip(entities, encoded.tokens_cut)]
        )

    def _entities(self, spans: Mapping[tuple[int, int, int], float], units: Ints, text: str) -> Iterator[Entity]:
        for (start, end, kind), value in sorted(spans.items()):
            place = slice(int(units[start, 0]), int(units[end - 1, 1]))
            score = float(torch.tensor(value).sigmoid())
            yield Entity(place.start, place.stop, self.types[kind], score, text[place])

    def readings(self, given: Sequence[EntityPrediction]) -> dict[str, list[Sequence[Any]]]:
        return {"": [one.entities for one in given]}


@dataclass(frozen=True, slots=True)
class _Held:
    """What an input holds of the units of its text, from the first of them to the last, U units: it takes as much room
    as the input, however long the text is.

    Attributes:
        low, high: the first and the last unit; none where `high` is smaller.
        pieces: `[U]` the first piece of each unit, where it is held.
        before, after: `[U]` tokens on either side of a unit; -1 for a unit that it does not hold.
        earlier: `[U + 1]` held units before each one.
    """

    low: int
    high: int
    pieces: Ints
    before: NDArray[np.float64]
    after: NDArray[np.float64]
    earlier: Ints

    def piece(self, unit: int) -> int:
        """The first piece of a unit that it holds."""
        return int(self.pieces[unit - self.low])

    def holds(self, span: Span) -> bool:
        """Whether all units of a span are here."""
        return self.context(span.start, span.end - 1) >= 0

    def context(self, start: int, end: int) -> float:
        """Tokens around the units from `start` to `end` on the side where there are fewer; -1: not all are here."""
        first, last = start - self.low, end - self.low
        if min(start, end) < self.low or max(start, end) > self.high:
            return -1.0
        if self.earlier[last + 1] - self.earlier[first] <= last - first:
            return -1.0
        return float(min(self.before[first], self.after[last]))


@dataclass(frozen=True, slots=True)
class _InOrder:
    """The inputs of one text that hold units, as windows follow each other: neither end ever goes back."""

    held: Sequence[_Held]
    highs: Sequence[int]

    @classmethod
    def of(cls, inputs: Sequence[_Held]) -> _InOrder:
        """Of all inputs of a text."""
        held = [one for one in inputs if one.high >= one.low]
        return cls(held, [one.high for one in held])

    def most_context(self, start: int, end: int) -> float:
        """That of the input with most of it around a span; only those are asked that reach it."""
        most = -1.0
        for one in islice(self.held, bisect_left(self.highs, end), None):
            if one.low > start:
                break
            most = max(most, one.context(start, end))
        return most


def _held(word_ids: NDArray[np.int32], count: int) -> _Held:
    positions = np.flatnonzero(word_ids >= 0)
    held = word_ids[positions]
    low, high = (int(held[0]), int(held[-1])) if len(held) else (0, -1)
    places = held - low
    pieces = np.zeros(high - low + 1, dtype=np.int64)
    pieces[places] = positions
    before, after = np.full(len(pieces), -1.0), np.full(len(pieces), -1.0)
    before[places] = np.inf if len(held) and low == 0 else positions
    after[places] = np.inf if len(held) and high == count - 1 else len(word_ids) - 1 - positions
    return _Held(low, high, pieces, before, after, np.concatenate([[0], np.cumsum(before >= 0)]))
