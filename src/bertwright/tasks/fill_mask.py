"""What a pre-trained model answers: which tokens fit the [MASK]s of a text, and whether a second text follows.

Shapes: M masks of an input, V vocabulary, K tokens to choose from.
"""

from __future__ import annotations

import functools
import logging
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from pydantic import Field, field_validator
from torch import Tensor

from bertwright.checkpoint import names
from bertwright.checkpoint.hub_cache import WEIGHT_FILES
from bertwright.checkpoint.weights import tensor_names, weight_file
from bertwright.corpus.drawing.sampling_settings import Objective as Pairs
from bertwright.data.examples import Example
from bertwright.data.ragged import Ragged
from bertwright.data.windows import EncodedTexts, Reading
from bertwright.errors import BertwrightError
from bertwright.model.config import BertConfig
from bertwright.model.models import BertWithHead
from bertwright.model.pretraining_models import BertForMaskedLM, BertForPreTraining
from bertwright.settings import Settings
from bertwright.tasks.prediction import Prediction
from bertwright.tasks.task import Answers, Outputs
from bertwright.tasks.task_values import TaskValues
from bertwright.text.tokenizer.encoded import Encoded
from bertwright.text.tokenizer.tokenizer import BertTokenizer
from bertwright.wording import said, shown

log = logging.getLogger("bertwright")

_HEAD, _PAIR_HEAD = "cls.predictions.", "cls.seq_relationship.weight"
_TYPED_MASK = re.compile(r"[\[［【]\s*(?:MASK|ＭＡＳＫ)\s*[\]］】]")


def _with_masks(example: Example) -> Example:
    both = example.text + (example.text_b or "")
    if not any(sign in both for sign in "［【Ｍ"):
        return example
    if typed := [one for one in _TYPED_MASK.findall(both) if one != "[MASK]"]:
        _say_once(typed[0])
    text, text_b = (one and _TYPED_MASK.sub("[MASK]", one) for one in (example.text, example.text_b))
    return replace(example, text=text or "", text_b=text_b)


def plain_fill_mask(folder: Path) -> tuple[FillMask, Reading] | None:
    """What a folder without `task.json` answers where its weights have the head of a masked language model.

    Raises:
        BertwrightError: BW302, BW320, BW321 weights that cannot be read.
    """
    if not any((folder / name).is_file() for name in WEIGHT_FILES):
        return None
    found = {names.canonical(name) for name in tensor_names(weight_file(folder))}
    if not any(name.startswith(_HEAD) for name in found):
        return None
    task = FillMask("mlm+nsp" if _PAIR_HEAD in found else "mlm")
    log.info(said("{folder} has no task.json, but the head of a masked language model: it fills [MASK]", folder=folder))
    return task, Reading(BertConfig.from_pretrained(folder).max_position_embeddings, "head", 0)


@functools.cache
def _say_once(typed: str) -> None:
    log.info(said("{typed} is read as [MASK]", typed=typed))


class FillMaskSettings(Settings):
    """How masks are filled."""

    top_k: int = Field(5, ge=1, description="tokens named for each [MASK]")
    among: str = Field("", description="the only words that are considered, such as good,bad; not given: all")

    @field_validator("among", mode="before")
    @classmethod
    def _as_words(cls, value: Any) -> str:
        """A list, or a number that is a token."""
        return ",".join(map(str, value)) if isinstance(value, list) else str(value)


@dataclass(frozen=True, slots=True)
class FillMaskPrediction(Prediction):
    """What fits a text.

    Attributes:
        masks: for each [MASK], in the order of the text, the most probable tokens with their probabilities.
        follows: the probability that the second text follows the first (NSP), or that they are in the right order
            (SOP); None without a second text, or where the model has not learnt it.
    """

    masks: tuple[tuple[tuple[str, float], ...], ...]
    follows: float | None

    def to_json(self) -> dict[str, Any]:
        masks = [[{"token": token, "score": round(score, 6)} for token, score in mask] for mask in self.masks]
        follows = None if self.follows is None else round(self.follows, 6)
        return {"masks": masks, "follows": follows, "truncated": self.truncated}


class _Values(TaskValues):
    """What `task.json` says."""

    pairs: Pairs


@dataclass(frozen=True)
class FillMask(Answers[FillMaskPrediction]):
    """Fill the [MASK]s of a text.

    Attributes:
        pairs: what the model learnt: `mlm+nsp`, `mlm+sop` or `mlm`.
        tokens: by id, to name what is found; empty until `bound`.
        nameless: ids below that no token has; like the rows of a larger word table they are never an answer.
        mask_id: of [MASK].
        top_k: how many tokens are named for each mask.
        among: ids of the only tokens that are considered; empty: all.
        tokenizer: the vocabulary, where it is `bound`.
    """

    pairs: Pairs = "mlm+nsp"
    tokens: tuple[str, ...] = ()
    nameless: tuple[int, ...] = ()
    mask_id: int = -1
    top_k: int = 5
    among: tuple[int, ...] = ()
    tokenizer: BertTokenizer | None = field(default=None, repr=False, compare=False)

    name: ClassVar[str] = "fill-mask"
    choices: ClassVar[type[Settings]] = FillMaskSettings

    @property
    def model_class(self) -> type[BertWithHead]:
        return BertForMaskedLM if self.pairs == "mlm" else BertForPreTraining

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        return cls(_Values.of(values).pairs)

    def to_json(self) -> dict[str, Any]:
        return {"pairs": self.pairs}

    def bound(self, tokenizer: BertTokenizer) -> Self:
        token_of = {index: token for token, index in tokenizer.get_vocab().items()}
        tokens = tuple(token_of.get(index, "") for index in range(max(token_of) + 1))
        nameless = tuple(index for index in range(len(tokens)) if index not in token_of)
        return replace(self, tokenizer=tokenizer, tokens=tokens, nameless=nameless, mask_id=tokenizer.mask_token_id)

    def answering(self, words: Sequence[str]) -> Self:
        """Masks filled as `top_k=3 among=good,bad` say.

        Raises:
            BertwrightError: BW524 a word that is not one token of the vocabulary, BW101 to BW103 as
                `FillMaskSettings.resolve`.
        """
        wished = FillMaskSettings.resolve(words=words)
        changes: dict[str, Any] = {name: getattr(wished, name) for name in wished.model_fields_set}
        if "among" in changes:
            changes["among"] = self._ids_of(word.strip() for word in wished.among.split(",") if word.strip())
        return replace(self, **changes)

    def _ids_of(self, words: Iterable[str]) -> tuple[int, ...]:
        assert self.tokenizer is not None, "the task is not bound to a vocabulary"
        ids = []
        for word in words:
            pieces = self.tokenizer.tokenize(word)
            if len(pieces) != 1 or pieces[0] == self.tokenizer.unk_token:
                raise BertwrightError("BW524", word=word, pieces=shown(pieces))
            ids.append(self.tokenizer.get_vocab()[pieces[0]])
        # Two words may be one token, such as Paris and paris without capitals: twice it would halve its probability.
        return tuple(dict.fromkeys(ids))

    def encode(self, tokenizer: BertTokenizer, examples: Sequence[Example], reading: Reading) -> EncodedTexts:
        """As of every task; masks typed with the signs of a Chinese keyboard are masks."""
        return super().encode(tokenizer, [_with_masks(one) for one in examples], reading)

    def doubt(self, example: Example, encoded: Encoded) -> str:
        if self.mask_id not in encoded.input_ids and (example.text_b is None or self.pairs == "mlm"):
            return "unmasked"
        return super().doubt(example, encoded)

    def outputs(self, model: BertWithHead, batch: Ragged) -> Outputs:
        """`masks [M, V]`: the head runs over the masks only; with a head for pairs `pairs [B, 2]`."""
        assert isinstance(model, BertForMaskedLM)
        encoding = model.bert.encode(batch)
        found = {"masks": model.predict(encoding.last[batch.input_ids == self.mask_id])}
        if isinstance(model, BertForPreTraining):
            found["pairs"] = model.follows(encoding, batch)
        return found

    def scores(self, outputs: Outputs, batch: Ragged) -> Sequence[Tensor]:
        """For each input one row of fp32 numbers: the probability that the pair belongs together (NaN without such a
        head), and then, for each mask, `top_k` ids and their probabilities.
        """
        is_mask = batch.input_ids == self.mask_id
        found = outputs["masks"].float()[:, : len(self.tokens)].clone()  # [M, V]
        found[:, list(self.nameless)] = -torch.inf
        if self.among:
            among = torch.tensor(self.among, device=found.device)
            best, index = found[:, among].softmax(-1).topk(self._named, dim=-1)
            ids = among[index]
        else:
            best, ids = found.softmax(-1).topk(self._named, dim=-1)
        follows = torch.full((batch.batch_size,), torch.nan, device=found.device)
        if "pairs" in outputs:
            follows = outputs["pairs"].float().softmax(-1)[:, 0]
        per_mask = torch.stack([ids.double(), best.double()], -1).flatten(1)  # [M, 2 K]; a double holds any id
        counts = [int(part.sum()) for part in torch.split(is_mask, list(batch.lengths))]
        rows = torch.split(per_mask.cpu(), counts)
        return [torch.cat([one[None], row.flatten()]) for one, row in zip(follows.double().cpu(), rows)]

    @property
    def _named(self) -> int:
        """How many tokens are named for each mask."""
        return min(self.top_k, len(self.among) or len(self.tokens) - len(self.nameless))

    def decode(self, scores: Sequence[Tensor], encoded: EncodedTexts) -> list[FillMaskPrediction]:
        width = 2 * self._named
        answers = []
        for row, one, cut in zip(scores, encoded.inputs, encoded.tokens_cut):
            masks = []
            for mask in row[1:].view(-1, width).tolist():
                masks.append(tuple((self.tokens[int(mask[i])], mask[i + 1]) for i in range(0, width, 2)))
            is_pair = bool((one.sequence_ids == 1).any())
            follows = float(row[0]) if is_pair and not torch.isnan(row[0]) else None
            answers.append(FillMaskPrediction(bool(cut), tuple(masks), follows))
        return answers
