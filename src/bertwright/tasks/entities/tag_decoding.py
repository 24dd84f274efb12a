"""From emissions to entities with their probabilities.

Shapes: T units of all sequences, C tags, N entities.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate

import torch
from torch import Tensor

from bertwright.data.answers import Span
from bertwright.data.tagged.schemes import OUTSIDE, Scheme, Tag, begins, ends, parse_tag, read_entities, read_strictly
from bertwright.model.crf.linear_chain import LinearChainCrf, SpanPaths
from bertwright.tasks.entities.entities import Entity, Found


class Reader:
    """Reads the tags of many sequences at once."""

    def __init__(self, tags: Sequence[str], scheme: Scheme, crf: LinearChainCrf | None) -> None:
        """`tags` are the C names; without a CRF each unit has the tag of its highest score."""
        parsed = [parse_tag(tag, scheme) for tag in tags]
        self._tags = [tag or Tag(OUTSIDE) for tag in parsed]
        self._scheme, self._crf = scheme, crf
        # Without transitions a CRF is a softmax at every unit, so its probabilities are those of the softmax head.
        self._sums = LinearChainCrf(len(tags)) if crf is None else crf
        self._may_be_before = torch.tensor([[self._begins(left, tag) for left in self._tags] for tag in self._tags])
        self._may_be_after = torch.tensor([[ends(tag, right) for right in self._tags] for tag in self._tags])

    @staticmethod
    def _begins(left: Tag, tag: Tag) -> bool:
        return tag.letter != OUTSIDE and begins(left, tag)

    def read(self, emissions: Tensor, lengths: Sequence[int]) -> list[Found]:
        """The entities of each sequence of `emissions [T, C]`; places count from the beginning of the sequence."""
        bounds = torch.tensor([0, *accumulate(lengths)])
        device = self._sums.transitions.device
        emissions = emissions.to(device).float()
        best = emissions.argmax(1) if self._crf is None else self._crf.decode(emissions, bounds)
        parts = torch.split(best.cpu(), list(lengths))
        found = [self._entities(part) for part in parts]
        readings = {"strict": [self._entities(part, strict=True) for part in parts]}
        scores = self._scores(emissions, bounds, best.cpu(), found)
        answers = []
        for index, spans in enumerate(found):
            entities = [Entity(span.start, span.end, span.type, next(scores)) for span in spans]
            answers.append(Found(entities, {name: of_all[index] for name, of_all in readings.items()}))
        return answers

    def _entities(self, numbers: Tensor, *, strict: bool = False) -> list[Span]:
        if not numbers.any():  # tag 0 is O
            return []
        tags = [self._tags[number] for number in numbers.tolist()]
        return read_strictly(tags, self._scheme) if strict else read_entities(tags)

    def _scores(
        self, emissions: Tensor, bounds: Tensor, best: Tensor, found: Sequence[Sequence[Span]]
    ) -> Iterator[float]:
        """The probability of each entity: of its tags, and of what stands beside it not belonging to it."""
        starts = bounds.tolist()
        places = [(start + span.start, span.end - span.start) for start, spans in zip(starts, found) for span in spans]
        if not places:
            return iter(())
        begin = torch.tensor([place for place, _ in places])
        size = torch.tensor([count for _, count in places])
        inside = torch.cat([best[place : place + count] for place, count in places])
        first, last = best[begin], best[begin + size - 1]
        tensors = (begin, size, inside, self._may_be_before[first], self._may_be_after[last])
        spans = SpanPaths(*(tensor.to(emissions.device) for tensor in tensors))
        return iter(self._sums.span_probabilities(emissions, bounds, spans).clamp(0, 1).tolist())
