"""Long texts: what is read, what is cut, and that both are counted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertwright import BertTokenizer
from bertwright.data.answers import Label
from bertwright.data.examples import Example, Where
from bertwright.data.windows import EncodedTexts, Reading, encode_examples
from bertwright.errors import BertwrightError

WORDS = [f"w{i}" for i in range(400)]
TOKENIZER = BertTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS], do_lower_case=True)


def example(length: int, other: int | None = None) -> Example:
    """Words w0 w1 …; those of a second text count down from the end of the vocabulary."""
    second = None if other is None else " ".join(WORDS[::-1][:other])
    return Example(" ".join(WORDS[:length]), Label("x"), Where("x", 1), second)


def words_of(encoded: EncodedTexts, index: int, side: int) -> list[str]:
    one = encoded.inputs[index]
    ids = one.input_ids[one.sequence_ids == side]
    return TOKENIZER.convert_ids_to_tokens(ids.tolist())


@given(st.integers(1, 300), st.integers(16, 64), st.integers(0, 5))
@settings(max_examples=150)
def test_windows_cover_every_token_in_order(length: int, max_length: int, overlap: int) -> None:
    encoded = encode_examples(TOKENIZER, [example(length)], Reading(max_length, "window", overlap))
    assert encoded.tokens.tolist() == [length + 2]
    assert encoded.tokens_cut.tolist() == [0]
    assert all(len(one) <= max_length for one in encoded.inputs)
    starts = []
    for index, one in enumerate(encoded.inputs):
        assert one.input_ids[0] == TOKENIZER.cls_token_id
        assert one.input_ids[-1] == TOKENIZER.sep_token_id
        words = words_of(encoded, index, 0)
        start = WORDS.index(words[0])
        assert words == WORDS[start : start + len(words)]
        starts.append((start, start + len(words)))
    assert starts[0][0] == 0
    assert starts[-1][1] == length
    if len(starts) > 1:
        assert all(len(one) == max_length for one in encoded.inputs), "every window is full: the last one looks back"
        assert all(before[1] - after[0] >= overlap for before, after in zip(starts, starts[1:]))
        assert all(before[1] - after[0] == overlap for before, after in zip(starts, starts[1:-1]))


@given(st.integers(1, 200), st.integers(1, 200), st.integers(24, 64), st.integers(0, 8))
@settings(max_examples=150)
def test_windows_of_pairs_read_both_texts_whole(first: int, second: int, max_length: int, overlap: int) -> None:
    encoded = encode_examples(TOKENIZER, [example(first, second)], Reading(max_length, "window", overlap))
    assert all(len(one) <= max_length for one in encoded.inputs)
    longer = int(second > first)
    whole = [WORDS[:first], WORDS[::-1][:second]]
    seen: list[set[str]] = [set(), set()]
    for index, one in enumerate(encoded.inputs):
        assert (one.sequence_ids < 0).sum() == 3
        both = [words_of(encoded, index, side) for side in (0, 1)]
        room = (max_length - 3) // 2
        assert len(both[1 - longer]) == min(len(whole[1 - longer]), room), "the shorter text keeps its room"
        seen = [known | set(words) for known, words in zip(seen, both)]
    assert seen == [set(words) for words in whole]
    stride = room - overlap
    assert len(encoded.inputs) <= 2 + max(first, second) / stride, "linear in the length"
    assert encoded.tokens_cut.tolist() == [0]


def test_of_a_pair_that_is_cut_both_sides_are_counted() -> None:
    encoded = encode_examples(TOKENIZER, [example(100, 60)], Reading(43, "head"))
    assert (len(words_of(encoded, 0, 0)), len(words_of(encoded, 0, 1))) == (20, 20)
    assert encoded.tokens_cut.tolist() == [80 + 40]


@pytest.mark.parametrize(("long", "kept"), [("head", range(18)), ("head+tail", [*range(4), *range(86, 100)])])
def test_cutting_is_counted(long: str, kept: range | list[int]) -> None:
    encoded = encode_examples(TOKENIZER, [example(100), example(5)], Reading(20, long))  # type: ignore[arg-type]
    assert words_of(encoded, 0, 0) == [WORDS[i] for i in kept]
    assert encoded.tokens_cut.tolist() == [82, 0]
    assert encoded.owners.tolist() == [0, 1]


def test_offsets_still_point_into_the_source() -> None:
    text = example(100).text
    for one in encode_examples(TOKENIZER, [example(100)], Reading(20, "window", 4)).inputs:
        slices = [text[start:end] for start, end in one.offsets[1:-1]]
        assert slices == TOKENIZER.convert_ids_to_tokens(one.input_ids[1:-1].tolist())


def test_unknown_tokens_are_counted_by_window() -> None:
    unknown = Example("w1 " * 30 + "zzz " * 3, Label("x"), Where("x", 1))
    encoded = encode_examples(TOKENIZER, [unknown], Reading(20, "window", 2))
    assert [one.unknown for one in encoded.inputs] == [0, 3]


def test_long_texts_can_be_refused() -> None:
    with pytest.raises(BertwrightError, match="BW212: x:1: the text has 102 tokens"):
        encode_examples(TOKENIZER, [example(100)], Reading(20, "error"))


def test_an_overlap_that_does_not_move_on_is_refused() -> None:
    with pytest.raises(BertwrightError, match="BW108"):
        Reading(20, "window", 10)


def test_inputs_of_counts_inputs() -> None:
    encoded = encode_examples(TOKENIZER, [example(5), example(50), example(7)], Reading(20, "window", 4))
    assert encoded.inputs_of.tolist() == [1, 4, 1]
    assert np.array_equal(encoded.owners, [0, 1, 1, 1, 1, 2])


def test_a_single_text_beside_a_pair_is_read_as_if_it_were_alone() -> None:
    examples = [example(2), example(1, 1), example(3), example(4, 0)]
    mixed = encode_examples(TOKENIZER, examples, Reading(32, "head"))
    for one, beside in zip(examples, mixed.inputs):
        alone = encode_examples(TOKENIZER, [one], Reading(32, "head")).inputs[0]
        assert alone.input_ids.tolist() == beside.input_ids.tolist()
        assert alone.token_type_ids.tolist() == beside.token_type_ids.tolist()
