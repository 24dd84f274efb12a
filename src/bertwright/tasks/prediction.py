"""`Prediction`: what every answer of a model has in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

from bertwright.data.examples import Example


@dataclass(frozen=True, slots=True)
class Prediction:
    """An answer. Subclasses add fields; `to_json` is the one form that every door of the house hands out.

    Attributes:
        truncated: whether a part of the text was cut off before the model read it.
    """

    truncated: bool

    def to_json(self) -> dict[str, Any]:
        """A JSON object."""
        raise NotImplementedError


P = TypeVar("P", bound=Prediction)


def answer_row(example: Example, prediction: Prediction) -> dict[str, Any]:
    """One answer with its example as a JSON object: where, the text or texts, the true answer, and the given one."""
    values = prediction.to_json()
    row: dict[str, Any] = {"where": str(example.where), "text": example.text}
    if example.text_b is not None:
        row["text_b"] = example.text_b
    row["gold"] = example.answer.to_json(example.text) if example.answer else ""
    if "label" in values:
        values = {"predicted": values.pop("label"), **values}
    return row | values
