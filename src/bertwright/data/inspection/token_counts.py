"""How long texts are in tokens, and which of their tokens the vocabulary does not know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from bertwright.data.examples import Example, Where, half_pairs_placed
from bertwright.data.windows import EncodedTexts
from bertwright.text.tokenizer.encoded import Encoded
from bertwright.text.tokenizer.tokenizer import BertTokenizer

_TEXTS_AT_ONCE = 2048
_PIECES_KEPT = 20


@dataclass(frozen=True, slots=True)
class TokenCounts:
    """Lengths count special tokens.

    Attributes:
        tokens: of all texts together.
        median, p95, longest: lengths of texts.
        longest_at: the place of the longest one.
        limit: the longest input of the model.
        long: places of texts beyond it.
        beyond: tokens beyond it, all texts together.
        unknown: tokens that are [UNK].
        read: tokens among which these were counted: those that windows share as often as they are read.
        pieces: what became [UNK] the most often, with counts.
        empty: places of texts without a token.
        unreadable: places of texts of which every token is [UNK].
    """

    tokens: int
    median: int
    p95: int
    longest: int
    longest_at: Where
    limit: int
    long: tuple[Where, ...]
    beyond: int
    unknown: int
    read: int
    pieces: tuple[tuple[str, int], ...]
    empty: tuple[Where, ...] = ()
    unreadable: tuple[Where, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """A JSON object; places as text."""
        return {
            **{
                name: getattr(self, name)
                for name in ("tokens", "median", "p95", "longest", "limit", "beyond", "unknown", "read")
            },
            "longest_at": str(self.longest_at),
            "long": len(self.long),
            "pieces": dict(self.pieces),
            "empty": len(self.empty),
            "unreadable": len(self.unreadable),
        }


def count_tokens(tokenizer: BertTokenizer, examples: Sequence[Example], limit: int) -> TokenCounts:
    """Encode the whole texts, some at a time, and count."""
    lengths: list[int] = []

    def encoded() -> Iterable[tuple[Example, Encoded]]:
        for start in range(0, len(examples), _TEXTS_AT_ONCE):
            part = examples[start : start + _TEXTS_AT_ONCE]
            pairs = [one.text_b or "" for one in part] if any(one.text_b is not None for one in part) else None
            with half_pairs_placed(part):
                inputs = tokenizer.encode_batch([one.text for one in part], pairs, truncation=False)
            for one, whole in zip(part, inputs):
                lengths.append(len(whole))
                yield one, whole

    unread = _Unread.of(encoded(), tokenizer.unk_token_id)
    return _counts(examples, lengths, limit, unread, sum(lengths))


def counts_of(tokenizer: BertTokenizer, examples: Sequence[Example], encoded: EncodedTexts, limit: int) -> TokenCounts:
    """The same from inputs that were made already; tokens that windows share are counted in each of them."""
    inputs = ((examples[owner], one) for owner, one in zip(encoded.owners, encoded.inputs))
    unread = _Unread.of(inputs, tokenizer.unk_token_id)
    return _counts(examples, encoded.tokens.tolist(), limit, unread, sum(map(len, encoded.inputs)))


@dataclass(frozen=True, slots=True)
class _Unread:
    """What of some inputs the vocabulary does not know."""

    count: int
    pieces: Counter[str]
    places: dict[str, list[Where]]  # by the doubt

    @classmethod
    def of(cls, inputs: Iterable[tuple[Example, Encoded]], unknown_id: int) -> Self:
        pieces: Counter[str] = Counter()
        places: dict[str, list[Where]] = {}
        count = 0
        for example, one in inputs:
            if one.unknown:
                count += one.unknown
                pieces.update(one.slices_of(unknown_id, example.text, example.text_b))
            if one.doubt:
                places.setdefault(one.doubt, []).append(example.where)
        return cls(count, pieces, places)


def _counts(examples: Sequence[Example], lengths: Sequence[int], limit: int, unread: _Unread, read: int) -> TokenCounts:
    array = np.array(lengths)
    median, p95 = np.percentile(array, [50, 95]).tolist()
    longest = int(array.argmax())
    return TokenCounts(
        tokens=int(array.sum()),
        median=round(median),
        p95=round(p95),
        longest=int(array[longest]),
        longest_at=examples[longest].where,
        limit=limit,
        long=tuple(examples[index].where for index in np.flatnonzero(array > limit).tolist()),
        beyond=int(np.maximum(array - limit, 0).sum()),
        unknown=unread.count,
        read=read,
        pieces=tuple(unread.pieces.most_common(_PIECES_KEPT)),
        empty=tuple(dict.fromkeys(unread.places.get("empty", ()))),
        unreadable=tuple(dict.fromkeys(unread.places.get("unknown", ()))),
    )
