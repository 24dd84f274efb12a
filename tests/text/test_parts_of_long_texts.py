"""`stride` and `return_overflowing_tokens`: a long text in parts, as the tokenizer of `transformers` gives them."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from bertwright.errors import BertwrightError
from bertwright.text.tokenizer.tokenizer import BertTokenizer

WORDS = ["the", "cat", "sat", "on", "mat", "hello", "unaffable", "world", "中国", ",", ".", "zebra"]
EVERYTHING: dict[str, Any] = {
    "return_overflowing_tokens": True,
    "return_offsets_mapping": True,
    "return_special_tokens_mask": True,
    "return_length": True,
}


def room_for_both(ours: BertTokenizer, first: str, second: str | None, options: dict[str, Any]) -> bool:
    """Whether a part of each text holds more than the stride: elsewhere the peer's library panics."""
    size, stride = len(ours.tokenize(first)), options["stride"]
    special = 0 if not options["add_special_tokens"] else 2 if second is None else 3
    room = options["max_length"] - special
    other = 0 if second is None else len(ours.tokenize(second))
    if options["truncation"] == "longest_first":
        least = room if second is None else min(room // 2, size, other)
        return least > stride
    kept = room - other if options["truncation"] == "only_first" else room - size
    return kept > stride


def test_random_texts_are_cut_into_the_parts_of_the_peer(ours: BertTokenizer, tiny_peer: Any) -> None:
    """Single texts and pairs, all three strategies, both sides, with and without pads and special tokens."""
    draw = random.Random(5)

    def text() -> str:
        return " ".join(draw.choices(WORDS, k=draw.choice([1, 2, 3, 5, 8, 13, 30])))

    parts = 0
    for _ in range(900):
        first, second = text(), text() if draw.random() < 0.5 else None
        options = {
            "truncation": draw.choice(["longest_first", "only_first", "only_second" if second else "only_first"]),
            "max_length": draw.choice([5, 6, 8, 10, 12, 20]),
            "stride": draw.choice([0, 0, 1, 2, 3]),
            "padding": draw.choice([False, True, "max_length"]),
            "add_special_tokens": draw.random() < 0.85,
            **EVERYTHING,
        }
        if not room_for_both(ours, first, second, options):
            continue
        for tokenizer in (ours, tiny_peer):
            tokenizer.truncation_side = "left" if len(first) % 2 else "right"
            tokenizer.padding_side = "left" if len(first) % 3 else "right"
        texts, pairs = [first, "the cat"], None if second is None else [second, "mat"]
        if options["truncation"] != "longest_first" or options["max_length"] < 8 or draw.random() < 0.3:
            texts, pairs = first, second  # type: ignore[assignment]
        got, expected = ours(texts, pairs, **options), tiny_peer(texts, pairs, **options)
        assert dict(got) == dict(expected), (first, second, options)
        assert list(got) == list(expected)
        for row in range(len(expected["input_ids"])):
            assert got.tokens(row) == expected.tokens(row)
            assert got.sequence_ids(row) == expected.sequence_ids(row)
            assert got.word_ids(row) == expected.word_ids(row)
        parts += len(got["input_ids"])
    assert parts > 2_000


def test_every_token_of_a_text_stands_in_a_part_and_neighbours_share_the_stride(ours: BertTokenizer) -> None:
    text = " ".join(WORDS[at % len(WORDS)] for at in range(97))
    for side in ("right", "left"):
        ours.truncation_side = side
        batch = ours(text, truncation=True, max_length=12, stride=4, **EVERYTHING)
        bodies = [[one for one in row if one != (0, 0)] for row in batch["offset_mapping"]]
        if side == "left":
            bodies.reverse()
        together = bodies[0] + [one for before, body in zip(bodies, bodies[1:]) for one in body if one not in before]
        assert together == ours(text, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
        full = [body for body in bodies if len(body) == 10]
        assert all(before[-4:] == after[:4] for before, after in zip(full, full[1:]))


def test_features_for_question_answering_find_every_answer(ours: BertTokenizer) -> None:
    """The loop over `overflow_to_sample_mapping` and `sequence_ids` that programs for SQuAD have."""
    questions, contexts = ["the cat ?", "world ?"], ["hello world " * 9 + "the cat sat on the mat", "hello world"]
    answers = ["cat sat", "world"]
    features = ours(
        questions,
        contexts,
        truncation="only_second",
        max_length=14,
        stride=3,
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
        padding="max_length",
    )
    mapping = features.pop("overflow_to_sample_mapping")
    assert mapping == sorted(mapping)
    assert mapping.count(1) == 1
    found: set[tuple[int, str]] = set()
    for row, offsets in enumerate(features["offset_mapping"]):
        sample = mapping[row]
        begin = contexts[sample].index(answers[sample])
        context = [at for at, sequence in enumerate(features.sequence_ids(row)) if sequence == 1]
        starts = [at for at in context if offsets[at][0] == begin]
        ends = [at for at in context if offsets[at][1] == begin + len(answers[sample])]
        if starts and ends:
            found.add((sample, contexts[sample][offsets[starts[0]][0] : offsets[ends[0]][1]]))
    assert found == {(0, "cat sat"), (1, "world")}
    assert all(len(row) == 14 for row in features["input_ids"])


def test_tensors_of_parts_and_the_text_of_each(ours: BertTokenizer) -> None:
    torch = pytest.importorskip("torch")
    texts = ["the cat sat on the mat", "hello"]
    options: dict[str, Any] = {"truncation": True, "max_length": 5, "padding": True, "return_overflowing_tokens": True}
    batch = ours(texts, return_tensors="pt", **options)
    assert batch["input_ids"].shape == (3, 5)
    assert batch["overflow_to_sample_mapping"].tolist() == [0, 0, 1]
    assert batch["overflow_to_sample_mapping"].dtype == torch.int64
    assert isinstance(ours(texts, return_tensors="np", **options)["overflow_to_sample_mapping"], np.ndarray)
    assert ours("hello", return_overflowing_tokens=True)["overflow_to_sample_mapping"] == [0]
    assert ours("hello", return_overflowing_tokens=True)["input_ids"] == [ours.encode("hello")]


@pytest.mark.parametrize(
    ("texts", "options"),
    [
        (("a",), {"max_length": 6, "stride": 5}),
        (("a b c d e",), {"max_length": 6, "stride": 4}),
        (("a b c d e",), {"max_length": 2}),
        (("a b c d e", "a b c d e"), {"max_length": 7, "stride": 2}),
        (("a b", "a b c d e"), {"max_length": 8, "stride": 3, "truncation": "only_second"}),
        (("a b c d e",), {"max_length": 6, "stride": -1}),
    ],
)
def test_a_stride_without_room_for_a_new_token_is_refused(
    ours: BertTokenizer, texts: tuple[str, ...], options: dict[str, Any]
) -> None:
    """The peer's library panics, or gives inputs that are longer than `max_length`."""
    options = {"truncation": True, "return_overflowing_tokens": True, **options}
    with pytest.raises(BertwrightError, match="BW441") as caught:
        ours(*texts, **options)
    assert isinstance(caught.value, ValueError)
    assert str(options.get("stride", 0)) in caught.value.message("zh")
