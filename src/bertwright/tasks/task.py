"""What a task answers. The loop, the predictor and the server ask these questions and never which task it is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from torch import Tensor

from bertwright.data.examples import Example
from bertwright.data.ragged import Ragged
from bertwright.model.models import BertWithHead
from bertwright.text.encoded import Encoded
from bertwright.text.tokenizer import BertTokenizer


@dataclass(frozen=True, slots=True)
class Prediction:
    """An answer. Subclasses add fields; `to_json` is the one form that every door of the house hands out.

    Attributes:
        truncated: whether the end of the text was cut off before the model read it.
    """

    truncated: bool

    def to_json(self) -> dict[str, Any]:
        """A JSON object."""
        raise NotImplementedError


class Task(ABC):
    """One kind of question that a BERT with a head can be trained to answer."""

    name: ClassVar[str]
    metric: ClassVar[str]  # of `score`: decides which checkpoint is best; higher is better
    model_class: ClassVar[type[BertWithHead]]

    @classmethod
    @abstractmethod
    def from_examples(cls, examples: Sequence[Example], source: str) -> Self:
        """The task that labelled examples describe."""

    @classmethod
    @abstractmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """The task that `to_json` described."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """What a model folder must say about the task besides its config."""

    @abstractmethod
    def config_changes(self) -> dict[str, Any]:
        """What the task decides about the model's config, such as the names of the classes."""

    @abstractmethod
    def check(self, examples: Sequence[Example]) -> None:
        """Raise a `BertwrightError` for the first example that this task cannot learn from or be scored on."""

    @abstractmethod
    def targets(self, examples: Sequence[Example]) -> Tensor:
        """What is to be learnt, one row an example."""

    @abstractmethod
    def loss(self, model: BertWithHead, batch: Ragged, targets: Tensor) -> Tensor:
        """The mean loss over the examples of a batch."""

    @abstractmethod
    def decode(self, scores: Tensor, encoded: Sequence[Encoded]) -> list[Prediction]:
        """The answers that the scores of a batch stand for."""

    @abstractmethod
    def score(self, predictions: Sequence[Prediction], examples: Sequence[Example]) -> dict[str, float]:
        """The metrics, by name, the headline first."""

    def encode(self, tokenizer: BertTokenizer, examples: Sequence[Example], max_length: int) -> list[Encoded]:
        """The tokens that the model reads for each example."""
        return tokenizer.encode_batch([example.text for example in examples], max_length=max_length)
