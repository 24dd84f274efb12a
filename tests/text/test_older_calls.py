"""What programs for versions 3 and 4 of `transformers` ask of a tokenizer, and how they load and save one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import bertwright
from bertwright.errors import BertwrightError
from bertwright.text.tokenizer.tokenizer import BertTokenizer, BertTokenizerFast
from tests.text.conftest import TINY

PAIR = ("the cat sat on the mat", "hello unaffable world")


def test_a_call_has_its_older_names(ours: BertTokenizer) -> None:
    options: dict[str, Any] = {"max_length": 9, "padding": "max_length", "truncation": True, "return_tensors": "pt"}
    for got, expected in (
        (ours.encode_plus(*PAIR, **options), ours(*PAIR, **options)),
        (ours.batch_encode_plus(list(PAIR), **options), ours(list(PAIR), **options)),
        (ours.batch_encode_plus([PAIR, PAIR], **options), ours([PAIR, PAIR], **options)),
    ):
        assert list(got) == list(expected)
        assert all((got[name] == expected[name]).all() for name in expected)
    with ours.as_target_tokenizer():
        assert ours("a") == ours(text_target="a")
    both = ours("a b", text_target="the cat", max_target_length=3)
    assert both["labels"] == ours.encode("the cat", max_length=3)
    assert both["input_ids"] == ours.encode("a b")


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ({"pad_to_max_length": True, "max_length": 9}, {"padding": "max_length", "truncation": True, "max_length": 9}),
        ({"pad_to_max_length": True, "max_length": 4}, {"padding": "max_length", "truncation": True, "max_length": 4}),
        ({"pad_to_max_length": True}, {"padding": "longest"}),
        ({"pad_to_max_length": False}, {}),
        ({"truncation_strategy": "longest_first", "max_length": 5}, {"truncation": True, "max_length": 5}),
        (
            {"truncation_strategy": "only_first", "truncation": True, "max_length": 5},
            {"truncation": True, "max_length": 5},
        ),
    ],
)
def test_older_words_of_a_call(ours: BertTokenizer, older: dict[str, Any], newer: dict[str, Any]) -> None:
    assert ours(list(PAIR), **older) == ours(list(PAIR), **newer)


def test_a_text_that_was_cut_into_tokens_or_ids_is_one_input(ours: BertTokenizer) -> None:
    first, second = (ours.tokenize(text) for text in PAIR)
    for cut in (lambda tokens: tokens, ours.convert_tokens_to_ids):
        assert ours.encode_plus(cut(first)) == ours(PAIR[0])
        assert ours.encode_plus(cut(first), cut(second)) == ours(*PAIR)
        assert ours.encode_plus(cut(first), PAIR[1]) == ours(*PAIR)
        options: dict[str, Any] = {"max_length": 8, "truncation": "only_first", "padding": "max_length"}
        assert ours.encode_plus(cut(first), **options) == ours(PAIR[0], **options)
        tensors = ours.encode_plus(cut(first), return_tensors="pt")
        assert tensors["input_ids"].tolist() == [ours.encode(PAIR[0])]
    words = ["The", "unaffable"]
    assert ours.encode_plus(words, is_split_into_words=True) == ours(words, is_split_into_words=True)


def test_ids_become_an_input(ours: BertTokenizer) -> None:
    first, second = (ours.convert_tokens_to_ids(ours.tokenize(text)) for text in PAIR)
    everything: dict[str, Any] = {"return_special_tokens_mask": True, "return_length": True}
    got = ours.prepare_for_model(first, second, **everything)
    assert got == ours(*PAIR, return_special_tokens_mask=True) | {"length": 14}
    assert ours.prepare_for_model(first, second, add_special_tokens=False)["token_type_ids"] == [0] * 11
    short = ours.prepare_for_model(
        first, max_length=5, truncation=True, stride=1, return_overflowing_tokens=True, padding=True
    )
    assert short["input_ids"] == ours.encode(PAIR[0], max_length=5)
    assert short["overflowing_tokens"] == first[2:]
    assert short["num_truncated_tokens"] == 3
    assert ours.prepare_for_model(first)["input_ids"] == ours.build_inputs_with_special_tokens(first)
    assert ours.build_inputs_with_special_tokens(first, second) == ours.encode(*PAIR)
    assert ours.create_token_type_ids_from_sequences(first, second) == ours(*PAIR)["token_type_ids"]
    for mask in (
        ours.get_special_tokens_mask(first, second),
        ours.get_special_tokens_mask(ours.encode(*PAIR), already_has_special_tokens=True),
    ):
        assert mask == ours(*PAIR, return_special_tokens_mask=True)["special_tokens_mask"]
    with pytest.raises(BertwrightError, match="BW446"):
        ours.prepare_for_model(first, return_offsets_mapping=True)
    with pytest.raises(BertwrightError, match="BW409"):
        ours.prepare_for_model(first, max_length=1, truncation=True)


def test_ids_are_taken_away_by_the_rule_of_version_4(ours: BertTokenizer) -> None:
    """Both by turns where they are equally long, the second one first; what was taken away where one gives way."""
    first, second = list(range(10, 16)), list(range(20, 24))
    assert ours.truncate_sequences(first, second, 5) == (first[:3], second[:2], [])
    assert ours.truncate_sequences(first, second, 3) == (first[:4], second[:3], [])
    assert ours.truncate_sequences(first, None, 2, stride=1) == (first[:4], None, first[3:])
    assert ours.truncate_sequences(first, second, 2, "only_first") == (first[:4], second, first[4:])
    assert ours.truncate_sequences(first, second, 3, "only_second") == (first, second[:1], second[1:])
    assert ours.truncate_sequences(first, second, 0) == (first, second, [])
    ours.truncation_side = "left"
    assert ours.truncate_sequences(first, second, 2, "only_first", 1) == (first[2:], second, first[:3])
    for strategy in ("only_first", "only_second"):
        with pytest.raises(BertwrightError, match="BW408"):
            ours.truncate_sequences(first, second, 9, strategy)


def test_small_things_that_are_asked_for(ours: BertTokenizer, tiny_peer: Any, tmp_path: Path) -> None:
    for name in (
        "is_fast", "model_input_names", "pad_token_type_id", "special_tokens_map", "max_len_single_sentence",
        "max_len_sentences_pair", "vocab_size", "vocab", "bos_token", "eos_token", "bos_token_id", "eos_token_id",
        "additional_special_tokens", "deprecation_warnings", "padding_side", "truncation_side", "model_max_length",
        "clean_up_tokenization_spaces",
    ):  # fmt: skip
        expected = [] if name == "additional_special_tokens" else getattr(tiny_peer, name)
        assert getattr(ours, name) == expected, name
    assert ours.ids_to_tokens[5] == "a"
    assert bool(ours)
    assert ours.backend_tokenizer is ours.pipeline
    assert ours.convert_tokens_to_string(["un", "##aff", "cat", "."]) == "unaff cat."
    assert ours.init_kwargs["do_lower_case"] is True
    (file,) = ours.save_vocabulary(tmp_path, "small")
    assert Path(file) == tmp_path / "small-vocab.txt"
    assert BertTokenizer(file).get_vocab() == ours.get_vocab()
    ours.model_input_names = ["input_ids", "attention_mask"]
    assert list(ours("a")) == ["input_ids", "attention_mask"]
    assert list(ours("a", return_token_type_ids=True)) == ["input_ids", "token_type_ids", "attention_mask"]
    ours.save_pretrained(tmp_path)
    assert BertTokenizer.from_pretrained(tmp_path).model_input_names == ["input_ids", "attention_mask"]
    for absent in ("basic_tokenizer", "wordpiece_tokenizer", "apply_chat_template", "no_such_thing"):
        assert not hasattr(ours, absent)
    with pytest.raises(AttributeError, match=r"basic_tokenizer.*tokenizer\.pipeline"):
        _ = ours.basic_tokenizer


def test_decoded_texts_are_tidied_up_where_that_is_asked_for(ours: BertTokenizer, tiny_peer: Any) -> None:
    ids = ours.encode("i ' s hello , the cat ' s mat .")
    for tidies in (True, False, None):
        expected = tiny_peer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=tidies)
        assert ours.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=tidies) == expected
        assert ours.batch_decode([ids], True, clean_up_tokenization_spaces=tidies) == [expected]
    assert ours.batch_decode(ids) == tiny_peer.batch_decode(ids) == [ours.decode(ids)]
    ours.clean_up_tokenization_spaces = tiny_peer.clean_up_tokenization_spaces = True
    assert ours.decode(ids) == tiny_peer.decode(ids)


def test_tokens_of_pairs_and_special_tokens_as_text(ours: BertTokenizer, tiny_peer: Any) -> None:
    assert ours.tokenize("a b", "c", add_special_tokens=True) == ["[CLS]", "a", "b", "[SEP]", "c", "[SEP]"]
    assert ours.tokenize("a b", "c") == tiny_peer.tokenize("a b", "c")
    assert ours.tokenize("a b c", max_length=4, add_special_tokens=True) == ["[CLS]", "a", "b", "[SEP]"]
    text = "the [MASK] cat"
    assert ours(text, split_special_tokens=True) == dict(tiny_peer(text, split_special_tokens=True))
    assert ours(text, split_special_tokens=True) != ours(text)


def test_the_fast_tokenizer_is_the_tokenizer(tmp_path: Path) -> None:
    assert bertwright.BertTokenizerFast is BertTokenizerFast is BertTokenizer
    assert bertwright.BatchEncoding({"a": [1]}).a == [1]


@pytest.mark.parametrize(
    "arguments",
    [
        {"use_fast": True, "trust_remote_code": False, "token": None, "local_files_only": True, "revision": None},
        {"cache_dir": "elsewhere", "force_download": False, "resume_download": None, "subfolder": ""},
        {"do_basic_tokenize": True, "never_split": None, "proxies": None, "add_prefix_space": False},
    ],
)
def test_harmless_arguments_of_loading(ours: BertTokenizer, tmp_path: Path, arguments: dict[str, Any]) -> None:
    saved = ours.save_pretrained(str(tmp_path), legacy_format=False)
    assert sorted(Path(file).name for file in saved) == ["tokenizer.json", "tokenizer_config.json", "vocab.txt"]
    loaded = BertTokenizer.from_pretrained(str(tmp_path), **arguments)
    assert loaded.get_vocab() == ours.get_vocab()
    assert loaded.name_or_path == str(tmp_path)


def test_where_the_files_lie_can_be_said(ours: BertTokenizer, tmp_path: Path) -> None:
    ours.save_pretrained(tmp_path / "model" / "tokenizer")
    assert BertTokenizer.from_pretrained(tmp_path / "model", subfolder="tokenizer").get_vocab() == ours.get_vocab()
    file = str(tmp_path / "model" / "tokenizer" / "vocab.txt")
    for made in (
        BertTokenizer(file, True),
        BertTokenizer(vocab_file=file, do_lower_case=True, unk_token="[UNK]"),
        BertTokenizer.from_pretrained(file, do_lower_case=True, model_max_length=9),
        BertTokenizer.from_pretrained(file, do_lower_case=True, max_len=9),
    ):
        assert made("A cat") == ours("A cat")
    assert made.model_max_length == 9
    for no_name in ("x" * 5_000, "a\0b", None):
        with pytest.raises(OSError, match="BW30[17]"):
            BertTokenizer.from_pretrained(no_name, local_files_only=True)  # type: ignore[arg-type]
    with pytest.raises(OSError, match="BW301"):
        BertTokenizer.from_pretrained("nobody/nothing", cache_dir=tmp_path, local_files_only=True)


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ({"never_split": ["U.S."]}, "BW316", "tokenizer.add_tokens"),
        ({"do_basic_tokenize": False}, "BW316", "is_split_into_words=True"),
        ({"proxies": {"https": "host"}}, "BW316", "HTTPS_PROXY"),
        ({"tokenizer_file": "tokenizer.json"}, "BW316", "from_pretrained"),
        ({"chat_template": "x"}, "BW316", "conversations"),
        ({"split_special_tokens": True}, "BW316", "split_special_tokens=True to the calls"),
        ({"lower": True}, "BW411", "do_lower_case"),
        ({"padding_side": "top"}, "BW411", "padding_side"),
    ],
)
def test_what_cannot_be_honoured_is_refused_by_name(
    ours: BertTokenizer, tmp_path: Path, arguments: dict[str, Any], code: str, says: str
) -> None:
    ours.save_pretrained(tmp_path)
    for make in (
        lambda: BertTokenizer.from_pretrained(tmp_path, **arguments),
        lambda: BertTokenizer(TINY, **arguments),
    ):
        with pytest.raises(BertwrightError, match=code) as caught:
            make()
        assert says in caught.value.message("en")
        assert caught.value.message("zh")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [({"push_to_hub": True}, "BW316"), ({"filename_prefix": "x"}, "BW316"), ({"colour": "red"}, "BW317")],
)
def test_what_cannot_be_honoured_in_saving(
    ours: BertTokenizer, tmp_path: Path, arguments: dict[str, Any], code: str
) -> None:
    with pytest.raises(BertwrightError, match=code):
        ours.save_pretrained(tmp_path / "out", **arguments)
    assert not (tmp_path / "out").exists()
    with pytest.raises(TypeError, match="colour"):
        ours("a", colour="red")
