"""A vocabulary from counts: BERT's places, the same every time, and as good as it should be."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

import pytest

from bertwright.errors import BertwrightError
from bertwright.text.tokenizer.tokenizer import BertTokenizer
from bertwright.text.vocabulary.wordpiece_training import PLACES, train_wordpiece, without_room

COUNTS = Counter(
    {
        "low": 50,
        "lower": 30,
        "lowest": 20,
        "new": 60,
        "newer": 25,
        "newest": 22,
        "wide": 18,
        "wider": 9,
        "中": 40,
        "国": 38,
        "字": 2,
        "罕": 1,
        "x\u0301": 3,
        "1": 9,
        "12": 4,
        ".": 90,
        ",": 70,
        "zzz": 1,
    }
)


def test_special_tokens_stand_where_bert_has_them() -> None:
    tokens = train_wordpiece(COUNTS, 200)
    ids = {token: number for number, token in enumerate(tokens)}
    wanted = {"[PAD]": 0, "[UNK]": 100, "[CLS]": 101, "[SEP]": 102, "[MASK]": 103}
    assert {token: ids[token] for token in wanted} == wanted
    assert [ids[f"[unused{number}]"] for number in range(99)] == list(range(1, 100))
    assert len(set(tokens)) == len(tokens)
    characters = [token for token in tokens[len(PLACES) :] if len(token) == 1]
    assert characters == sorted(characters)


def test_frequent_words_become_tokens_and_rare_characters_do_not() -> None:
    tokens = train_wordpiece(COUNTS, 200)
    assert {"low", "new", "newest", "lower", "中", "国", "字"} <= set(tokens)
    assert "罕" not in tokens, "it occurs once"
    small = train_wordpiece(COUNTS, len(PLACES) + 30)
    assert len(small) == len(PLACES) + 30
    assert "new" in small, "the most frequent first"
    assert "newest" not in small


def test_every_frequent_character_can_be_written() -> None:
    tokenizer = BertTokenizer(train_wordpiece(COUNTS, 160), do_lower_case=True)
    for word, count in COUNTS.items():
        if count > 1 and word.isascii():
            assert "[UNK]" not in tokenizer.tokenize(word)


def test_a_size_without_room() -> None:
    with pytest.raises(BertwrightError) as caught:
        train_wordpiece(COUNTS, 104)
    assert caught.value.code == "BW127"
    with pytest.raises(BertwrightError):
        train_wordpiece(Counter({"a": 1}), 300)


def test_what_every_text_may_hold_is_in_the_vocabulary_though_the_corpus_lacks_it() -> None:
    """A novel without a digit: 1920s, 19th and $5 must be readable all the same."""
    novel = Counter({"she": 900, "went": 400, "home": 300, "again": 200})
    tokenizer = BertTokenizer(train_wordpiece(novel, 2000), do_lower_case=True)
    tokens = set(tokenizer.get_vocab())
    assert {chr(code) for code in range(33, 127) if not chr(code).isupper()} <= tokens
    assert {f"##{character}" for character in "0123456789abcdefghijklmnopqrstuvwxyz"} <= tokens
    assert set("，。！？；：（）《》“”‘’…—") <= tokens
    for text in ("the 1920s", "on the 19th", "$5.00 & 10%", "a#b@c.de", "“quoted” — 《書》"[:9]):
        assert "[UNK]" not in tokenizer.tokenize(text), text
    assert "A" not in tokens
    assert {"A", "##Z"} <= set(train_wordpiece(novel, 2000, cased=True))


def test_a_chinese_vocabulary_with_room_has_the_common_characters() -> None:
    chinese = Counter({"天": 50, "气": 40, "好": 30, "ok": 5})
    assert {"龄", "钥", "好"} <= set(train_wordpiece(chinese, 9000))
    assert "龄" not in train_wordpiece(chinese, 3000), "half of the room at most"
    assert "龄" not in train_wordpiece(Counter({"weather": 500, "good": 300, "天": 2}), 9000), "a quotation"


def test_characters_without_room_are_named() -> None:
    chinese = Counter({"天": 50, "气": 40, "好": 30})
    missing = without_room(chinese, train_wordpiece(chinese, 3000))
    assert "龄" in missing
    assert not {"7", "$", "，", "天"} & set(missing)
    assert without_room(chinese, train_wordpiece(chinese, 9000)) == []
    assert {"7", "$"} <= set(without_room(COUNTS, train_wordpiece(COUNTS, 160)))


def test_the_same_in_every_process() -> None:
    code = """
import random, sys
from bertwright.text.vocabulary.wordpiece_training import train_wordpiece
draw = random.Random(3)
words = {"".join(draw.choice("abcdefgh") for _ in range(draw.randint(1, 7))): draw.randint(1, 9) for _ in range(3000)}
print(" ".join(train_wordpiece(words, 600)))
"""
    runs = {subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout for _ in range(3)}
    assert len(runs) == 1


def test_the_order_of_the_counts_does_not_matter() -> None:
    assert train_wordpiece(Counter(dict(sorted(COUNTS.items()))), 180) == train_wordpiece(COUNTS, 180)
