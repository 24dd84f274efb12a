"""The ids of the memo are those of the tokenizer: the oracle of the corpus store."""

from __future__ import annotations

import json
import lzma
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken

from bertwright.corpus.fast_ids import MemoEncoder
from bertwright.text.chinese_words import Segmenter, chinese_segmenter
from bertwright.text.tokenizer.tokenizer import BertTokenizer
from tests.text.conftest import data_file, real_tokenizer, tiny_tokenizer

PLACES = ["pretrain/wikipedia_en.txt.xz", "pretrain/novels_en.txt.xz", "pretrain/wikipedia_zh.txt.xz"]
ODD = "aß中北。a'\u0301\u0300\u3000\u00a0\x0b\x0c\x1c\x85\u200b\u2028\ufeff\ufffd"
ODD += "σΣς①²Ａ…—¡؟;\u037e豈\U00020000𝒜é[]#~^$+\n\t 1"


def ids_of(tokenizer: BertTokenizer, texts: list[str]) -> list[list[int]]:
    return [row.input_ids[1:-1].tolist() for row in tokenizer.encode_batch(texts, truncation=False)]


def by_memo(encoder: MemoEncoder, texts: list[str]) -> list[list[int]]:
    return [np.frombuffer(one, encoder.dtype).tolist() for one in encoder.encode(texts)[0]]


TEXTS = st.lists(
    st.text(alphabet=st.one_of(st.sampled_from(ODD), st.characters(codec="utf-8")), max_size=30), max_size=5
)


@settings(deadline=None)
@given(TEXTS)
@example(["[MASK] a[SEP]b", "x[MASK", "[CLS]"])
@example(["a\x1cb", "a\x85b", "Σίσυφος ΣΑΣ", "e\u0301", "中\u0301文", "“\u0301”", "<\u0338"])
@example(["a" * 101, "##a", "un##aff", "unaffable unaffablec"])
@pytest.mark.parametrize("lower_case", [True, False])
def test_any_text_gets_the_ids_of_the_tokenizer(lower_case: bool, texts: list[str]) -> None:
    tokenizer = tiny_tokenizer(lower_case)
    encoder = MemoEncoder(tokenizer, np.uint16)
    assert encoder.by_chunks
    expected = ids_of(tokenizer, texts)
    assert by_memo(encoder, texts) == expected
    assert by_memo(encoder, texts) == expected, "the second time from memory"


@settings(deadline=None)  # the vocabularies are read first
@given(TEXTS)
def test_real_vocabularies(texts: list[str]) -> None:
    for name in ("bert-base-cased", "bert-base-chinese"):
        tokenizer = real_tokenizer(name)
        assert by_memo(MemoEncoder(tokenizer), texts) == ids_of(tokenizer, texts)


def test_a_small_memory_forgets_and_is_right() -> None:
    tokenizer = tiny_tokenizer()
    encoder = MemoEncoder(tokenizer, entries=4)
    texts = ["the cat sat on the mat", "hello 中国 world", "the hello , . ! ?", "un able cat"]
    for _ in range(3):
        for text in texts:
            assert by_memo(encoder, [text]) == ids_of(tokenizer, [text])


@pytest.mark.parametrize(
    "token",
    [
        AddedToken("new york", normalized=False),
        AddedToken("中国", normalized=False, single_word=True),
        AddedToken("hello", normalized=True),
    ],
    ids=lambda token: token.content,
)
def test_tokens_added_later(tmp_path: Path, token: AddedToken) -> None:
    tiny_tokenizer().save_pretrained(tmp_path)
    tokenizer = BertTokenizer.from_pretrained(tmp_path)
    tokenizer.pipeline.add_tokens([token])
    encoder = MemoEncoder(tokenizer)
    texts = ["new york the new  york", "中国 a中国b 中国。", "HELLO helloworld", "cat new york"]
    expected = [one.ids for one in tokenizer.pipeline.encode_batch(texts, add_special_tokens=False)]
    assert by_memo(encoder, texts) == expected


@pytest.mark.parametrize("change", [{"handle_chinese_chars": False}, {"clean_text": False}])
def test_another_normalizer_is_left_to_the_library(tmp_path: Path, change: dict[str, bool]) -> None:
    tiny_tokenizer().save_pretrained(tmp_path)
    file = tmp_path / "tokenizer.json"
    description = json.loads(file.read_text(encoding="utf-8"))
    description["normalizer"] |= change
    file.write_text(json.dumps(description), encoding="utf-8")
    (tmp_path / "tokenizer_config.json").unlink()
    tokenizer = BertTokenizer.from_pretrained(tmp_path)
    encoder = MemoEncoder(tokenizer)
    assert not encoder.by_chunks
    texts = ["中国 ab 中b", "a\x1cb the cat"]
    assert by_memo(encoder, texts) == ids_of(tokenizer, texts)


def test_words_of_several_han_characters() -> None:
    tokenizer = tiny_tokenizer()
    encoder = MemoEncoder(tokenizer, segmenter=chinese_segmenter(["中国", "北京人"], packaged=False))
    texts = ["中国人 unaffable 北京人中", "中 国", "[MASK]中国"]
    ids, goes_on = encoder.encode(texts)
    assert by_memo(encoder, texts) == ids_of(tokenizer, texts)
    assert [list(marks) for marks in goes_on] == [[0, 1, 0, 0, 0, 0, 0, 1, 1, 0], [0, 0], [0, 0, 0]]
    assert [len(one) // encoder.dtype.itemsize for one in ids] == [len(marks) for marks in goes_on]


def text_of(path: str, size: int) -> list[str]:
    with lzma.open(data_file(path), "rt", encoding="utf-8") as file:
        return file.read(size).split("\n")


@pytest.mark.parametrize("path", PLACES)
def test_real_text(path: str) -> None:
    tokenizer = real_tokenizer("bert-base-chinese" if "zh" in path else "bert-base-cased")
    lines = text_of(path, 400_000)
    assert by_memo(MemoEncoder(tokenizer, np.uint16), lines) == ids_of(tokenizer, lines)


def test_real_chinese_with_the_segmenter() -> None:
    pytest.importorskip("rjieba")
    tokenizer = real_tokenizer("bert-base-chinese")
    lines = text_of("pretrain/wikipedia_zh.txt.xz", 100_000)
    segmenter = chinese_segmenter()
    encoder = MemoEncoder(tokenizer, np.uint16, segmenter)
    ids, goes_on = encoder.encode(lines)
    assert [np.frombuffer(one, np.uint16).tolist() for one in ids] == ids_of(tokenizer, lines)
    for line, marks in zip(lines, goes_on):
        assert runs_of(line, marks) == [mark for run in HAN_RUNS.findall(line) for mark in cut_alone(segmenter, run)]
    assert sum(map(sum, goes_on)) > 10_000


HAN_RUNS = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]+")


def cut_alone(segmenter: Segmenter, run: str) -> list[int]:
    """1 for each character of a run that goes on within a word."""
    return [int(at > 0) for word in segmenter.cut(run) for at in range(len(word))]


def runs_of(text: str, marks: bytes) -> list[int]:
    """The marks of the Han characters of a text, each of which is a token; all others are 0."""
    places = real_tokenizer("bert-base-chinese").encode_batch([text], truncation=False)[0].offsets[1:-1]
    assert len(places) == len(marks)
    is_han = [bool(HAN_RUNS.fullmatch(text[start:end])) for start, end in places.tolist()]
    assert not any(mark for mark, han in zip(marks, is_han) if not han)
    return [mark for mark, han in zip(marks, is_han) if han]


HAN = "北京大学生活我在中国人民图书馆"


@settings(max_examples=40)
@given(st.lists(st.text(alphabet=st.sampled_from(HAN + "a1 ，\n\u3000é"), max_size=40), max_size=6), st.booleans())
def test_runs_that_are_cut_together_are_cut_as_each_alone(texts: list[str], packaged: bool) -> None:
    if packaged:
        pytest.importorskip("rjieba")
    segmenter = chinese_segmenter(["北京大学", "大学生", "民图"], packaged=packaged)
    encoder = MemoEncoder(tokenizer := tiny_tokenizer(), np.uint16, segmenter)
    for _ in range(2):  # the second time partly from memory
        ids, goes_on = encoder.encode(texts)
        assert [np.frombuffer(one, np.uint16).tolist() for one in ids] == ids_of(tokenizer, texts)
        for text, marks in zip(texts, goes_on):
            # Every character of these texts but white space and words of letters is a token of its own.
            chunks = re.findall(f"[{HAN}]+|，|[a1é]+", text)
            tokens = [(chunk, cut_alone(segmenter, chunk) if chunk[0] in HAN else None) for chunk in chunks]
            assert list(marks) == [
                mark for chunk, cut in tokens for mark in (cut or [0] * len(tokenizer.tokenize(chunk)))
            ]  # fmt: skip


def test_long_runs_are_not_remembered() -> None:
    segmenter = chinese_segmenter(["北京大学"], packaged=False)
    encoder = MemoEncoder(tiny_tokenizer(), np.uint16, segmenter)
    encoder.encode(["北京大学" * 50, "北京大学"])
    assert max(map(len, encoder._ids)) == 4
    assert encoder._ids.keys() == encoder._goes_on.keys()
