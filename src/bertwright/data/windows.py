"""Texts as the inputs that a model reads: one each, or several overlapping windows where a text is long.

Shapes: N inputs, K texts, S tokens of an input.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bertwright.data.examples import Example, half_pairs_placed
from bertwright.errors import BertwrightError
from bertwright.text.tokenizer.encoded import Encoded
from bertwright.text.tokenizer.tokenizer import BertTokenizer
from bertwright.wording import Phrase

Long = Literal["window", "head", "head+tail", "error"]
LONGER_TEXTS: dict[Long, Phrase] = {
    "window": Phrase("they are read in overlapping windows"),
    "head": Phrase("only their beginning is read"),
    "head+tail": Phrase("only their beginning and their end are read"),
    "error": Phrase("they are refused"),
}


@dataclass(frozen=True, slots=True)
class EncodedTexts:
    """K texts as N ≥ K inputs.

    Attributes:
        inputs: each at most as long as the model may read.
        owners: `[N]` int64: the text that each input is of; in order, every text at least once.
        tokens: `[K]` int64: tokens of each whole text, special ones included.
        tokens_cut: `[K]` int64: tokens of each text that none of its inputs holds.
    """

    inputs: list[Encoded]
    owners: NDArray[np.int64]
    tokens: NDArray[np.int64]
    tokens_cut: NDArray[np.int64]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """`[N]` tokens of each input."""
        return np.array([len(one) for one in self.inputs], dtype=np.int64)

    @property
    def inputs_of(self) -> NDArray[np.int64]:
        """`[K]` number of inputs of each text."""
        return np.bincount(self.owners, minlength=len(self.tokens))


@dataclass(frozen=True, slots=True)
class Reading:
    """How much of a text is read, and how.

    Attributes:
        max_length: tokens of an input, special ones included.
        long: what happens to longer texts: `window` reads all of them in overlapping windows (of a pair whose
            texts are both long: in windows over both); `head` keeps the
            beginning; `head+tail` keeps a quarter of the room for the beginning and the rest for the end (Sun
            et al. 2019, section 5.3.1); `error` refuses them.
        overlap: tokens that neighbouring windows share.

    Raises:
        BertwrightError: BW108 an overlap that leaves a window no room.
    """

    max_length: int
    long: Long = "window"
    overlap: int = 128

    def __post_init__(self) -> None:
        # A window of a pair holds at least half of its room for the side that is cut into windows.
        if self.long == "window" and not 0 <= self.overlap < (self.max_length - 3) // 2:
            raise BertwrightError("BW108", overlap=self.overlap, max_length=self.max_length)


def encode_examples(tokenizer: BertTokenizer, examples: Sequence[Example], reading: Reading) -> EncodedTexts:
    """The inputs of every example; single texts and pairs may stand beside each other.

    Raises:
        BertwrightError: BW212 for a text that is too long where `reading.long` is `error`; BW406 half a surrogate
            pair.
    """
    whole: dict[int, Encoded] = {}
    # The two kinds apart: beside a pair a single text would get the second [SEP] of a pair.
    for is_pair in (False, True):
        places = [place for place, example in enumerate(examples) if (example.text_b is not None) == is_pair]
        texts = [examples[place].text for place in places]
        pairs = [examples[place].text_b or "" for place in places] if is_pair else None
        with half_pairs_placed(examples):
            whole |= zip(places, tokenizer.encode_batch(texts, pairs, truncation=False))
    return read_in_parts([whole[place] for place in range(len(examples))], examples, reading, tokenizer.unk_token_id)


def read_in_parts(
    whole: Sequence[Encoded], examples: Sequence[Example], reading: Reading, unknown_id: int
) -> EncodedTexts:
    """The inputs of examples that are encoded as a whole; raises BW212 as `encode_examples`."""
    inputs: list[Encoded] = []
    owners: list[int] = []
    cut = np.zeros(len(whole), dtype=np.int64)
    for index, one in enumerate(whole):
        parts = [one]
        if len(one) > reading.max_length:
            if reading.long == "error":
                where = examples[index].where
                raise BertwrightError("BW212", where=where, tokens=len(one), limit=reading.max_length)
            parts, cut[index] = _shorten(one, reading, unknown_id)
        inputs += parts
        owners += [index] * len(parts)
    tokens = np.array([len(one) for one in whole], dtype=np.int64)
    return EncodedTexts(inputs, np.array(owners, dtype=np.int64), tokens, cut)


def _shorten(one: Encoded, reading: Reading, unknown_id: int) -> tuple[list[Encoded], int]:
    """The inputs of a long text or pair, and how many of its tokens none of them holds."""
    sides = [np.flatnonzero(one.sequence_ids == side) for side in (0, 1)]
    is_pair = len(one) - len(sides[0]) - len(sides[1]) == 3
    room = reading.max_length - (3 if is_pair else 2)
    longer = int(len(sides[1]) > len(sides[0]))
    body, other = sides[longer], sides[1 - longer]
    # The shorter text of a pair is read whole, unless it leaves the longer one less than half of the room.
    other_room = min(len(other), room // 2)
    room -= other_room
    lost = 0
    if reading.long == "window":
        chosen = _windows(body, room, reading.overlap)
        others = _windows(other, other_room, reading.overlap)
    else:
        head = room if reading.long == "head" else room // 4
        chosen = [np.concatenate([body[:head], body[len(body) - (room - head) :]])]
        others = [other[:other_room]]
        lost = len(body) - room + len(other) - other_room
    special = np.flatnonzero(one.sequence_ids < 0)
    # Both go on together, so that the cost stays linear in the length: beginning beside beginning, end beside end.
    count = max(len(chosen), len(others))
    beside = [(chosen[i * len(chosen) // count], others[i * len(others) // count]) for i in range(count)]
    kept = [np.sort(np.concatenate([special, *both])) for both in beside]
    return [_pick(one, index, lost, unknown_id) for index in kept], lost


def _windows(tokens: NDArray[np.int64], room: int, overlap: int) -> list[NDArray[np.int64]]:
    """The tokens in windows of `room`; the last one ends with the text."""
    last = len(tokens) - room
    starts = [*range(0, last, room - overlap), last] if last > 0 else [0]
    return [tokens[start : start + room] for start in starts]


def _pick(one: Encoded, index: NDArray[np.int64], lost: int, unknown_id: int) -> Encoded:
    ids = one.input_ids[index]
    return Encoded(
        ids,
        one.token_type_ids[index],
        one.offsets[index],
        one.word_ids[index],
        one.sequence_ids[index],
        tokens_cut=lost,
        unknown=int((ids == unknown_id).sum()),
    )
