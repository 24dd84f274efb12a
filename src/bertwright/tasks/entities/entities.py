"""`EntityPrediction`: the marked parts that a model found in a text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bertwright.data.answers import Span
from bertwright.tasks.prediction import Prediction


@dataclass(frozen=True, slots=True)
class Entity:
    """A marked part of a text.

    Attributes:
        start, end: its place, in characters.
        type: of the part.
        score: the probability that exactly this part has this type.
        text: `text[start:end]` of the whole.
    """

    start: int
    end: int
    type: str
    score: float
    text: str = ""

    @property
    def span(self) -> Span:
        """Its place and its type alone."""
        return Span(self.start, self.end, self.type)

    def to_json(self) -> dict[str, Any]:
        """A JSON object."""
        values = {"start": self.start, "end": self.end, "type": self.type, "text": self.text}
        return {**values, "score": round(self.score, 6)}


@dataclass(frozen=True, slots=True)
class Found:
    """What was read from the tags of a text; places count its units.

    Attributes:
        entities: as conlleval reads the tags.
        readings: `strict`, only what is well formed.
    """

    entities: Sequence[Entity]
    readings: Mapping[str, Sequence[Span]]


@dataclass(frozen=True, slots=True)
class EntityPrediction(Prediction):
    """The entities of a text, in their order.

    Attributes:
        entities: the answer.
        readings: other readings of the same scores, to be scored beside it; see `Found`.
    """

    entities: tuple[Entity, ...]
    readings: Mapping[str, tuple[Span, ...]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {"entities": [one.to_json() for one in self.entities], "truncated": self.truncated}

    def extended(self, found: Found, units: NDArray[np.int64], text: str) -> EntityPrediction:
        """With what was found in a further part of `text`, whose units are at `units [W, 2]`."""

        def placed(span: Span) -> Span:
            return Span(int(units[span.start, 0]), int(units[span.end - 1, 1]), span.type)

        entities = []
        for one in found.entities:
            place = placed(one.span)
            entities.append(Entity(place.start, place.end, one.type, one.score, text[place.start : place.end]))
        readings = {name: (*self.readings.get(name, ()), *map(placed, spans)) for name, spans in found.readings.items()}
        return EntityPrediction(self.truncated, (*self.entities, *entities), readings)
