"""What a task answers. The loop, the predictor and the server ask these questions and never which task it is.

Shapes: B sequences of a batch, N inputs.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from bertwright.data.examples import Example
from bertwright.data.ragged import Ragged
from bertwright.data.reading.example_sources import read_examples, stream_examples
from bertwright.data.reading.tables import Columns, Table
from bertwright.data.targets import Targets
from bertwright.data.windows import EncodedTexts, Reading, encode_examples
from bertwright.errors import BertwrightError
from bertwright.model.classes import settle_classes
from bertwright.model.config import BertConfig
from bertwright.model.models import BertWithHead
from bertwright.text.tokenizer.tokenizer import BertTokenizer


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


@dataclass(frozen=True, slots=True)
class ScoreTable:
    """A table that a task adds to its report.

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


@dataclass(frozen=True, slots=True)
class ScoreBars:
    """Bars that a task adds to its report, one group a kind of answer.

    Attributes:
        title: above them.
        names: of the groups.
        counts: how often each kind is in the data.
        scores: by name, one a group, each from 0 to 1.
    """

    title: str
    names: tuple[str, ...]
    counts: tuple[int, ...]
    scores: Mapping[str, Sequence[float]]


class Objective(ABC):
    """What a model is trained for: all that the loop asks."""

    name: ClassVar[str]
    metric: ClassVar[str]  # of an evaluation: decides which checkpoint is best
    higher_is_better: ClassVar[bool] = True
    # Why a model may give one answer to everything, besides its learning rate; ends a sentence.
    collapse_causes: ClassVar[str] = (
        "too few steps, labels that do not belong to their texts, or very rare classes (class_weight=balanced)"
    )

    @property
    @abstractmethod
    def model_class(self) -> type[BertWithHead]:
        """The encoder with the head that is trained."""

    @abstractmethod
    def loss(self, model: BertWithHead, batch: Ragged, targets: Any, weights: Tensor) -> dict[str, Tensor]:
        """What is made smaller, as `loss`, and what is told beside it; each a scalar.

        All are sums over the inputs of the batch, or over what is learnt of them, with weights that sum to 1 over a
        whole step: added over the parts of a step they are the means of the step.

        Args:
            weights: `[B]` of the inputs.
        """

    def loss_at_start(self) -> float | None:
        """The loss of a fresh head that knows nothing; None where it cannot be told."""
        return None


class Answerer(ABC):
    """What a trained model answers, and how: all that the predictor and the server ask."""

    name: ClassVar[str]
    reads_pairs: bool | None = None  # whether it answers for pairs of texts (True), single texts (False), or both
    temperature: float = 1.0  # by which scores were divided before they became probabilities
    pipeline: ClassVar[str] = ""  # what `transformers` calls the task
    pipeline_note: str = ""  # what its answers lack
    peer_example: ClassVar[str] = ""  # how `transformers` is asked where it has no such pipeline; `{path}`: the model
    # How the windows of a long text come together; None: they cannot, and unless told otherwise its beginning is read.
    of_windows: ClassVar[str | None] = "whose scores are averaged"

    @property
    @abstractmethod
    def model_class(self) -> type[BertWithHead]:
        """The encoder with the head that answers."""

    @classmethod
    @abstractmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """The task that `to_json` described."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """What a model folder must say about the task besides its config."""

    def bound(self, tokenizer: BertTokenizer) -> Self:
        """The same task, with the vocabulary where its answers are tokens."""
        return self

    def with_model(self, model: BertWithHead) -> Self:
        """The same task, with what of the model it needs beside the scores to decode them."""
        return self

    def answering(self, words: Sequence[str]) -> Self:
        """The same task, answering as these `key=value` words say.

        Raises:
            BertwrightError: BW605 this task has nothing to choose, BW101 to BW103 for words that do not fit.
        """
        raise BertwrightError("BW605", task=self.name, words=" ".join(words))

    def encode(self, tokenizer: BertTokenizer, examples: Sequence[Example], reading: Reading) -> EncodedTexts:
        """The inputs of examples."""
        return encode_examples(tokenizer, examples, reading)

    def check_texts(self, examples: Sequence[Example]) -> None:
        """Every example must be a pair of texts, or a single one, as the task reads them.

        Raises:
            BertwrightError: BW581 a pair where single texts are read, BW582 a single text where pairs are.
        """
        if self.reads_pairs is None:
            return
        for example in examples:
            if (example.text_b is not None) != self.reads_pairs:
                raise BertwrightError("BW582" if self.reads_pairs else "BW581", where=example.where)

    def stream(self, source: Any, columns: Columns, encoding: str | None = None) -> tuple[Columns, Iterator[Example]]:
        """The columns of a source, and its texts that are to be answered, as `data.reading.example_sources` does."""
        return stream_examples(source, columns, encoding=encoding, pair=self.reads_pairs or None)

    @abstractmethod
    def decode(self, scores: Sequence[Tensor], encoded: EncodedTexts) -> list[Prediction]:
        """One answer a text, from the scores of its inputs; `scores` has one item an input, in their order."""

    def scores(self, model: BertWithHead, batch: Ragged) -> Sequence[Tensor]:
        """The scores of a batch on the host in fp32, input by input; one row of the model's each unless a task says
        otherwise.

        Raises:
            BertwrightError: BW526 scores that are no numbers.
        """
        scores = model.scores(batch)
        assert len(scores) == batch.batch_size
        return finite(scores.float().cpu(), model).unbind(0)


def finite(scores: Tensor, model: BertWithHead) -> Tensor:
    """The scores of a model, from which an answer would be read even if they were no numbers.

    Raises:
        BertwrightError: BW526 they are not.
    """
    if not bool(scores.isfinite().all()):
        bad = (name for name, parameter in model.named_parameters() if not bool(parameter.isfinite().all()))
        raise BertwrightError("BW526", culprit=next(bad, "–"))
    return scores


class Task(Objective, Answerer):
    """One kind of question that a BERT with a head can be trained to answer."""

    name: ClassVar[str]
    own_settings: ClassVar[tuple[str, ...]] = ()  # names of settings that mean something to this task only

    @property
    def class_names(self) -> tuple[str, ...]:
        """The labels that a text may have; none for a task without classes of texts."""
        return ()

    @classmethod
    def read(
        cls,
        source: Any,
        columns: Columns | None = None,
        *,
        labelled: bool,
        encoding: str | None = None,
        name: str = "train",
        pair: bool | None = None,
        known: Collection[str] = (),  # noqa: ARG003  (labels are what is written)
    ) -> Table:
        """The examples of a source, as `bertwright.data.reading.example_sources.read_examples`."""
        return read_examples(source, columns, labelled=labelled, encoding=encoding, name=name, pair=pair)

    @classmethod
    @abstractmethod
    def from_examples(cls, examples: Sequence[Example], source: str) -> Self:
        """The task that labelled examples describe."""

    def with_options(self, options: Mapping[str, Any]) -> Self:
        """The task as the settings of a run want it."""
        return self

    def starting_config(self, folder: Path, **changes: Any) -> BertConfig:
        """The shape of the model that training starts from, which is in `folder`, with changes to its config."""
        return self.model_class.config_class.from_pretrained(folder, **self.config_changes(), **changes)

    def starting_model(self, folder: Path, **changes: Any) -> BertWithHead:
        """The model that training starts from; a head that was trained for other classes starts afresh."""
        own = self.config_changes()
        model = self.model_class.load(folder, ignore_mismatched_sizes=True, **own, **changes)
        if "id2label" in own:
            settle_classes(model, BertConfig.from_pretrained(folder).labels)
        return model

    @abstractmethod
    def config_changes(self) -> dict[str, Any]:
        """What the task decides about the model's config, such as the names of the classes."""

    @abstractmethod
    def check(self, examples: Sequence[Example]) -> None:
        """Raise a `BertwrightError` for the first example that this task cannot learn from or be scored on."""

    def check_model(self, config: BertConfig, examples: Sequence[Example]) -> None:
        """Raise a `BertwrightError` for the first example that a model of this shape cannot learn from."""

    @abstractmethod
    def targets(self, examples: Sequence[Example], encoded: EncodedTexts) -> Targets:
        """What is to be learnt of each input."""

    @abstractmethod
    def score(self, predictions: Sequence[Prediction], examples: Sequence[Example]) -> dict[str, float]:
        """The metrics, by name, the headline first."""

    def measure(self, model: BertWithHead, examples: Sequence[Example], encoded: EncodedTexts) -> dict[str, float]:
        """What is told of a model beside the scores of its answers, which it would take the true answers to know."""
        return {}

    @abstractmethod
    def weights(self, examples: Sequence[Example], encoded: EncodedTexts, balance: str) -> NDArray[np.float64]:
        """`[N]` how much each input counts in the loss of a step; `balance` makes rare answers count more: `none`,
        `balanced` or `sqrt`.
        """

    def only_answer(self, predictions: Sequence[Prediction], examples: Sequence[Example]) -> str | None:
        """The answer that every text got, where the true answers differ: a model that has collapsed."""
        return None

    def calibrated(self, predictions: Sequence[Prediction], examples: Sequence[Example]) -> Self:
        """The same task, with scores that mean what they say on these answers; the answers stay as they are."""
        return self

    def tables(self, predictions: Sequence[Prediction], examples: Sequence[Example]) -> list[ScoreTable]:
        """What a report shows beside the metrics."""
        return []

    def bars(self, predictions: Sequence[Prediction], examples: Sequence[Example]) -> ScoreBars | None:
        """What a report draws of the kinds of answers, where these are not one class a text."""
        return None

    def errors(self, predictions: Sequence[Prediction], examples: Sequence[Example]) -> list[dict[str, Any]]:
        """What is wrong in the answers, the most confident first, where these are not one class a text: objects with
        `where`, `kind`, `gold`, `predicted`, `score` and `text`.
        """
        return []

    def remarks(self, model: BertWithHead) -> list[str]:
        """What a person should be warned of about a model that has been trained."""
        return []
