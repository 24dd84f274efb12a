"""What holds for any text at all: offsets, batches, pairs, cutting, and no text that makes the tokenizer fall over."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertwright.errors import BertwrightError
from bertwright.text.tokenizer.encoded import Encoded
from tests.text import reference_wordpiece as reference
from tests.text.conftest import tiny_tokenizer

ANY_TEXT = st.text(max_size=60)
# Letters and marks that meet in real text, so that words, accents, Han and vanishing characters really occur.
LIKELY_TEXT = st.text(
    st.sampled_from("abcunfsleth AEÉéñß İΣσςο中国北京人，。！,.'-\u0301\u0323\u200b\u200d\x00\t\n\u3000ａＡ한😀👍🏽12"),
    max_size=40,
)
TEXT = ANY_TEXT | LIKELY_TEXT
steady = settings(deadline=None, max_examples=150)


def of_text(row: Encoded, sequence: int) -> np.ndarray:
    return np.flatnonzero(row.sequence_ids == sequence)


@steady
@given(text=TEXT, lower=st.booleans())
def test_offsets_are_slices_of_the_text_in_order(text: str, lower: bool) -> None:
    (row,) = tiny_tokenizer(lower).encode_batch([text], truncation=False)
    starts, ends = row.offsets[of_text(row, 0)].T
    assert np.all((starts >= 0) & (starts <= ends) & (ends <= len(text)))
    assert np.all(np.diff(starts) >= 0)
    assert np.all(np.diff(ends) >= 0)
    assert np.all(np.diff(row.word_ids[of_text(row, 0)]) >= 0)
    assert row.offsets[row.sequence_ids < 0].tolist() == [[0, 0], [0, 0]]


@steady
@given(text=LIKELY_TEXT)
def test_the_slice_of_a_word_reads_as_that_word(text: str) -> None:
    """Whatever vanished or was changed on the way: the slice, tokenized alone, gives the same word."""
    tokenizer = tiny_tokenizer()
    (row,) = tokenizer.encode_batch([text], truncation=False)
    for word in np.unique(row.word_ids[row.word_ids >= 0]):
        places = np.flatnonzero(row.word_ids == word)
        start, end = row.offsets[places[0]][0], row.offsets[places[-1]][1]
        tokens = tokenizer.convert_ids_to_tokens(row.input_ids[places])
        assert tokenizer.tokenize(text[start:end]) == tokens
        if len(tokens) == 1 and tokens[0] != "[UNK]" and tokens[0].isascii():
            assert reference.words(text[start:end]) == [tokens[0].casefold()]


@steady
@given(texts=st.lists(st.tuples(TEXT, TEXT), max_size=5), room=st.integers(3, 30))
def test_a_batch_is_its_members_one_by_one(texts: list[tuple[str, str]], room: int) -> None:
    tokenizer = tiny_tokenizer()
    firsts, seconds = [first for first, _ in texts], [second for _, second in texts]
    batch = tokenizer.encode_batch(firsts, seconds, max_length=room)
    assert len(batch) == len(texts)
    for row, (first, second) in zip(batch, texts):
        (alone,) = tokenizer.encode_batch([first], [second], max_length=room)
        for field in ("input_ids", "token_type_ids", "offsets", "word_ids", "sequence_ids"):
            assert np.array_equal(getattr(row, field), getattr(alone, field)), field
        assert (row.tokens_cut, row.unknown) == (alone.tokens_cut, alone.unknown)


@steady
@given(first=TEXT, second=st.none() | TEXT, room=st.integers(3, 25))
def test_cutting_keeps_beginnings_and_counts_what_it_takes(first: str, second: str | None, room: int) -> None:
    tokenizer = tiny_tokenizer()
    pairs = None if second is None else [second]
    (whole,) = tokenizer.encode_batch([first], pairs, truncation=False)
    (cut,) = tokenizer.encode_batch([first], pairs, max_length=room)
    assert len(cut) == min(len(whole), room)
    assert cut.tokens_cut == len(whole) - len(cut)
    assert whole.tokens_cut == 0
    assert cut.unknown == np.count_nonzero(cut.input_ids == tokenizer.unk_token_id)
    for sequence in (0, 1):
        kept, there = of_text(cut, sequence), of_text(whole, sequence)
        assert np.array_equal(cut.input_ids[kept], whole.input_ids[there[: len(kept)]])
        assert np.array_equal(cut.offsets[kept], whole.offsets[there[: len(kept)]])


@steady
@given(first=TEXT, second=TEXT)
def test_a_pair_is_its_two_texts_with_special_tokens_around(first: str, second: str) -> None:
    tokenizer = tiny_tokenizer()
    (pair,) = tokenizer.encode_batch([first], [second], truncation=False)
    a, b = (tokenizer.encode(text, add_special_tokens=False) for text in (first, second))
    cls, sep = tokenizer.cls_token_id, tokenizer.sep_token_id
    assert pair.input_ids.tolist() == [cls, *a, sep, *b, sep]
    assert pair.token_type_ids.tolist() == [0] * (len(a) + 2) + [1] * (len(b) + 1)
    assert pair.sequence_ids.tolist() == [-1, *[0] * len(a), -1, *[1] * len(b), -1]
    assert (pair.word_ids < 0).tolist() == (pair.sequence_ids < 0).tolist()


def test_types_of_the_arrays(tiny: object) -> None:
    (row,) = tiny_tokenizer().encode_batch(["the cat"], ["中国"])
    types = [
        getattr(row, field).dtype for field in ("input_ids", "offsets", "word_ids", "token_type_ids", "sequence_ids")
    ]
    assert types == [np.int32, np.int32, np.int32, np.uint8, np.int8]
    assert row.offsets.tolist() == [[0, 0], [0, 3], [4, 7], [0, 0], [0, 1], [1, 2], [0, 0]]
    assert len(row) == 7


def test_unknown_words_are_counted_and_shown_as_written() -> None:
    tokenizer = tiny_tokenizer()
    text = "The Ze\u0301bra sat 镕 on 👍🏽!"
    (row,) = tokenizer.encode_batch([text])
    assert row.unknown == 3
    assert row.slices_of(tokenizer.unk_token_id, text) == ["Ze\u0301bra", "镕", "👍🏽"]
    (pair,) = tokenizer.encode_batch(["a 镕"], ["Ünknown b"])
    assert pair.slices_of(tokenizer.unk_token_id, "a 镕", "Ünknown b") == ["镕", "Ünknown"]


def test_what_vanishes_at_the_end_of_a_word_is_outside_its_slice() -> None:
    """So it is in `transformers`; inside a word it is within the slice."""
    (row,) = tiny_tokenizer().encode_batch(["cat\u0301 ca\u0301t \u200bcat\u200b"])
    assert row.offsets[1:-1].tolist() == [[0, 3], [5, 9], [11, 14]]


@settings(deadline=None, max_examples=60)
@given(before=LIKELY_TEXT, half=st.characters(min_codepoint=0xD800, max_codepoint=0xDFFF, categories=["Cs"]))
def test_half_a_surrogate_pair_is_an_error_with_its_place(before: str, half: str) -> None:
    with pytest.raises(BertwrightError) as caught:
        tiny_tokenizer().encode_batch(["fine", before + half])
    assert caught.value.code == "BW406"
    assert caught.value.fields["where"] == "text[1]"
    assert caught.value.fields["position"] == len(before)
    for call in (tiny_tokenizer().tokenize, tiny_tokenizer()):
        with pytest.raises(BertwrightError, match=f"U\\+{ord(half):04X}"):
            call(before + half)


def test_large_batches_go_through_in_order() -> None:
    tokenizer = tiny_tokenizer()
    texts = [" ".join(["a"] * (index % 7)) for index in range(9_001)] + ["b " * 200_000, "c", "b " * 400_000, "d"]
    rows = tokenizer.encode_batch(texts, max_length=16)
    assert [len(row) for row in rows[:9_001]] == [index % 7 + 2 for index in range(9_001)]
    assert [row.tokens_cut for row in rows[-4:]] == [200_000 - 14, 0, 400_000 - 14, 0]
    assert tokenizer.convert_ids_to_tokens([row.input_ids[1] for row in rows[-4:]]) == ["b", "c", "b", "d"]


def test_one_tokenizer_serves_many_threads() -> None:
    from concurrent.futures import ThreadPoolExecutor

    tokenizer = tiny_tokenizer()
    texts = ["the cat sat on the mat " * n for n in range(1, 30)]

    def encode(room: int) -> list[list[int]]:
        return [row.input_ids.tolist() for row in tokenizer.encode_batch(texts, max_length=room)]

    rooms = list(range(3, 43))
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(encode, rooms)) == [encode(room) for room in rooms]
