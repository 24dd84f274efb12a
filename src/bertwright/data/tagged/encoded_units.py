"""Texts as inputs of a tagger: every unit is a word of its own, and its first piece speaks for it.

Shapes: N inputs, K texts, S tokens of an input, W units of a text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bertwright.data.examples import Example, half_pairs_placed
from bertwright.data.tagged.units import Unit, units_of
from bertwright.data.windows import EncodedTexts, Reading, read_in_parts
from bertwright.text.tokenizer.encoded import Encoded
from bertwright.text.tokenizer.tokenizer import BertTokenizer

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class EncodedUnits(EncodedTexts):
    """K texts as N inputs.

    The `word_ids` of an input count the units of its text, and only the first piece of a unit has one: other pieces,
    like special tokens, have -1.

    Attributes:
        units: of each text, `[W, 2]` places of its units.
        texts: as the user wrote them.
    """

    units: list[Ints]
    texts: list[str]


@dataclass(frozen=True, slots=True)
class Choice:
    """Where the units of one text are read from.

    Attributes:
        inputs: `[W]` the input of each unit; -1 where none holds it, because the text was cut.
        positions: `[W]` the place of its first piece in that input.
    """

    inputs: Ints
    positions: Ints


def encode_units(tokenizer: BertTokenizer, examples: Sequence[Example], unit: Unit, reading: Reading) -> EncodedUnits:
    """The inputs of every example.

    A unit of which the tokenizer leaves nothing (control characters, a lone mark) becomes [UNK], so that every unit
    has a piece.

    Raises:
        BertwrightError: BW212 for a text that is too long where `reading.long` is `error`; BW406 half a surrogate
            pair.
    """
    units = [units_of(example.text, unit) for example in examples]
    words = [[example.text[start:end] for start, end in one.tolist()] for example, one in zip(examples, units)]
    with half_pairs_placed(examples):
        whole = tokenizer.encode_batch(words, truncation=False, is_split_into_words=True)
    whole = [_of_units(one, places, tokenizer.unk_token_id) for one, places in zip(whole, units)]
    parts = read_in_parts(whole, examples, reading, tokenizer.unk_token_id)
    return EncodedUnits(
        parts.inputs, parts.owners, parts.tokens, parts.tokens_cut, units, [one.text for one in examples]
    )


def _of_units(one: Encoded, units: Ints, unknown_id: int) -> Encoded:
    """The same input with places in the text, with a piece for every unit, and with word ids at first pieces only."""
    word_ids = one.word_ids.astype(np.int64)
    missing = np.setdiff1d(np.arange(len(units)), word_ids)
    if len(missing):
        # Each goes before the first piece of a later unit, the last ones before [SEP].
        keys = np.where(word_ids < 0, len(units), word_ids)
        keys[0] = -1
        at = np.searchsorted(keys, missing)
        one = replace(
            one,
            input_ids=np.insert(one.input_ids, at, unknown_id),
            token_type_ids=np.insert(one.token_type_ids, at, 0),
            offsets=np.insert(one.offsets, at, np.zeros(2, dtype=np.int32), axis=0),
            sequence_ids=np.insert(one.sequence_ids, at, 0),
            unknown=one.unknown + len(missing),
        )
        # The whole unit is what is unknown.
        word_ids = np.insert(word_ids, at, missing)
        inserted = at + np.arange(len(missing))
        one.offsets[inserted] = np.stack([np.zeros(len(missing)), np.diff(units[missing], axis=1)[:, 0]], 1)
    in_text = word_ids >= 0
    offsets = one.offsets.copy()
    offsets[in_text] += units[word_ids[in_text], :1].astype(np.int32)
    first = in_text & (np.diff(word_ids, prepend=-2) != 0)
    return replace(one, offsets=offsets, word_ids=np.where(first, word_ids, -1).astype(np.int32))


def choose_inputs(encoded: EncodedUnits) -> list[Choice]:
    """For each unit the input in which it has most context: most tokens on the side where it has fewer.

    The beginning and the end of the text take nothing away from it.
    """
    choices = []
    ends = np.cumsum(encoded.inputs_of)
    for units, begin, end in zip(encoded.units, ends - encoded.inputs_of, ends):
        count = len(units)
        context = np.full(count, -1.0)
        choice = Choice(np.full(count, -1, dtype=np.int64), np.zeros(count, dtype=np.int64))
        for index in range(begin, end):
            word_ids = encoded.inputs[index].word_ids
            positions = np.flatnonzero(word_ids >= 0)
            held = word_ids[positions]
            before = positions.astype(np.float64)
            after = len(word_ids) - 1 - before
            if len(held) and held[0] == 0:
                before[:] = np.inf
            if len(held) and held[-1] == count - 1:
                after[:] = np.inf
            here = np.minimum(before, after)
            better = here > context[held]
            context[held[better]] = here[better]
            choice.inputs[held[better]] = index
            choice.positions[held[better]] = positions[better]
        choices.append(choice)
    return choices
