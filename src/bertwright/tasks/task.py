"""What a task answers, in four small contracts. Whoever trains, predicts, judges or reports asks these questions and
never which task it is.

`Reads` says how data becomes examples, `Learns` what is trained and by which loss, `Answers` how raw outputs of a
model become answers, `Judges` how good answers are. A `Task` is all four. Pre-training learns only, filling masks
answers only.

Shapes: B sequences of a batch, N inputs.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Generic, Required, Self, TypedDict, TypeVar, Unpack

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
from bertwright.settings import Settings
from bertwright.tasks.comparison import Comparison
from bertwright.tasks.judged import Judged, Mistakes
from bertwright.tasks.prediction import P
from bertwright.text.tokenizer.encoded import Encoded
from bertwright.text.tokenizer.tokenizer import BertTokenizer
from bertwright.wording import Phrase

Outputs = Mapping[str, Tensor]  # what an engine computes for a batch, by name


class NoSettings(Settings):
    """Of a task that has none of its own."""


S = TypeVar("S", bound=Settings)


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

        All are sums over the inputs of the batch, or over what is learnt of them, by `weights` `[B]` that sum to 1
        over a whole step: added over the parts of a step they are the means of the step.
        """

    def loss_at_start(self) -> float | None:
        """The loss of a fresh head that knows nothing; None where it cannot be told."""
        return None


class HowToRead(TypedDict, total=False):
    """What `read` takes beside a source and its columns; as of `read_examples`."""

    labelled: Required[bool]
    encoding: str | None
    name: str
    pair: bool | None


class Reads(ABC):
    """How labelled data becomes examples, and which examples will do."""

    @classmethod
    def recognises(cls, source: Any, encoding: str | None) -> float:
        """How much a source looks like data of this task, from 0 (not at all) to 1; the surest task is taken."""
        return 0.0

    @classmethod
    def read(
        cls, source: Any, columns: Columns | None = None, *, known: Collection[str] = (), **how: Unpack[HowToRead]
    ) -> Table:
        """The examples of a source, as `bertwright.data.reading.example_sources.read_examples`.

        Args:
            known: the classes of a model that the labels are for.
        """
        return read_examples(source, columns, **how)

    @classmethod
    @abstractmethod
    def from_examples(cls, examples: Sequence[Example], source: str) -> Self:
        """The task that labelled examples describe."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """The labels that a text may have; none for a task without classes of texts."""
        return ()

    @abstractmethod
    def check(self, examples: Sequence[Example]) -> None:
        """Raise a `BertwrightError` for the first example that this task cannot learn from or be scored on."""


class Learns(Objective, Generic[S]):
    """What is trained on examples, from which model, and how much each counts.

    Attributes:
        settings_class: the settings that mean something to this task only.
        other_settings: names of settings of the loop of which the same is true.
        weighs_classes: whether `class_weight` means something to it.
    """

    settings_class: ClassVar[type[Settings]] = NoSettings
    other_settings: ClassVar[tuple[str, ...]] = ()
    weighs_classes: ClassVar[bool] = False

    def with_settings(self, settings: S) -> Self:
        """The task as the settings of a run want it."""
        return self

    def without_effect(self, given: Mapping[str, Any]) -> list[str]:
        """What was `given` among the settings of the loop and changes nothing here: a line for each."""
        return []

    @abstractmethod
    def config_changes(self) -> dict[str, Any]:
        """What the task decides about the model's config, such as the names of the classes."""

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

    def check_model(self, config: BertConfig, examples: Sequence[Example]) -> None:
        """Raise a `BertwrightError` for the first example that a model of this shape cannot learn from."""

    @abstractmethod
    def targets(self, examples: Sequence[Example], encoded: EncodedTexts) -> Targets:
        """What is to be learnt of each input."""

    def weights(self, examples: Sequence[Example], encoded: EncodedTexts, balance: str) -> NDArray[np.float64]:
        """`[N]` how much each input counts in the loss of a step: the inputs of a text share its weight of 1, unless a
        task says otherwise. `balance` makes rare answers count more: `none`, `balanced` or `sqrt`.
        """
        weights: NDArray[np.float64] = (1.0 / encoded.inputs_of)[encoded.owners]
        return weights

    def remarks(self, model: BertWithHead) -> list[str]:
        """What a person should be warned of about a model that has been trained."""
        return []


class Answers(ABC, Generic[P]):
    """What a trained model answers, and how: all that the predictor and the server ask."""

    name: ClassVar[str]
    reads_pairs: bool | None = None  # whether it answers for pairs of texts (True), single texts (False), or both
    temperature: float = 1.0  # by which scores were divided before they became probabilities
    pipeline: ClassVar[str] = ""  # what `transformers` calls the task
    pipeline_note: str = ""  # what its answers lack
    peer_example: ClassVar[str] = ""  # how `transformers` is asked where it has no such pipeline; `{path}`: the model
    output_names: tuple[str, ...] = ()  # of its scores, in their order, as the config must have them; empty: any
    choices: ClassVar[type[Settings]] = NoSettings  # what `answering` takes
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

    def with_weights(self, weights: Mapping[str, Tensor]) -> Self:
        """The same task, with what of a model's weights it needs beside the outputs to decode them."""
        return self

    def answering(self, words: Sequence[str]) -> Self:
        """The same task, answering as these `key=value` words say.

        Raises:
            BertwrightError: BW605 this task has nothing to choose, BW101 to BW103 for words that do not fit.
        """
        raise BertwrightError("BW605", task=self.name, words=" ".join(words))

    def as_task(self) -> Task[P, Any]:
        """What can be judged, too.

        Raises:
            BertwrightError: BW523 this cannot.
        """
        raise BertwrightError("BW523", task=self.name)

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

    def encode(self, tokenizer: BertTokenizer, examples: Sequence[Example], reading: Reading) -> EncodedTexts:
        """The inputs of examples."""
        return encode_examples(tokenizer, examples, reading)

    def doubt(self, example: Example, encoded: Encoded) -> str:
        """Why an answer for an example, which was `encoded`, says nothing of it: one of `DOUBTS`, or nothing."""
        return encoded.doubt

    def outputs(self, model: BertWithHead, batch: Ragged) -> Outputs:
        """What the model computes for a batch, as named tensors on its device: the part that another engine may do."""
        return {"scores": model.scores(batch)}

    def scores(self, outputs: Outputs, batch: Ragged) -> Sequence[Tensor]:
        """The outputs for a batch as scores on the host in fp32, input by input; one row of them each unless a task
        says otherwise.
        """
        scores = outputs["scores"].float().cpu()
        assert len(scores) == batch.batch_size
        return scores.unbind(0)

    @abstractmethod
    def decode(self, scores: Sequence[Tensor], encoded: EncodedTexts) -> list[P]:
        """One answer a text, from the scores of its inputs; `scores` has one item an input, in their order."""


class Judges(ABC, Generic[P]):
    """How good answers to labelled examples are, and whether other ones are better."""

    @abstractmethod
    def score(self, predictions: Sequence[P], examples: Sequence[Example]) -> dict[str, float]:
        """The metrics, by name, the headline first."""

    def measure(self, model: BertWithHead, examples: Sequence[Example], encoded: EncodedTexts) -> dict[str, float]:
        """What is told of a model beside the scores of its answers, which it would take the true answers to know."""
        return {}

    def only_answer(self, predictions: Sequence[P], examples: Sequence[Example]) -> str | None:
        """The answer that every text got, where the true answers differ: a model that has collapsed."""
        return None

    def gaps(self, examples: Sequence[Example]) -> Sequence[Phrase]:
        """What examples lack, so that their scores say little."""
        return ()

    @abstractmethod
    def judge(self, predictions: Sequence[P], examples: Sequence[Example]) -> Judged:
        """Everything that is told of answers; their scores are as the task gives them, with its temperature."""

    @abstractmethod
    def mistakes(self, predictions: Sequence[P], examples: Sequence[Example]) -> Mistakes:
        """What is wrong in the answers."""

    def calibrated(self, predictions: Sequence[P], examples: Sequence[Example]) -> Self:
        """The same task, with scores that mean what they say on these answers; the answers stay as they are."""
        return self

    def untempered(self) -> Self:
        """The same task at temperature 1."""
        return self

    def tempered(self, predictions: Sequence[P]) -> list[P]:
        """Answers that were given at temperature 1, with the scores that this task gives them."""
        return list(predictions)

    @property
    @abstractmethod
    def question(self) -> tuple[str, frozenset[Hashable]]:
        """What two runs must have in common to be compared: the kind of question, and the names of the answers."""

    def require_comparable(self) -> None:
        """Raise BW635 where two runs of this task cannot be compared yet."""

    @abstractmethod
    def compare(self, a: Sequence[P], b: Sequence[P], table: Table) -> Comparison:
        """Whether the answers `b` to the examples of a table are better than `a`."""


class Task(Reads, Learns[S], Answers[P], Judges[P], Generic[P, S]):
    """One kind of question that a BERT with a head can be trained to answer, and be judged by."""

    name: ClassVar[str]

    def as_task(self) -> Self:
        return self
