"""`Encoded`: one text, or a pair of texts, as the S tokens that a model reads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """The tokens of one input, where each came from, and what was lost on the way. Never a pad.

    Attributes:
        input_ids: `[S]` int32 token ids.
        token_type_ids: `[S]` uint8: 0 up to and with the first [SEP], 1 for what follows.
        offsets: `[S, 2]` int32: the token stands for `text[start:end]` of the original text (of the second
            text of a pair where `sequence_ids` is 1); `(0, 0)` for special tokens. Of an input that was given
            as words the offsets count within the word.
        word_ids: `[S]` int32: which word of its text the token belongs to; -1 for special tokens.
        sequence_ids: `[S]` int8: 0 for the first text, 1 for the second, -1 for special tokens.
        tokens_cut: how many tokens cutting took away, both texts together.
        unknown: how many of `input_ids` are [UNK].
    """

    input_ids: NDArray[np.int32]
    token_type_ids: NDArray[np.uint8]
    offsets: NDArray[np.int32]
    word_ids: NDArray[np.int32]
    sequence_ids: NDArray[np.int8]
    tokens_cut: int = 0
    unknown: int = 0

    def __len__(self) -> int:
        """S."""
        return len(self.input_ids)

    @property
    def attention_mask(self) -> NDArray[np.uint8]:
        """`[S]` 1."""
        return np.ones(len(self), dtype=np.uint8)

    @property
    def special_tokens_mask(self) -> NDArray[np.uint8]:
        """`[S]` 1 for a special token, 0 for one of a text."""
        return (self.sequence_ids < 0).astype(np.uint8)

    @property
    def doubt(self) -> str:
        """`empty` or `unknown` where there is no word, or none that the vocabulary knows; else nothing."""
        if self.unknown < len(self) - 3:  # special tokens are two, or three of a pair
            return ""
        words = int((self.sequence_ids >= 0).sum())
        if words == 0:
            return "empty"
        return "unknown" if words == self.unknown else ""

    def slices_of(self, token_id: int, text: str, pair: str | None = None) -> list[str]:
        """The parts of the original texts that became the token `token_id`, in order.

        With the id of [UNK] these are the words that the vocabulary could not spell.
        """
        sources = (text, pair or "")
        hits = np.flatnonzero((self.input_ids == token_id) & (self.sequence_ids >= 0))
        return [sources[self.sequence_ids[at]][slice(*self.offsets[at].tolist())] for at in hits]
