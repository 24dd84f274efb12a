"""Writing a text for a text: an encoder reads the source, a decoder writes the output token by token.

Shapes: T tokens of the targets, B pairs of a batch, N inputs, V vocabulary.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Collection, Hashable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, NoReturn, Self, Unpack

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from bertwright.data.batches import batches_by_length
from bertwright.data.examples import Example, half_pairs_placed, target_of
from bertwright.data.ragged import Ragged
from bertwright.data.reading.tables import Columns, Table
from bertwright.data.reading.text_pairs import read_pairs, stream_pairs
from bertwright.data.targets import TextTargets, WrittenBatch
from bertwright.data.windows import EncodedTexts
from bertwright.errors import BertwrightError
from bertwright.evaluation.text_scores import exact_match, same_text, text_scores
from bertwright.model.config import BertConfig
from bertwright.model.models import BertWithHead
from bertwright.model.seq2seq.encoder_decoder import BertForSeq2SeqLM
from bertwright.model.seq2seq.generation.generate import generate
from bertwright.model.seq2seq.generation.generation_settings import GenerationSettings
from bertwright.model.seq2seq.seq2seq_config import Seq2SeqConfig
from bertwright.model.shapes import shape_values
from bertwright.settings import Settings
from bertwright.tasks.judged import MISTAKE_HEADER, Judged, Mistakes
from bertwright.tasks.prediction import Prediction
from bertwright.tasks.seq2seq_settings import Seq2SeqSettings
from bertwright.tasks.task import HowToRead, Outputs, Task
from bertwright.tasks.task_values import TaskValues
from bertwright.text.tokenizer.joining import join_pieces
from bertwright.text.tokenizer.tokenizer import BertTokenizer
from bertwright.wording import said

log = logging.getLogger("bertwright")

_TOKENS_A_BATCH = 4096
_LENGTH = 128  # of an output, where nothing else is said
_PLAIN = GenerationSettings.resolve(max_output_length=_LENGTH)


@dataclass(frozen=True, slots=True)
class TextPrediction(Prediction):
    """What was written for a text.

    Attributes:
        output: the text.
        score: the mean probability of its tokens (the geometric one); of beam search, by the length penalty.
        finished: whether it came to its end; False: it was cut off at `max_output_length`.
    """

    output: str
    score: float
    finished: bool

    def to_json(self) -> dict[str, Any]:
        return {
            "output": self.output,
            "score": round(self.score, 6),
            "finished": self.finished,
            "truncated": self.truncated,
        }


class _Values(TaskValues):
    """What `task.json` says."""

    generation: dict[str, Any]


@dataclass(frozen=True)
class Seq2Seq(Task[TextPrediction, Seq2SeqSettings]):
    """Every text has one that is to be written for it.

    Attributes:
        generation: how outputs are written.
        label_smoothing: share of the target that is spread over the vocabulary.
        shape: of a model from scratch, whose positions are sines; None: the weights of a BERT begin both sides.
        tokenizer: the vocabulary, where it is `bound`.
    """

    generation: GenerationSettings = _PLAIN
    label_smoothing: float = 0.0
    shape: str | None = None
    tokenizer: BertTokenizer | None = field(default=None, repr=False, compare=False)

    name: ClassVar[str] = "seq2seq"
    metric: ClassVar[str] = "token_accuracy"
    of_windows: ClassVar[str | None] = None
    settings_class: ClassVar[type[Settings]] = Seq2SeqSettings
    choices: ClassVar[type[Settings]] = GenerationSettings
    peer_example: ClassVar[str] = (
        "from transformers import AutoTokenizer, EncoderDecoderModel\n"
        'tokenizer = AutoTokenizer.from_pretrained("{path}")\n'
        'model = EncoderDecoderModel.from_pretrained("{path}")\n'
        'print(tokenizer.decode(model.generate(**tokenizer("a text", return_tensors="pt"))[0]))'
    )

    @property
    def model_class(self) -> type[BertWithHead]:
        return BertForSeq2SeqLM

    @classmethod
    def read(
        cls, source: Any, columns: Columns | None = None, *, known: Collection[str] = (), **how: Unpack[HowToRead]
    ) -> Table:
        encoding, name = how.get("encoding"), how.get("name", "train")
        return read_pairs(source, columns, labelled=how["labelled"], encoding=encoding, name=name)

    def stream(self, source: Any, columns: Columns, encoding: str | None = None) -> tuple[Columns, Iterator[Example]]:
        return stream_pairs(source, columns, encoding)

    @classmethod
    def from_examples(cls, examples: Sequence[Example], source: str) -> Self:
        """Raises BW610 for an example without a target."""
        task = cls()
        task.check(examples)
        return task

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        return cls(GenerationSettings.from_json(_Values.of(values).generation))

    def to_json(self) -> dict[str, Any]:
        return {"generation": self.generation.model_dump()}

    def bound(self, tokenizer: BertTokenizer) -> Self:
        return replace(self, tokenizer=tokenizer)

    def with_settings(self, settings: Seq2SeqSettings) -> Self:
        changes = {"max_output_length": settings.max_target_length or _LENGTH, "num_beams": settings.num_beams}
        return replace(
            self,
            generation=self.generation.model_copy(update=changes),
            label_smoothing=settings.label_smoothing,
            shape=settings.shape,
        )

    def answering(self, words: Sequence[str]) -> Self:
        """Outputs written as `key=value` words say; see `GenerationSettings`."""
        wished = GenerationSettings.resolve(words=words)
        changes = {name: getattr(wished, name) for name in wished.model_fields_set}
        return replace(self, generation=self.generation.model_copy(update=changes))

    def config_changes(self) -> dict[str, Any]:
        tokenizer = self._tokenizer()
        return {"decoder_start_token_id": tokenizer.cls_token_id, "eos_token_id": tokenizer.sep_token_id}

    def starting_config(self, folder: Path, **changes: Any) -> BertConfig:
        """That of the checkpoint, or the 2017 Transformer of `shape` with the vocabulary in `folder`."""
        if self.shape is None:
            return Seq2SeqConfig.from_pretrained(folder, **self.config_changes(), **changes)
        tokenizer = self._tokenizer()
        return Seq2SeqConfig(
            vocab_size=len(tokenizer),
            pad_token_id=tokenizer.pad_token_id,
            max_position_embeddings=max(512, self.generation.max_output_length),
            hidden_act="relu",
            positions="sinusoidal",
            **shape_values(self.shape),
            **self.config_changes(),
            **changes,
        )

    def starting_model(self, folder: Path, **changes: Any) -> BertWithHead:
        if self.shape is None:
            return super().starting_model(folder, **changes)
        config = self.starting_config(folder, **changes)
        log.info(
            said("a Transformer from scratch: random weights and sinusoidal positions, shape {shape}", shape=self.shape)
        )
        return BertForSeq2SeqLM(config)

    def check(self, examples: Sequence[Example]) -> None:
        """Every example must have a target.

        Raises:
            BertwrightError: BW610 for one that has none.
        """
        for example in examples:
            if not (target_of(example) or "").strip():
                raise BertwrightError("BW610", where=example.where)

    def check_model(self, config: BertConfig, examples: Sequence[Example]) -> None:
        """Every target must fit the position table of the decoder.

        Raises:
            BertwrightError: BW611 for one that does not, BW603 for outputs that would not.
        """
        assert isinstance(config, Seq2SeqConfig)
        rows, limit = config.longest_output, self.generation.max_output_length
        if limit > rows:
            raise BertwrightError("BW603", value=limit, rows=rows)
        lengths = np.array([len(ids) for ids in self._written(examples)])
        if len(lengths) and int(lengths.max()) - 1 > rows:  # the last token is only written, never read
            index = int(lengths.argmax())
            raise BertwrightError("BW611", where=examples[index].where, tokens=int(lengths[index]), rows=rows)
        if longer := int((lengths > limit).sum()):
            log.warning(
                said("{longer} of {count} targets are longer than the {limit} tokens that outputs may have "
                     "(max_target_length)", longer=longer, count=len(lengths), limit=limit)
            )  # fmt: skip

    def targets(self, examples: Sequence[Example], encoded: EncodedTexts) -> TextTargets:
        """The tokens of every target, [CLS] and [SEP] included."""
        return TextTargets(self._written(examples))

    def weights(self, examples: Sequence[Example], encoded: EncodedTexts, balance: str) -> NDArray[np.float64]:
        """The number of tokens to be written: every one of them counts the same."""
        return np.array([len(ids) - 1 for ids in self._written(examples)], dtype=np.float64)

    def loss(self, model: BertWithHead, batch: Ragged, targets: WrittenBatch, weights: Tensor) -> dict[str, Tensor]:
        """Cross-entropy of every target token, smoothed (Szegedy et al. 2016, section 7), beside the token accuracy."""
        assert isinstance(model, BertForSeq2SeqLM)
        lengths = targets.inputs.cu_seqlens.diff()
        shares = (weights / lengths).repeat_interleave(lengths, output_size=len(targets.labels))
        loss, right = model.pair_loss(batch, targets.inputs, targets.labels, shares, self.label_smoothing)
        return {"loss": loss, "token_accuracy": right}

    def measure(self, model: BertWithHead, examples: Sequence[Example], encoded: EncodedTexts) -> dict[str, float]:
        """How the model takes the targets themselves: the share of tokens that it would have written, all before them
        given, and the perplexity.
        """
        assert isinstance(model, BertForSeq2SeqLM)
        targets = self.targets(examples, encoded)
        right = loss = count = 0.0
        with torch.inference_mode():
            for group in batches_by_length((encoded.lengths + targets.lengths).tolist(), _TOKENS_A_BATCH):
                source = Ragged.from_encoded([encoded.inputs[index] for index in group]).to(model.device)
                written = targets.take(np.array(group)).to(model.device)
                scores = model.pair_scores(source, written.inputs).float()
                right += float((scores.argmax(-1) == written.labels).sum())
                loss += float(F.cross_entropy(scores, written.labels, reduction="sum"))
                count += len(scores)
        return {"token_accuracy": right / count, "perplexity": math.exp(min(loss / count, 700.0))}

    def outputs(self, model: BertWithHead, batch: Ragged) -> Outputs:
        """`scores [B]` of what was written, `lengths [B]` in tokens, and the `tokens` end to end."""
        assert isinstance(model, BertForSeq2SeqLM)
        written = generate(model, batch, self.generation)
        return {
            "scores": torch.tensor([one.score for one in written], dtype=torch.float64),
            "lengths": torch.tensor([len(one.tokens) for one in written]),
            "tokens": torch.cat([one.tokens for one in written]),
        }

    def scores(self, outputs: Outputs, batch: Ragged) -> Sequence[Tensor]:
        """For each input one row of numbers: the score, and the ids of what was written."""
        tokens = torch.split(outputs["tokens"].double().cpu(), outputs["lengths"].tolist())
        return [torch.cat([score[None], row]) for score, row in zip(outputs["scores"], tokens)]

    def decode(self, scores: Sequence[Tensor], encoded: EncodedTexts) -> list[TextPrediction]:
        """An empty text has an empty output, by rule and so with the score 1."""
        tokenizer = self._tokenizer()
        special = set(tokenizer.all_special_ids)
        answers = []
        for row, one, cut in zip(scores, encoded.inputs, encoded.tokens_cut):
            ids = [int(index) for index in row[1:].tolist()]
            kept = [index for index in ids if index not in special or index == tokenizer.unk_token_id]
            if bool((one.sequence_ids < 0).all()):
                answers.append(TextPrediction(bool(cut), "", 1.0, True))
                continue
            text = join_pieces(tokenizer.convert_ids_to_tokens(kept))
            finished = ids[-1] == tokenizer.sep_token_id
            answers.append(TextPrediction(bool(cut), text, math.exp(float(row[0])), finished))
        return answers

    def score(self, predictions: Sequence[TextPrediction], examples: Sequence[Example]) -> dict[str, float]:
        outputs = [one.output for one in predictions]
        targets = [target_of(example) or "" for example in examples]
        return {"exact_match": exact_match(outputs, targets), **text_scores(outputs, targets)}

    def judge(self, predictions: Sequence[TextPrediction], examples: Sequence[Example]) -> Judged:
        return Judged(len(examples), self.score(predictions, examples))

    @property
    def question(self) -> tuple[str, frozenset[Hashable]]:
        return "texts", frozenset()

    def require_comparable(self) -> None:
        """Raises BW635."""
        raise BertwrightError("BW635", task=self.name)

    def compare(self, a: Sequence[TextPrediction], b: Sequence[TextPrediction], table: Table) -> NoReturn:
        """Raises BW635."""
        raise BertwrightError("BW635", task=self.name)

    def only_answer(self, predictions: Sequence[TextPrediction], examples: Sequence[Example]) -> str | None:
        given = {one.output for one in predictions}
        true = {target_of(example) for example in examples}
        return given.pop() if len(given) == 1 < len(true) else None

    def mistakes(self, predictions: Sequence[TextPrediction], examples: Sequence[Example]) -> Mistakes:
        rows = [
            {
                "where": str(example.where), "kind": "other text" if one.finished else "unfinished",
                "gold": target_of(example), "predicted": one.output, "score": one.score, "text": example.text,
            }
            for example, one in zip(examples, predictions)
            if not same_text(one.output, target_of(example) or "")
        ]  # fmt: skip
        return Mistakes.of(sorted(rows, key=lambda row: -row["score"]), MISTAKE_HEADER)

    def _written(self, examples: Sequence[Example]) -> list[NDArray[np.int64]]:
        with half_pairs_placed(examples):
            encoded = self._tokenizer().encode_batch(
                [target_of(example) or "" for example in examples], truncation=False
            )
        return [one.input_ids.astype(np.int64) for one in encoded]

    def _tokenizer(self) -> BertTokenizer:
        assert self.tokenizer is not None, "the task is not bound to a vocabulary"
        return self.tokenizer
