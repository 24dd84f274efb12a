"""Questions by token, word and character that a batch answers as that of `transformers` does."""

from __future__ import annotations

import copy
import pickle
import random
from typing import Any

import pytest

from bertwright.errors import BertwrightError
from bertwright.text.tokenizer.batch_encoding import BatchEncoding
from bertwright.text.tokenizer.input_places import CharSpan, TokenSpan
from bertwright.text.tokenizer.tokenizer import BertTokenizer

FIRSTS = ["The unaffable cat,  sat. 中国", "hello  world", "Ünaffable [SEP] zebra"]
SECONDS = ["on the mat!", "中国人", "a unaffables b"]


def answers(batch: Any, rows: int) -> list[Any]:
    """What it says of every token, character and word. Of a second text that is not there the peer answers as of the
    first one; ours says `None`.
    """
    got: list[Any] = []
    for row in range(rows):
        size = len(batch["input_ids"][row])
        for token in range(size):
            got += [
                batch.token_to_sequence(row, token),
                batch.token_to_word(row, token),
                batch.token_to_chars(row, token),
            ]
        for sequence in range(batch.n_sequences):
            got += [batch.char_to_token(row, at, sequence) for at in range(32)]
            got += [batch.char_to_word(row, at, sequence) for at in range(32)]
            words = [word for word in range(12) if batch.word_to_tokens(row, word, sequence) is not None]
            got += [batch.word_to_tokens(row, word, sequence) for word in words]
            got += [batch.word_to_chars(row, word, sequence) for word in words]
    return got


@pytest.mark.parametrize("pairs", [None, SECONDS])
@pytest.mark.parametrize("side", ["right", "left"])
def test_every_question_has_the_answer_of_the_peer(
    ours: BertTokenizer, tiny_peer: Any, side: str, pairs: list[str] | None
) -> None:
    ways: list[dict[str, Any]] = [{}, {"padding": True}, {"truncation": True, "max_length": 7}]
    for options in (*ways, {"add_special_tokens": False}):
        given = {**options, "padding_side": side}
        got, expected = ours(FIRSTS, pairs, **given), tiny_peer(FIRSTS, pairs, **given)
        assert answers(got, 3) == answers(expected, 3)
        assert got.n_sequences == expected.n_sequences == (1 if pairs is None else 2)
        assert got.is_fast
        for mine, theirs in zip(got.encodings or (), expected.encodings, strict=True):
            for name in ("ids", "type_ids", "tokens", "offsets", "attention_mask", "special_tokens_mask", "word_ids"):
                assert getattr(mine, name) == getattr(theirs, name)
            assert (mine.sequence_ids, len(mine), mine.n_sequences) == (
                theirs.sequence_ids,
                len(theirs),
                theirs.n_sequences,
            )


def test_words_that_were_given_are_found(ours: BertTokenizer, tiny_peer: Any) -> None:
    """Offsets count within the word, so that the first word with such a character answers."""
    words = [["the", "unaffable", "cat"], ["hello", "中国", "zebra"]]
    got, expected = (one(words, is_split_into_words=True) for one in (ours, tiny_peer))
    assert answers(got, 2) == answers(expected, 2)
    assert got.word_to_tokens(0, 1) == TokenSpan(2, 5)
    assert got.word_to_tokens(1) == got.word_to_tokens(0, 1)
    assert got.word_to_tokens(0, 7) is None


def test_one_number_is_of_the_first_input_and_numbers_count_from_the_end(ours: BertTokenizer) -> None:
    batch = ours("the cat")
    assert batch.char_to_token(4) == 2
    assert batch.char_to_token(3) is None
    assert batch.token_to_chars(2) == CharSpan(4, 7)
    assert batch.token_to_chars(0) is None
    assert batch.token_to_word(-2) == 1
    assert batch.token_to_word(99) is None
    assert batch.word_to_chars(1) == (4, 7)
    assert batch.word_to_chars(5) is None
    assert batch.char_to_word(0, 4) == 1
    assert batch[0].tokens == batch.tokens()
    assert batch[-1].ids == batch["input_ids"]


def test_copies_and_workers_keep_the_answers(ours: BertTokenizer) -> None:
    batch = ours(FIRSTS, SECONDS, padding=True)
    for same in (pickle.loads(pickle.dumps(batch)), copy.copy(batch), copy.deepcopy(batch), batch.copy()):
        assert isinstance(same, BatchEncoding)
        assert same == batch
        assert answers(same, 3) == answers(batch, 3)
    assert len(pickle.dumps(batch)) < 20_000  # the vocabulary does not travel with it
    one = batch.copy()
    one["labels"] = [1]
    assert "labels" not in batch
    assert batch.data == dict(batch)


def test_what_was_padded_later_does_not_know_its_texts(ours: BertTokenizer) -> None:
    batch = ours.pad(ours(FIRSTS))
    assert (batch.is_fast, batch.encodings, batch.n_sequences) == (False, None, None)
    calls: list[Any] = [
        lambda: batch.tokens(),
        lambda: batch.word_ids(),
        lambda: batch.sequence_ids(),
        lambda: batch.char_to_token(1),
        lambda: batch[0],
    ]
    for call in calls:
        with pytest.raises(BertwrightError, match="BW446") as caught:
            call()
        assert caught.value.message("zh")


def test_a_batch_moves_to_a_device_with_the_arguments_of_tensors(ours: BertTokenizer) -> None:
    pytest.importorskip("torch")
    batch = ours(FIRSTS, padding=True, return_tensors="pt")
    batch["names"] = FIRSTS
    assert batch.to("meta", non_blocking=True) is batch
    assert batch["input_ids"].device.type == "meta"
    assert batch["names"] == FIRSTS


def test_an_answer_in_a_long_text_is_found_by_its_characters(ours: BertTokenizer) -> None:
    """Start and end tokens of answers, as programs for question answering look them up."""
    draw = random.Random(2)
    context = " ".join(draw.choices(["the", "unaffable", "cat", "sat", "中国", "zebra"], k=60))
    batch = ours("the cat ?", context)
    for _ in range(50):
        begin = draw.randrange(len(context))
        if context[begin] == " ":
            continue
        token = batch.char_to_token(0, begin, 1)
        assert token is not None
        span = batch.token_to_chars(0, token)
        assert span is not None
        start, end = span
        assert start <= begin < end
        assert batch.sequence_ids(0)[token] == 1
