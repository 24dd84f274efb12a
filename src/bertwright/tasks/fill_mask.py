"""What a pre-trained model answers: which tokens fit the [MASK]s of a text, and whether a second text follows.

Shapes: M masks of an input, V vocabulary, K tokens to choose from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

from bertwright.corpus.drawing.sampling_settings import Objective as Pairs
from bertwright.data.ragged import Ragged
from bertwright.data.windows import EncodedTexts
from bertwright.errors import BertwrightError, shown
from bertwright.model.models import BertWithHead
from bertwright.model.pretraining_models import BertForMaskedLM, BertForPreTraining
from bertwright.tasks.task import Answerer, Prediction, finite
from bertwright.text.tokenizer.tokenizer import BertTokenizer


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


@dataclass(frozen=True)
class FillMask(Answerer):
    """Fill the [MASK]s of a text.

    Attributes:
        pairs: what the model learnt: `mlm+nsp`, `mlm+sop` or `mlm`.
        tokens: by id, to name what is found; empty until `bound`.
        nameless: ids below that no token has; like the rows of a larger word table they are never an answer.
        mask_id: of [MASK].
        top_k: how many tokens are named for each mask.
        among: ids of the only tokens that are considered; empty: all.
    """

    pairs: Pairs = "mlm+nsp"
    tokens: tuple[str, ...] = ()
    nameless: tuple[int, ...] = ()
    mask_id: int = -1
    top_k: int = 5
    among: tuple[int, ...] = ()

    name: ClassVar[str] = "fill-mask"

    @property
    def model_class(self) -> type[BertWithHead]:
        return BertForMaskedLM if self.pairs == "mlm" else BertForPreTraining

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        return cls(values["pairs"])

    def to_json(self) -> dict[str, Any]:
        return {"pairs": self.pairs}

    def bound(self, tokenizer: BertTokenizer, top_k: int = 5, among: Sequence[str] = ()) -> Self:
        """The same task with a vocabulary to name tokens, and a choice of them.

        Raises:
            BertwrightError: BW524 a word that is not one token of the vocabulary.
        """
        vocabulary = tokenizer.get_vocab()
        ids = []
        for word in among:
            pieces = tokenizer.tokenize(word)
            if len(pieces) != 1 or pieces[0] == tokenizer.unk_token:
                raise BertwrightError("BW524", word=word, pieces=shown(pieces))
            ids.append(vocabulary[pieces[0]])
        token_of = {index: token for token, index in vocabulary.items()}
        tokens = tuple(token_of.get(index, "") for index in range(max(token_of) + 1))
        nameless = tuple(index for index in range(len(tokens)) if index not in token_of)
        # Two words may be one token, such as Paris and paris without capitals: twice it would halve its probability.
        once = tuple(dict.fromkeys(ids))
        return type(self)(self.pairs, tokens, nameless, tokenizer.mask_token_id, top_k, once)

    def scores(self, model: BertWithHead, batch: Ragged) -> Sequence[Tensor]:
        """For each input one row of fp32 numbers: the probability that the pair belongs together (NaN without such a
        head), and then, for each mask, `top_k` ids and their probabilities. The head runs over the masks only.
        """
        assert isinstance(model, BertForMaskedLM)
        encoding = model.bert.encode(batch)
        is_mask = batch.input_ids == self.mask_id
        found = finite(model.predict(encoding.last[is_mask]).float(), model)[:, : len(self.tokens)]  # [M, V]
        found[:, list(self.nameless)] = -torch.inf
        if self.among:
            among = torch.tensor(self.among, device=found.device)
            best, index = found[:, among].softmax(-1).topk(self._named, dim=-1)
            ids = among[index]
        else:
            best, ids = found.softmax(-1).topk(self._named, dim=-1)
        follows = torch.full((batch.batch_size,), torch.nan, device=found.device)
        if isinstance(model, BertForPreTraining):
            pairs = finite(model.nsp(model.bert.pool(encoding, batch)).float(), model)
            follows = pairs.softmax(-1)[:, 0]
        per_mask = torch.stack([ids.double(), best.double()], -1).flatten(1)  # [M, 2 K]; a double holds any id
        counts = [int(part.sum()) for part in torch.split(is_mask, list(batch.lengths))]
        rows = torch.split(per_mask.cpu(), counts)
        return [torch.cat([one[None], row.flatten()]) for one, row in zip(follows.double().cpu(), rows)]

    @property
    def _named(self) -> int:
        """How many tokens are named for each mask."""
        return min(self.top_k, len(self.among) or len(self.tokens) - len(self.nameless))

    def decode(self, scores: Sequence[Tensor], encoded: EncodedTexts) -> list[Prediction]:
        width = 2 * self._named
        answers: list[Prediction] = []
        for row, one, cut in zip(scores, encoded.inputs, encoded.tokens_cut):
            masks = []
            for mask in row[1:].view(-1, width).tolist():
                masks.append(tuple((self.tokens[int(mask[i])], mask[i + 1]) for i in range(0, width, 2)))
            is_pair = bool((one.sequence_ids == 1).any())
            follows = float(row[0]) if is_pair and not torch.isnan(row[0]) else None
            answers.append(FillMaskPrediction(bool(cut), tuple(masks), follows))
        return answers
