"""[CLS] a [SEP], or [CLS] a [SEP] b [SEP], from the tokens that the library gives.

A whole batch of T tokens is laid end to end and computed at once; each `Encoded` is then a view of its part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding

from bertwright.text.tokenizer.cutting import Part
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


@dataclass(frozen=True, slots=True)
class Cut:
    """What of a text, and of its pair, stands in one input.

    Attributes:
        of: the place of the text among the texts.
        first, second: the parts of the two; `second` is not looked at where there are no pairs.
        lost: how many tokens of both stand in no input.
    """

    of: int
    first: Part
    second: Part = (0, 0)
    lost: int = 0


def assemble(
    firsts: Sequence[Encoding],
    seconds: Sequence[Encoding] | None,
    cuts: Sequence[Cut],
    frame: Frame,
) -> list[Encoded]:
    """An input of each of `cuts`, with the special tokens around. No cut gives no rows."""
    if not cuts:
        return []
    bodies: list[tuple[Encoding, slice]] = []
    for cut in cuts:
        bodies.append((firsts[cut.of], slice(*cut.first)))
        if seconds is not None:
            bodies.append((seconds[cut.of], slice(*cut.second)))

    part_lengths = np.zeros((len(cuts), 5), dtype=np.int64)
    part_lengths[:, 1] = [end - begin for begin, end in (cut.first for cut in cuts)]
    if seconds is not None:
        part_lengths[:, 3] = [end - begin for begin, end in (cut.second for cut in cuts)]
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
    input_ids[in_text] = np.fromiter(chain.from_iterable(_of_bodies(bodies, attrgetter("ids"))), dtype=np.int32)
    word_ids[in_text] = np.fromiter(chain.from_iterable(_of_bodies(bodies, attrgetter("word_ids"))), dtype=np.int32)
    pairs = chain.from_iterable(_of_bodies(bodies, attrgetter("offsets")))
    offsets[in_text] = np.fromiter(chain.from_iterable(pairs), dtype=np.int32).reshape(-1, 2)

    ends = np.cumsum(part_lengths.sum(axis=1)).tolist()
    unknown_before = np.concatenate([[0], np.cumsum(input_ids == frame.unk)])
    unknown = np.diff(unknown_before[[0, *ends]]).tolist()
    rows = []
    begin = 0
    for cut, end, unknown_of_row in zip(cuts, ends, unknown):
        of_row = slice(begin, end)
        rows.append(
            Encoded(
                input_ids=input_ids[of_row],
                token_type_ids=type_ids[of_row],
                offsets=offsets[of_row],
                word_ids=word_ids[of_row],
                sequence_ids=sequence_ids[of_row],
                tokens_cut=cut.lost,
                unknown=unknown_of_row,
            )
        )
        begin = end
    return rows


def _spread(of_part: NDArray[Any], counts: NDArray[np.int64]) -> NDArray[Any]:
    """`[T]`: the value of the part in which each token stands."""
    return np.repeat(np.tile(of_part, len(counts) // len(of_part)), counts)


def _of_bodies(
    bodies: Iterable[tuple[Encoding, slice]], said: Callable[[Encoding], Sequence[Any]]
) -> Iterator[Sequence[Any]]:
    """What the library says of the tokens of each body.

    It makes a new list whenever it is asked: those of the two texts at hand are kept, of which there may be many parts.
    """
    kept: dict[int, Sequence[Any]] = {}
    for text, part in bodies:
        if id(text) not in kept:
            if len(kept) == 2:
                kept.clear()
            kept[id(text)] = said(text)
        yield kept[id(text)][part]
