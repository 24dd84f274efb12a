"""Calling the tokenizer gives what the fast tokenizer of `transformers` gives: values, shapes, cuts and pads."""

from __future__ import annotations

import copy
import pickle
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bertwright.errors import BertwrightError
from bertwright.text.tokenizer.cutting import kept_lengths
from bertwright.text.tokenizer.tokenizer import BertTokenizer
from tests.text.conftest import real_tokenizer, tiny_tokenizer, vocabulary_file

TEXTS = [
    "The cat sat on the mat.",
    "",
    "hello unaffable  world! 中国",
    "a",
    "Ünknown [SEP] literal[MASK]b [sep] [CLS]",
]
PAIRS = ["on the mat", "hello", "", "中国人 [UNK]", "the cat"]
EVERYTHING: dict[str, Any] = {"return_offsets_mapping": True, "return_special_tokens_mask": True, "return_length": True}


@pytest.fixture(scope="module")
def peer(tiny_file: Path) -> Any:
    transformers = pytest.importorskip("transformers")
    return transformers.BertTokenizerFast(vocab=str(tiny_file), model_max_length=512)


def assert_equal(ours: Any, theirs: Any, rows: int) -> None:
    assert list(ours) == list(theirs)
    for name in theirs:
        assert type(ours[name]) is type(theirs[name]), name
        assert (
            np.array_equal(np.asarray(ours[name]), np.asarray(theirs[name]))
            if hasattr(theirs[name], "shape")
            else ours[name] == theirs[name]
        ), name
    for row in range(rows):
        assert ours.tokens(row) == theirs.tokens(row)
        assert ours.word_ids(row) == theirs.word_ids(row)
        assert ours.sequence_ids(row) == theirs.sequence_ids(row)


@pytest.mark.parametrize(
    "options",
    [
        {},
        EVERYTHING,
        {"add_special_tokens": False, **EVERYTHING},
        {"padding": True, **EVERYTHING},
        {"padding": "longest", "padding_side": "left", **EVERYTHING},
        {"padding": "longest", "pad_to_multiple_of": 8, **EVERYTHING},
        {"padding": "max_length", "max_length": 12, **EVERYTHING},
        {"padding": "max_length", "max_length": 7, "truncation": True, **EVERYTHING},
        {"padding": "max_length", "max_length": 9, "pad_to_multiple_of": 4, **EVERYTHING},
        {"padding": "do_not_pad", "truncation": "only_first", "max_length": 9, **EVERYTHING},
        {"max_length": 5},
        {"return_token_type_ids": False, "return_attention_mask": False},
        {"padding": True, "return_tensors": "pt", **EVERYTHING},
        {"padding": True, "return_tensors": "np", "truncation": True, "max_length": 6, **EVERYTHING},
    ],
    ids=str,
)
class TestSameAsPeer:
    def test_batch(self, peer: Any, options: dict[str, Any]) -> None:
        assert_equal(tiny_tokenizer()(TEXTS, **options), peer(TEXTS, **options), len(TEXTS))

    def test_pairs(self, peer: Any, options: dict[str, Any]) -> None:
        if options.get("truncation") == "only_first":
            options = {**options, "max_length": 14}
        expected = peer(TEXTS, PAIRS, **options)
        assert_equal(tiny_tokenizer()(TEXTS, PAIRS, **options), expected, len(TEXTS))
        tuples = list(zip(TEXTS, PAIRS))
        assert_equal(tiny_tokenizer()(tuples, **options), expected, len(TEXTS))
        assert_equal(tiny_tokenizer()([list(pair) for pair in tuples], **options), expected, len(TEXTS))

    @pytest.mark.parametrize("text", TEXTS)
    def test_single(self, peer: Any, options: dict[str, Any], text: str) -> None:
        assert_equal(tiny_tokenizer()(text, **options), peer(text, **options), 1)
        assert tiny_tokenizer().encode(text, **options) is not None

    def test_single_pair(self, peer: Any, options: dict[str, Any]) -> None:
        assert_equal(tiny_tokenizer()("a b", "c", **options), peer("a b", "c", **options), 1)

    def test_words(self, peer: Any, options: dict[str, Any]) -> None:
        options = {**options, "is_split_into_words": True}
        batch = [["the", "cat's", "中国"], ["", "a b"], []]
        assert_equal(tiny_tokenizer()(batch, **options), peer(batch, **options), 3)
        assert_equal(tiny_tokenizer()(batch[0], **options), peer(batch[0], **options), 1)
        pairs = [["on"], ["mat", "!"], ["b"]]
        if options.get("truncation") != "only_first":
            assert_equal(tiny_tokenizer()(batch, pairs, **options), peer(batch, pairs, **options), 3)
            assert_equal(tiny_tokenizer()(batch[0], pairs[0], **options), peer(batch[0], pairs[0], **options), 1)


def test_every_way_of_cutting(peer: Any) -> None:
    """1,500 random lengths, short ones above all: odd and even room, ties, and cuts that are impossible."""
    draw = random.Random(7)
    refused = 0
    for _ in range(1_500):
        first = "a " * draw.choice([0, 1, 2, 3, 4, 5, 8, 9, 30])
        second = draw.choice([None, "b", "b " * draw.choice([2, 3, 4, 5, 8, 9, 30])])
        strategy = draw.choice(["longest_first", "only_first", "only_second"])
        around = draw.random() < 0.8
        special = 0 if not around else 2 if second is None else 3
        room = special + draw.choice([0, 1, 2, 3, 4, 5, 6, 7, 9, 12, 20])
        options: dict[str, Any] = {"truncation": strategy, "max_length": room, "add_special_tokens": around}
        try:
            expected = peer(first, second, **options)["input_ids"]
        except Exception as error:
            refused += "Truncation error" in str(error)
            with pytest.raises(BertwrightError) as caught:
                tiny_tokenizer()(first, second, **options)
            assert caught.value.code == "BW408"
        else:
            assert tiny_tokenizer()(first, second, **options)["input_ids"] == expected, (first, second, options)
    assert refused > 100


def test_cutting_never_gives_more_than_there_is() -> None:
    for first in range(8):
        for second in range(8):
            for room in range(18):
                kept = kept_lengths(first, second, room, "longest_first")
                assert kept is not None
                a, b = kept
                assert 0 <= a <= first
                assert 0 <= b <= second
                assert a + b == min(room, first + second)


def test_an_empty_second_text_is_still_a_pair() -> None:
    """In `transformers` it is one in a batch only; here one input is treated as it is in a batch."""
    assert tiny_tokenizer()("a", "").tokens() == ["[CLS]", "a", "[SEP]", "[SEP]"]
    assert tiny_tokenizer()(["a"], [""]).tokens() == ["[CLS]", "a", "[SEP]", "[SEP]"]


def test_batch_of_nothing() -> None:
    assert dict(tiny_tokenizer()([])) == {"input_ids": [], "token_type_ids": [], "attention_mask": []}
    assert tiny_tokenizer().encode_batch([]) == []


def test_batch_encoding_is_the_arguments_of_a_model() -> None:
    torch = pytest.importorskip("torch")
    batch = tiny_tokenizer()(["the cat", "a"], padding=True, return_tensors="pt")

    def model(input_ids: Any, token_type_ids: Any, attention_mask: Any) -> Any:
        return input_ids.shape, attention_mask.sum()

    assert model(**batch) == (torch.Size([2, 4]), 7)
    assert batch.input_ids is batch["input_ids"]
    assert batch.input_ids.dtype == torch.int64
    assert len(batch) == 3
    assert batch[:1]["attention_mask"].tolist() == [[1, 1, 1, 1]]
    assert batch.to("meta") is batch
    assert batch.input_ids.device.type == "meta"
    with pytest.raises(AttributeError, match="labels"):
        _ = batch.labels
    for same in (pickle.loads(pickle.dumps(tiny_tokenizer()("the cat"))), copy.deepcopy(tiny_tokenizer()("the cat"))):
        assert same.tokens() == ["[CLS]", "the", "cat", "[SEP]"]
        assert same.word_ids() == [None, 0, 1, None]
        assert same["input_ids"] == tiny_tokenizer().encode("the cat")


def test_tokenizer_can_be_sent_to_another_process() -> None:
    same = pickle.loads(pickle.dumps(tiny_tokenizer()))
    assert same.tokenize("The unaffable cat") == ["the", "un", "##aff", "##able", "cat"]


def test_ids_and_tokens(peer: Any) -> None:
    tokenizer = tiny_tokenizer()
    assert tokenizer.get_vocab() == peer.get_vocab()
    assert (len(tokenizer), tokenizer.vocab_size) == (len(peer), peer.vocab_size)
    for name in ("cls_token", "sep_token", "pad_token", "unk_token", "mask_token"):
        assert getattr(tokenizer, name) == getattr(peer, name)
        assert getattr(tokenizer, f"{name}_id") == getattr(peer, f"{name}_id")
    assert sorted(tokenizer.all_special_ids) == sorted(peer.all_special_ids)
    assert sorted(tokenizer.all_special_tokens) == sorted(peer.all_special_tokens)
    assert tokenizer.model_max_length == 512
    for pair in (False, True):
        assert tokenizer.num_special_tokens_to_add(pair) == peer.num_special_tokens_to_add(pair)
    for tokens in ("cat", "no such", ["cat", "no such", "[MASK]"]):
        assert tokenizer.convert_tokens_to_ids(tokens) == peer.convert_tokens_to_ids(tokens)
    ids = tokenizer.encode("The cat [MASK] 中国")
    assert tokenizer.convert_ids_to_tokens(ids) == peer.convert_ids_to_tokens(ids)
    assert tokenizer.convert_ids_to_tokens(np.array(ids), skip_special_tokens=True) == ["the", "cat", "中", "国"]
    assert tokenizer.convert_ids_to_tokens(ids[1]) == "the"
    assert tokenizer.encode("a", "b") == peer.encode("a", "b")
    for text in TEXTS:
        assert tokenizer.tokenize(text) == peer.tokenize(text)


def test_decoding(peer: Any) -> None:
    tokenizer = tiny_tokenizer()
    draw = random.Random(3)
    batches = [[draw.randrange(len(tokenizer)) for _ in range(draw.randrange(12))] for _ in range(300)]
    for skip in (False, True):
        assert tokenizer.batch_decode(batches, skip) == peer.batch_decode(batches, skip)
        assert tokenizer.decode(batches[1:], skip_special_tokens=skip) == [
            peer.decode(ids, skip_special_tokens=skip) for ids in batches[1:]
        ]
    assert tokenizer.decode(tokenizer.encode("Hello, the cat.")) == "[CLS] hello, the cat. [SEP]"
    assert tokenizer.decode(7) == peer.decode(7)
    assert tokenizer.decode(np.array([[7, 8], [9, 5]])) == ["c d", "e a"]
    assert tokenizer.decode(list(np.array([7, 8]))) == "c d"
    assert tokenizer.decode([np.array([7, 8]), (9, 5)]) == ["c d", "e a"]
    assert tokenizer.decode([]) == ""
    torch = pytest.importorskip("torch")
    assert tokenizer.decode(torch.tensor([7, 8])) == "c d"
    assert tokenizer.batch_decode(torch.tensor([[7, 8]])) == ["c d"]


@pytest.mark.parametrize("name", ["bert-base-uncased", "bert-base-chinese"])
def test_real_vocabulary(name: str, peer_of: Callable[..., Any]) -> None:
    ours, theirs = real_tokenizer(name), peer_of(vocabulary_file(name))
    texts = [*TEXTS, "Łódź's 한국어 👍🏽 ＡＢＣ 臺灣\u200b龜 \U0002a6d6 " + "x" * 101, "İ ß Σ a\u0301 " * 40]
    options: dict[str, Any] = {"padding": True, "truncation": True, "max_length": 64, **EVERYTHING}
    assert_equal(ours(texts, **options), theirs(texts, **options), len(texts))
    assert_equal(ours(texts, texts[::-1], **options), theirs(texts, texts[::-1], **options), len(texts))


@pytest.mark.parametrize(
    ("arguments", "options", "code", "says"),
    [
        ((["a", None],), {}, "BW405", "text[1] is None (NoneType)"),
        ((["a", float("nan"), "b"],), {}, "BW405", "text[1] is nan (float)"),
        ((["a", "b", 3],), {}, "BW405", "text[2] is 3 (int)"),
        ((None,), {}, "BW405", "text is None (NoneType)"),
        ((b"a",), {}, "BW405", "text is b'a' (bytes)"),
        ((np.array(["a"]),), {}, "BW405", "text is array(["),
        (("a", 5), {}, "BW405", "text_pair is 5 (int)"),
        ((["a", "b"], ["c", None]), {}, "BW405", "text_pair[1] is None"),
        (([("a", "b"), "c"],), {}, "BW405", "text[1] is 'c' (str)"),
        (([("a", "b", "c")],), {}, "BW405", "text[0] is ('a', 'b', 'c') (tuple)"),
        (([["a", 5]],), {"is_split_into_words": True}, "BW405", "text[0][1] is 5 (int)"),
        ((["a", 5],), {"is_split_into_words": True}, "BW405", "text[1] is 5 (int)"),
        (([["a"], "b"],), {"is_split_into_words": True}, "BW405", "text[1] is 'b' (str)"),
        ((["a\ud83d"],), {}, "BW406", "text[0] holds half of a surrogate pair (U+D83D at character 1)"),
        (([["a", "\ude00b"]],), {"is_split_into_words": True}, "BW406", "text[0] holds half"),
        ((["a"], ["b\ud83d"]), {}, "BW406", "text_pair[0] holds half"),
        ((["a", "b"], ["c"]), {}, "BW407", "2 texts, but 1 as"),
        ((["a", "b"], "c"), {}, "BW407", "2 texts, but str as"),
        (("a b", "c d"), {"truncation": "only_first", "max_length": 4}, "BW408", "input 0 (2 + 2 tokens)"),
        (("a b",), {"truncation": "only_second", "max_length": 3}, "BW408", "only_second"),
        (("a b",), {"truncation": True, "max_length": 1}, "BW409", "max_length=1"),
        ((["a", "a b"],), {"return_tensors": "pt"}, "BW410", "padding=True"),
        (("a",), {"truncation": "longest"}, "BW411", "truncation='longest'"),
        (("a",), {"padding": "always"}, "BW411", "padding='always'"),
        (("a",), {"padding_side": "top"}, "BW411", "padding_side='top'"),
        (("a",), {"return_tensors": "tf"}, "BW411", "return_tensors='tf'"),
        (
            ("a",),
            {"padding": "max_length", "truncation": True, "max_length": 9, "pad_to_multiple_of": 8},
            "BW412",
            "max_length=9",
        ),
    ],
)
def test_mistakes(arguments: tuple[Any, ...], options: dict[str, Any], code: str, says: str) -> None:
    with pytest.raises(BertwrightError) as caught:
        tiny_tokenizer()(*arguments, **options)
    assert caught.value.code == code
    assert says in caught.value.message("en")
    assert caught.value.message("zh")


def test_encode_batch_takes_any_sequence_and_a_string_is_one_text() -> None:
    given: tuple[Any, ...] = ("a cat", ("a cat",), np.array(["a cat"]))
    for texts in given:
        (row,) = tiny_tokenizer().encode_batch(texts)
        assert row.input_ids.tolist() == tiny_tokenizer().encode("a cat")
    (row,) = tiny_tokenizer().encode_batch("a", "cat")
    assert row.input_ids.tolist() == tiny_tokenizer().encode("a", "cat")


def test_mistakes_of_encode_batch_and_decode() -> None:
    with pytest.raises(BertwrightError, match="BW405") as caught:
        tiny_tokenizer().encode_batch(["a"] * 5_000 + [None])  # type: ignore[list-item]
    assert caught.value.fields["where"] == "text[5000]"
    with pytest.raises(BertwrightError, match="BW408") as caught:
        tiny_tokenizer().encode_batch(["a"] * 5_001, ["b"] * 5_000 + ["b b"], max_length=5, truncation="only_first")
    assert caught.value.fields["index"] == 5_000
    for wrong in (None, ["a", "b"]):
        with pytest.raises(BertwrightError, match="BW405"):
            tiny_tokenizer().tokenize(wrong)  # type: ignore[arg-type]
    for ids in ([-100], [5, 10_000]):
        with pytest.raises(BertwrightError, match="BW413"):
            tiny_tokenizer().decode(ids)
        with pytest.raises(BertwrightError, match="BW413"):
            tiny_tokenizer().convert_ids_to_tokens(ids)


def test_a_text_that_is_too_long_is_said_once(caplog: pytest.LogCaptureFixture, tiny_file: Path) -> None:
    tokenizer = BertTokenizer(tiny_file, do_lower_case=True, model_max_length=8)
    tokenizer(["a " * 7], truncation=True)
    tokenizer.encode_batch(["a " * 70], truncation=False)
    tokenizer("a " * 6)
    assert not caplog.records
    for _ in range(2):
        assert len(tokenizer("a " * 7)["input_ids"]) == 9
    (record,) = caplog.records
    assert record.name == "bertwright"
    assert record.levelname == "WARNING"
    assert "9 tokens exceeds the 8" in record.getMessage()


def test_a_max_length_without_effect_is_said_once(caplog: pytest.LogCaptureFixture, tiny_file: Path) -> None:
    tokenizer = BertTokenizer(tiny_file, do_lower_case=True)
    tokenizer("a b c", padding="max_length", max_length=4)
    tokenizer("a b c", max_length=4)
    assert not caplog.records
    for _ in range(2):
        assert len(tokenizer("a b c", padding=True, max_length=4)["input_ids"]) == 5
    assert "max_length=4 has no effect without truncation=True" in caplog.text
    assert len(caplog.records) == 1


def test_torch_is_imported_only_for_tensors(tiny_file: Path) -> None:
    program = f"""
import sys
from bertwright.text.tokenizer.tokenizer import BertTokenizer
tokenizer = BertTokenizer({str(tiny_file)!r}, do_lower_case=True)
tokenizer.encode_batch(["a"]), tokenizer("a"), tokenizer("a", return_tensors="np")
assert "torch" not in sys.modules and "transformers" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


SMALL_VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "A"]


def test_arguments_that_are_none_are_those_of_the_peer() -> None:
    tokenizer = BertTokenizer(SMALL_VOCABULARY)
    both = tokenizer("a", return_attention_mask=None, return_token_type_ids=None)
    assert set(both) == {"input_ids", "token_type_ids", "attention_mask"}
    assert set(tokenizer("a", return_attention_mask=False, return_token_type_ids=False)) == {"input_ids"}


def test_settings_that_are_changed_are_kept(tmp_path: Path) -> None:
    tokenizer = BertTokenizer(SMALL_VOCABULARY, do_lower_case=False)
    tokenizer.model_max_length = 32
    tokenizer.save_pretrained(tmp_path)
    again = BertTokenizer.from_pretrained(tmp_path)
    assert again.model_max_length == 32
    assert again.tokenize("A") == ["A"]
    assert BertTokenizer.from_pretrained(tmp_path, do_lower_case=True).tokenize("A") == ["a"]
    assert BertTokenizer.from_pretrained(tmp_path, model_max_length=16, padding_side="left").padding_side == "left"
    with pytest.raises(BertwrightError, match="BW411.*do_upper_case"):
        BertTokenizer.from_pretrained(tmp_path, do_upper_case=True)
