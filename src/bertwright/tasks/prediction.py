"""`Prediction`: what every answer of a model has in common."""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, TypeVar

from bertwright.data.examples import Example
from bertwright.wording import Phrase

# Why an answer says nothing of its text, and what is said of so many texts of which that is true.
DOUBTS = {
    "empty": Phrase("{texts} without a word, answered all the same: {places}"),
    "unknown": Phrase("{texts} without a word that the vocabulary knows, answered all the same: {places}"),
    "unmasked": Phrase("{texts} without [MASK], in which nothing is filled: {places}"),
}


@dataclass(frozen=True, slots=True)
class Prediction:
    """An answer. Subclasses add fields; `to_json` is the one form that every door of the house hands out.

    Attributes:
        truncated: whether a part of the text was cut off before the model read it.
        doubt: why the answer says nothing of the text, one of `DOUBTS`; empty for nearly every one.
    """

    truncated: bool
    doubt: str = field(default="", kw_only=True)

    def to_json(self) -> dict[str, Any]:
        """A JSON object."""
        raise NotImplementedError


P = TypeVar("P", bound=Prediction)

_MANY_CLASSES = 100  # of more than that an answer in a file names the best ones
BEST_NAMED = 20


def classes_left_out(values: Mapping[str, Any]) -> int:
    """How many classes an answer as a JSON object has, where these are too many to name all of them; else 0."""
    scores = values.get("scores")
    return len(scores) if isinstance(scores, dict) and len(scores) > _MANY_CLASSES else 0


def with_best_scores(values: dict[str, Any]) -> dict[str, Any]:
    """An answer as a JSON object; of many classes the best ones, the best first."""
    if not classes_left_out(values):
        return values
    best = heapq.nlargest(BEST_NAMED, values["scores"].items(), key=itemgetter(1))
    return {**values, "scores": dict(best)}


def texts_of(example: Example) -> dict[str, Any]:
    """`text` and, of a pair, `text_b`."""
    return {"text": example.text} | ({} if example.text_b is None else {"text_b": example.text_b})


def answer_row(example: Example, prediction: Prediction, *, all_scores: bool = False) -> dict[str, Any]:
    """One answer with its example as a JSON object: where, the text or texts, the true answer, and the given one."""
    values = prediction.to_json() if all_scores else with_best_scores(prediction.to_json())
    if "label" in values:
        values = {"predicted": values.pop("label"), **values}
    gold = example.answer.to_json(example.text) if example.answer else ""
    return {"where": str(example.where), **texts_of(example), "gold": gold, **values}
