"""One input as it stands in a batch, pads included, asked by token, by word or by character.

The words are those of the library's own `Encoding`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from bertwright.text.tokenizer.encoded import Encoded
from bertwright.text.tokenizer.tokenizer_files import Side


class CharSpan(NamedTuple):
    """The characters `text[start:end]`."""

    start: int
    end: int


class TokenSpan(NamedTuple):
    """The tokens from `start` up to, and without, `end`."""

    start: int
    end: int


@dataclass(frozen=True, slots=True, eq=False)
class InputPlaces:
    """The S places of one input.

    Attributes:
        ids, type_ids, attention_mask, special_tokens_mask: what the model reads there; a pad is special.
        tokens: the tokens.
        offsets: from where to where each stands in its text; `(0, 0)` for special tokens and pads.
        word_ids, sequence_ids: the word of its text, and which of the two texts it is; `None` for special tokens and
            pads.
        overflowing: always empty: further inputs of a long text stand in the batch beside this one.
    """

    ids: list[int]
    type_ids: list[int]
    attention_mask: list[int]
    special_tokens_mask: list[int]
    tokens: list[str]
    offsets: list[tuple[int, int]]
    word_ids: list[int | None]
    sequence_ids: list[int | None]
    overflowing: list[InputPlaces] = field(default_factory=list)

    def __len__(self) -> int:
        """S."""
        return len(self.ids)

    @property
    def n_sequences(self) -> int:
        """How many texts stand in the input."""
        return 2 if 1 in self.sequence_ids or 1 in self.type_ids else 1

    def token_to_sequence(self, token_index: int) -> int | None:
        """Which of the two texts the token belongs to; `None` for a special token or a pad."""
        return self.sequence_ids[token_index] if self._is_there(token_index) else None

    def token_to_word(self, token_index: int) -> int | None:
        """Which word of its text the token belongs to; `None` for a special token or a pad."""
        return self.word_ids[token_index] if self._is_there(token_index) else None

    def token_to_chars(self, token_index: int) -> CharSpan | None:
        """Where the token stands in its text; `None` for a special token or a pad."""
        return None if self.token_to_sequence(token_index) is None else CharSpan(*self.offsets[token_index])

    def word_to_tokens(self, word_index: int, sequence_index: int = 0) -> TokenSpan | None:
        """The tokens of a word; `None` where it has none here."""
        wanted = (sequence_index, word_index)
        found = [at for at, one in enumerate(zip(self.sequence_ids, self.word_ids)) if one == wanted]
        return TokenSpan(found[0], found[-1] + 1) if found else None

    def word_to_chars(self, word_index: int, sequence_index: int = 0) -> CharSpan | None:
        """Where a word stands in its text; `None` where none of its tokens is here."""
        span = self.word_to_tokens(word_index, sequence_index)
        return None if span is None else CharSpan(self.offsets[span.start][0], self.offsets[span.end - 1][1])

    def char_to_token(self, char_pos: int, sequence_index: int = 0) -> int | None:
        """The token that a character of a text became a part of; `None` for a space, or for what was cut off."""
        for at, (sequence, (start, end)) in enumerate(zip(self.sequence_ids, self.offsets)):
            if sequence == sequence_index and start <= char_pos < end:
                return at
        return None

    def char_to_word(self, char_pos: int, sequence_index: int = 0) -> int | None:
        """The word in which a character of a text stands; `None` for a space, or for what was cut off."""
        token = self.char_to_token(char_pos, sequence_index)
        return None if token is None else self.word_ids[token]

    def _is_there(self, index: int) -> bool:
        return -len(self) <= index < len(self)


class PlacesOfRows(Sequence[InputPlaces]):
    """`InputPlaces` of the B inputs of a batch, each made when it is first asked for.

    Args:
        rows: the inputs.
        widths: how many places each has.
        pad_id: the id of [PAD].
        side: where the pads stand.
        token_of: the token of each id.
    """

    def __init__(
        self, rows: Sequence[Encoded], widths: Sequence[int], pad_id: int, side: Side, token_of: Sequence[str | None]
    ) -> None:
        self._rows, self._widths, self._pad_id = rows, widths, pad_id
        self._side, self._token_of = side, token_of
        self._made: dict[int, InputPlaces] = {}

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, at: int) -> InputPlaces: ...
    @overload
    def __getitem__(self, at: slice) -> list[InputPlaces]: ...
    def __getitem__(self, at: int | slice) -> InputPlaces | list[InputPlaces]:
        if isinstance(at, slice):
            return [self[index] for index in range(len(self))[at]]
        index = range(len(self))[at]
        if index not in self._made:
            self._made[index] = self._make(index)
        return self._made[index]

    def __iter__(self) -> Iterator[InputPlaces]:
        return (self[index] for index in range(len(self)))

    def _make(self, index: int) -> InputPlaces:
        row, width = self._rows[index], self._widths[index]

        def padded(values: NDArray[Any], fill: int) -> list[Any]:
            listed: list[Any] = with_pads(values, width, fill, self._side).tolist()
            return listed

        ids = padded(row.input_ids, self._pad_id)
        return InputPlaces(
            ids=ids,
            type_ids=padded(row.token_type_ids, 0),
            attention_mask=padded(row.attention_mask, 0),
            special_tokens_mask=padded(row.special_tokens_mask, 1),
            tokens=[self._token_of[token_id] or "" for token_id in ids],
            offsets=[(start, end) for start, end in padded(row.offsets, 0)],
            word_ids=[None if word < 0 else word for word in padded(row.word_ids, -1)],
            sequence_ids=[None if text < 0 else text for text in padded(row.sequence_ids, -1)],
        )


def with_pads(values: NDArray[Any], width: int, fill: int, side: Side) -> NDArray[Any]:
    """`[width, …]`: `values` `[S, …]` with `fill` in the places that are missing, on the given side."""
    missing = width - len(values)
    if not missing:
        return values
    pads = np.full((missing, *values.shape[1:]), fill, dtype=values.dtype)
    return np.concatenate([pads, values] if side == "left" else [values, pads])
