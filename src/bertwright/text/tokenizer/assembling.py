"""[CLS] a [SEP], or [CLS] a [SEP] b [SEP], from the tokens that the library gives.

A whole batch of T tokens is laid end to end and computed at once; each `Encoded` is then a view of its part.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding

from bertwright.text.tokenizer.encoded import Encoded

# The five parts of an input: [CLS], first text, [SEP], second text, [SEP].
_SEQUENCE_OF_PART = np.array([-1, 0, -1, 1, -1], dtype=np.int8)
_TYPE_OF_PART = np.array([0, 0, 0, 1, 1], dtype=np.uint8)


@dataclass(frozen=True, slots=True)
class Frame:
    """The ids of the special tokens around the texts; without `around` none are put there. A text that is too long is
    cut at its end, or `at_beginning`.
    """

    cls: int
    sep: int
    unk: int
    around: bool = True
    at_beginning: bool = False

    def count(self, pair: bool) -> int:
        """How many special tokens an input gets."""
        return (3 if pair else 2) if self.around else 0


def assemble(
    firsts: Sequence[Encoding],
    seconds: Sequence[Encoding] | None,
    kept: Sequence[tuple[int, int]],
    frame: Frame,
) -> list[Encoded]:
    """Cut each text to `kept` tokens and put the special tokens around. No text gives no rows."""
    if not firsts:
        return []

    def part(text: Encoding, count: int) -> tuple[Encoding, slice]:
        return text, slice(len(text) - count, None) if frame.at_beginning else slice(count)

    bodies: list[tuple[Encoding, slice]] = []
    for index, (first_kept, second_kept) in enumerate(kept):
        bodies.append(part(firsts[index], first_kept))
        if seconds is not None:
            bodies.append(part(seconds[index], second_kept))

    part_lengths = np.zeros((len(kept), 5), dtype=np.int64)
    part_lengths[:, (1, 3)] = kept
    if frame.around:
        part_lengths[:, (0, 2)] = 1
        part_lengths[:, 4] = seconds is not None
    counts = part_lengths.ravel()
    sequence_ids = _spread(_SEQUENCE_OF_PART, counts)
    type_ids = _spread(_TYPE_OF_PART, counts)
    input_ids = _spread(np.array([frame.cls, 0, frame.sep, 0, frame.sep], dtype=np.int32), counts)
    offsets = np.zeros((len(input_ids), 2), dtype=np.int32)
    word_ids = np.full(len(input_ids), -1, dtype=np.int32)

    in_text = sequence_ids >= 0
    input_ids[in_text] = _joined(body.ids[kept_part] for body, kept_part in bodies)
    word_ids[in_text] = _joined(body.word_ids[kept_part] for body, kept_part in bodies)
    pairs = chain.from_iterable(body.offsets[kept_part] for body, kept_part in bodies)
    offsets[in_text] = np.fromiter(chain.from_iterable(pairs), dtype=np.int32).reshape(-1, 2)

    ends = np.cumsum(part_lengths.sum(axis=1)).tolist()
    unknown_before = np.concatenate([[0], np.cumsum(input_ids == frame.unk)])
    unknown = np.diff(unknown_before[[0, *ends]]).tolist()
    rows = []
    begin = 0
    for index, end in enumerate(ends):
        of_row = slice(begin, end)
        whole = len(firsts[index]) + (len(seconds[index]) if seconds is not None else 0)
        rows.append(
            Encoded(
                input_ids=input_ids[of_row],
                token_type_ids=type_ids[of_row],
                offsets=offsets[of_row],
                word_ids=word_ids[of_row],
                sequence_ids=sequence_ids[of_row],
                tokens_cut=whole - sum(kept[index]),
                unknown=unknown[index],
            )
        )
        begin = end
    return rows


def _spread(of_part: NDArray[Any], counts: NDArray[np.int64]) -> NDArray[Any]:
    """`[T]`: the value of the part in which each token stands."""
    return np.repeat(np.tile(of_part, len(counts) // len(of_part)), counts)


def _joined(lists: Iterable[Sequence[Any]]) -> NDArray[np.int32]:
    """The numbers of all the lists, end to end."""
    return np.fromiter(chain.from_iterable(lists), dtype=np.int32)
