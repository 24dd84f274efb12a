"""The cases in which the peers test their BERT tokenizer, each as a check of ours: beside the peer where it computes.

Written anew after the names of `test_tokenization_bert.py`, `test_tokenization_common.py` and
`test_tokenization_utils.py` of transformers 4 and 5; `test_tokenizer_cases.py` has the table of all of them.
"""

from __future__ import annotations

import copy
import inspect
import json
import pickle
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from tokenizers import AddedToken, Tokenizer
from tokenizers.pre_tokenizers import BertPreTokenizer

from bertwright import BatchEncoding, BertConfig, BertModel, BertTokenizer, BertTokenizerFast, BertwrightError
from tests.text.conftest import TINY

FIRST, SECOND = "The unaffable cat, sat on 中国!", "hello [MASK]  world ünaff"
TEXTS = [FIRST, SECOND, "a", "zebra cat's mat.\n\t on"]
EVERYTHING: dict[str, Any] = {"return_offsets_mapping": True, "return_special_tokens_mask": True}


def our_own(**options: Any) -> BertTokenizer:
    return BertTokenizer(TINY, **{"do_lower_case": True, **options})


def peer(**options: Any) -> Any:
    vocabulary = {token: number for number, token in enumerate(TINY)}
    return transformers.BertTokenizer(vocab=vocabulary, model_max_length=512, **options)


def both(**options: Any) -> Iterator[Any]:
    yield our_own(**options)
    yield peer(**options)


def same(call: Any, **options: Any) -> None:
    """`call` of a tokenizer gives the same from both."""
    got, expected = (call(tokenizer) for tokenizer in both(**options))
    if not hasattr(expected, "keys"):
        assert got == expected
        return
    assert list(got) == list(expected)
    for name in expected:
        assert type(got[name]) is type(expected[name])
        if hasattr(expected[name], "shape"):
            assert np.array_equal(np.asarray(got[name]), np.asarray(expected[name])), name
        else:
            assert got[name] == expected[name], name


# Words and pieces


def check_full_tokenizer() -> None:
    assert our_own().tokenize("UNaffable,hello") == ["un", "##aff", "##able", ",", "hello"]
    for text in TEXTS:
        same(lambda tokenizer, text=text: tokenizer.tokenize(text))
        same(lambda tokenizer, text=text: tokenizer.encode(text, add_special_tokens=False))
        same(lambda tokenizer, text=text: tokenizer(text, **EVERYTHING))


def check_case_and_accents() -> None:
    """Lower case and accents in all six ways."""
    vocabulary = [*TINY, "HäLLo", "hällo", "hallo", "HaLLo"]
    numbers = {token: number for number, token in enumerate(vocabulary)}
    for lower in (True, False):
        for strip in (None, True, False):
            ours = BertTokenizer(vocabulary, lower, strip_accents=strip)
            theirs = transformers.BertTokenizer(vocab=numbers, do_lower_case=lower, strip_accents=strip)
            assert ours.tokenize(" \tHäLLo the \n") == theirs.tokenize(" \tHäLLo the \n")
    assert BertTokenizer(vocabulary, False).tokenize("HäLLo") == ["HäLLo"]


def check_chinese_characters() -> None:
    assert our_own().tokenize("a中国b") == ["a", "中", "国", "b"]
    same(lambda tokenizer: tokenizer.tokenize("a中国b 北京"))
    same(lambda tokenizer: tokenizer.tokenize("中国 北 京"), tokenize_chinese_chars=False)


def check_words_that_are_never_split() -> None:
    with pytest.raises(BertwrightError, match=r"BW316.*never_split"):
        our_own(never_split=["[x]"])
    tokenizer = our_own()
    tokenizer.add_tokens(AddedToken("[x]", normalized=False))
    assert tokenizer.tokenize("the cat [x]") == ["the", "cat", "[x]"]


def check_splits_on_punctuation() -> None:
    text = "a.' b,'c!-d?'e."
    words = [word for word, _ in BertPreTokenizer().pre_tokenize_str(text)]
    assert our_own().tokenize(text) == words
    same(lambda tokenizer: tokenizer.tokenize(text))


def check_pieces_of_a_word() -> None:
    for word in ("", "unaffable", "unaffablez", "a" * 100, "a" * 101, "aa"):
        same(lambda tokenizer, word=word: tokenizer.tokenize(word))
    assert our_own().tokenize("a" * 101) == ["[UNK]"]


def check_spaces_controls_and_marks() -> None:
    for character in (" ", "\t", "\r", "\n", "\u00a0", "\u0005", "-", "$", "`", ".", "\u200b", "\ufffd", "\x00"):
        same(lambda tokenizer, one=character: tokenizer(f"a{one}b", **EVERYTHING))


def check_clean_text() -> None:
    assert our_own().tokenize("\xad") == peer().tokenize("\xad") == []
    for text in ("", " \n", "[CLS]", "\u200d"):
        same(lambda tokenizer, text=text: tokenizer(text))


def check_offsets() -> None:
    text = "A, naïve [MASK] ünaffable sentence."
    batch = our_own()(text, return_offsets_mapping=True)
    parts = [text[start:end] for start, end in batch["offset_mapping"][1:-1]]
    assert "".join(parts) == text.replace(" ", "")
    assert batch["offset_mapping"][0] == batch["offset_mapping"][-1] == (0, 0)
    same(lambda tokenizer: tokenizer(text, SECOND, return_offsets_mapping=True)["offset_mapping"])
    same(lambda tokenizer: tokenizer(TEXTS, padding=True, **EVERYTHING))


# Special tokens around texts


def check_sequence_builders() -> None:
    tokenizer = our_own()
    first, second = (tokenizer.encode(text, add_special_tokens=False) for text in (FIRST, SECOND))
    assert tokenizer.build_inputs_with_special_tokens(first) == [2, *first, 3] == peer().encode(FIRST)
    assert tokenizer.build_inputs_with_special_tokens(first, second) == peer().encode(FIRST, SECOND)
    types = tokenizer.create_token_type_ids_from_sequences(first, second)
    assert types == peer()(FIRST, SECOND)["token_type_ids"]
    for pair in (True, False):
        same(lambda tokenizer, pair=pair: tokenizer.num_special_tokens_to_add(pair))
    assert tokenizer.prepare_for_model(first, second) == tokenizer(FIRST, SECOND)


def check_special_tokens_mask() -> None:
    for texts in ((FIRST,), (FIRST, SECOND)):
        options: dict[str, Any] = {"return_special_tokens_mask": True}
        same(lambda tokenizer, texts=texts, options=options: tokenizer(*texts, **options)["special_tokens_mask"])
        plain = our_own()(*texts, add_special_tokens=False)["input_ids"]
        batch = our_own()(*texts, **options)
        kept = [one for one, special in zip(batch["input_ids"], batch["special_tokens_mask"]) if not special]
        assert kept == plain
    ids = our_own().encode(FIRST, SECOND)
    same(lambda tokenizer: tokenizer.get_special_tokens_mask(ids, already_has_special_tokens=True))


def check_token_type_ids() -> None:
    same(lambda tokenizer: tokenizer(FIRST, SECOND, return_token_type_ids=True)["token_type_ids"])
    same(lambda tokenizer: tokenizer.batch_decode(tokenizer([FIRST], [SECOND])["input_ids"]))
    assert "token_type_ids" not in our_own()(FIRST, return_token_type_ids=False)


def check_attributes_of_special_tokens() -> None:
    names = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
    tokenizer = our_own()
    for name in names:
        same(lambda one, name=name: getattr(one, name))
        same(lambda one, name=name: getattr(one, f"{name}_id"))
    for name in names:
        setattr(tokenizer, f"{name}_id", 7)
        assert getattr(tokenizer, name) == TINY[7]
    with pytest.raises(BertwrightError, match="BW444"):
        tokenizer.cls_token = "<none>"
    for name in ("extra_special_tokens", "additional_special_tokens"):
        setattr(tokenizer, name, ["the", "mat"])
        assert getattr(tokenizer, f"{name}_ids") == tokenizer.convert_tokens_to_ids(["the", "mat"])


def check_special_tokens_map() -> None:
    same(lambda tokenizer: tokenizer.special_tokens_map)
    same(lambda tokenizer: sorted(tokenizer.all_special_ids))
    same(lambda tokenizer: sorted(tokenizer.all_special_tokens))


def check_special_tokens_in_texts() -> None:
    text = "[CLS] the [SEP] cat[MASK]b [PAD]"
    same(lambda tokenizer: tokenizer(text, **EVERYTHING))
    same(lambda tokenizer: tokenizer(text, split_special_tokens=True)["input_ids"])
    assert our_own().tokenize("[MASK]") == ["[MASK]"]


# Added tokens


def check_added_tokens() -> None:
    ours, theirs = both()
    for tokens, special in ((["aaaaa bbbbbb", "cccc"], False), (["<s1>", "<s2>"], True), (["cat"], False)):
        assert ours.add_tokens(tokens, special_tokens=special) == theirs.add_tokens(tokens, special_tokens=special)
    assert len(ours) == len(theirs) == len(TINY) + 4
    assert ours.vocab_size == theirs.vocab_size
    for text in ("aaaaa bbbbbb low cccc <s1>l <s2>", "AAAAA BBBBBB cats"):
        assert ours.encode(text) == theirs.encode(text)
        ids = ours.encode(text)
        assert max(ids) >= ours.vocab_size
        assert ours.decode(ids, skip_special_tokens=True) == theirs.decode(ids, skip_special_tokens=True)


def check_add_special_tokens() -> None:
    ours, theirs = both()
    for named in ({"cls_token": "[NEW]"}, {"additional_special_tokens": ["<x>", "<y>"]}, {"bos_token": "<b>"}, {}):
        assert ours.add_special_tokens(dict(named)) == theirs.add_special_tokens(dict(named))
    assert ours.special_tokens_map == theirs.special_tokens_map
    assert ours.encode("<x>the", add_special_tokens=False) == theirs.encode("<x>the", add_special_tokens=False)
    assert ours.decode(ours.encode("<x>the"), skip_special_tokens=True) == "the"
    with pytest.raises(ValueError, match="BW411"):
        ours.add_special_tokens({"testing": "[x]"})


def check_longest_added_token_first() -> None:
    ours, theirs = both()
    for tokenizer in (ours, theirs):
        tokenizer.add_tokens([AddedToken("extra_id_1")])
        tokenizer.add_tokens([AddedToken("extra_id_100")])
    text = "some extra_id_100 extra_id_1"
    assert ours.encode(text) == theirs.encode(text)
    assert ours.tokenize(text)[1:] == ["extra_id_100", "extra_id_1"]


def check_added_tokens_are_kept(folder: Path) -> None:
    ours = our_own()
    ours.add_tokens([AddedToken("new_token", lstrip=True), "plain_token"])
    ours.add_special_tokens({"additional_special_tokens": ["<x>"]})
    ours.save_pretrained(folder)
    pickled = pickle.loads(pickle.dumps(ours))
    readers: list[Any] = [BertTokenizer.from_pretrained(folder), transformers.BertTokenizer.from_pretrained(folder)]
    for reader in [*readers, pickled, copy.deepcopy(ours)]:
        assert reader.added_tokens_decoder == ours.added_tokens_decoder
        assert reader.encode("the new_token<x> plain_token") == ours.encode("the new_token<x> plain_token")


def check_sizes_of_a_larger_model() -> None:
    ours = our_own()
    assert len(ours) == ours.vocab_size == len(TINY)
    ours.add_tokens(["bigger", "than"])
    assert len(ours) == ours.vocab_size + 2
    config = BertConfig(vocab_size=len(TINY), hidden_size=16, num_hidden_layers=1, num_attention_heads=2)
    model = BertModel(config)
    model.resize_token_embeddings(len(ours))
    batch = ours(["bigger than", "a"], padding=True, return_tensors="pt")
    assert model(**batch)[0].shape == (2, 4, 16)


# Pads and cuts


def check_padding() -> None:
    for texts in (TEXTS, FIRST):
        for options in (
            {"padding": True},
            {"padding": "longest"},
            {"padding": "max_length", "max_length": 40},
            {"padding": "max_length", "max_length": 3},
            {"padding": "max_length"},
            {"padding": False},
            {"padding": "do_not_pad"},
            {"padding": True, "pad_to_multiple_of": 8},
            {"padding": "max_length", "max_length": 10, "pad_to_multiple_of": 8},
        ):
            for side in ("left", "right"):
                given = {**options, "padding_side": side, "return_special_tokens_mask": True}
                same(lambda one, texts=texts, given=given: one(texts, **given))
                same(
                    lambda one, texts=texts, given=given: one.encode(
                        texts, **{**given, "return_special_tokens_mask": 0}
                    )
                )
    with pytest.raises(ValueError, match="BW412"):
        our_own()(FIRST, padding=True, truncation=True, max_length=9, pad_to_multiple_of=8)


def check_sides() -> None:
    for side in ("left", "right"):
        same(lambda one: one(TEXTS, padding=True), padding_side=side)
        same(lambda one: one(TEXTS, truncation=True, max_length=6), truncation_side=side)
        same(lambda one: one(FIRST, SECOND, truncation="only_first", max_length=12), truncation_side=side)
    for name in ("padding_side", "truncation_side"):
        with pytest.raises(ValueError, match=f"BW411.*{name}"):
            our_own(**{name: "unauthorized"})


def check_pad_of_inputs() -> None:
    rows = [{"input_ids": [2, 5, 3], "attention_mask": [1, 1, 1]}, {"input_ids": [2, 3], "attention_mask": [0, 1]}]
    for options in (
        {},
        {"padding": "max_length", "max_length": 7},
        {"pad_to_multiple_of": 4},
        {"return_tensors": "pt"},
    ):
        same(lambda one, options=options: one.pad(copy.deepcopy(rows), **options))
        same(lambda one, options=options: one.pad({"input_ids": torch.tensor([[1, 2]])}, **options))
        same(lambda one, options=options: one.pad({"input_ids": np.array([[1, 2]])}, **options))


def check_longest_inputs(folder: Path) -> None:
    """What is longer than the model reads is said once, and cut where that is asked for."""
    long = "a " * 40
    for tokenizer in both():
        tokenizer.model_max_length = 12
        assert len(tokenizer(long)["input_ids"]) == 42
        assert len(tokenizer(long, truncation=True)["input_ids"]) == 12
    for truncation in ("longest_first", "only_first", "only_second"):
        options = {"truncation": truncation, "max_length": 14}
        text, pair = (long, "b b b") if truncation != "only_second" else ("b b b", long)
        same(lambda one, given=(text, pair, options): one(given[0], given[1], **given[2]))
    tokenizer = our_own()
    tokenizer.model_max_length = 12
    assert (tokenizer.max_len_single_sentence, tokenizer.max_len_sentences_pair) == (10, 9)
    tokenizer.save_pretrained(folder)
    assert BertTokenizer.from_pretrained(folder).model_max_length == 12
    assert BertTokenizer.from_pretrained(folder, model_max_length=42).model_max_length == 42


def check_parts_of_long_texts() -> None:
    options: dict[str, Any] = {"truncation": True, "return_overflowing_tokens": True, "padding": True, **EVERYTHING}
    for texts in (FIRST, TEXTS):
        for length, stride in ((6, 2), (5, 0), (8, 3), (300, 2)):
            given = {**options, "max_length": length, "stride": stride}
            same(lambda one, texts=texts, given=given: one(texts, **given))
    same(lambda one: one(TEXTS, return_tensors="pt", max_length=6, **options))
    same(lambda one: one("the cat", FIRST, **{**options, "truncation": "only_second", "max_length": 10}))


# Calls


def check_call() -> None:
    for texts, pairs in ((FIRST, None), (FIRST, SECOND), (TEXTS, None), (TEXTS, TEXTS[::-1])):
        older = our_own().encode_plus if isinstance(texts, str) else our_own().batch_encode_plus
        given = (texts, pairs) if isinstance(texts, str) else (texts if pairs is None else list(zip(texts, pairs)),)
        assert older(*given) == our_own()(texts, pairs) == dict(peer()(texts, pairs))
    same(lambda one: one(text_target=FIRST))
    same(lambda one: one(FIRST, text_target=SECOND))


def check_given_words() -> None:
    words, pair = ["The", "unaffable", "cat's", "", "中国"], ["hello", "world"]
    for texts, pairs in ((words, None), (words, pair), ([words, pair], None), ([words, pair], [pair, words])):
        options = {"is_split_into_words": True, "padding": True, **EVERYTHING}
        same(lambda one, texts=texts, pairs=pairs, options=options: one(texts, pairs, **options))
    batch = our_own()([words, pair], is_split_into_words=True)
    assert batch.word_ids(0) == peer()([words, pair], is_split_into_words=True).word_ids(0)


def check_fast_only_inputs() -> None:
    for nothing in (None, 3, [None], [3]):
        with pytest.raises(TypeError, match="BW405"):
            our_own()(nothing)


def check_tensors() -> None:
    for kind in ("pt", "np"):
        same(lambda one, kind=kind: one(TEXTS, padding=True, return_tensors=kind))
        same(lambda one, kind=kind: one(FIRST, SECOND, return_tensors=kind))
        with pytest.raises(ValueError, match="BW410"):
            our_own()(TEXTS, return_tensors=kind)


def check_sent_to_a_model() -> None:
    config = BertConfig(vocab_size=len(TINY), hidden_size=16, num_hidden_layers=1, num_attention_heads=2)
    model = BertModel(config).eval()
    one = our_own()(FIRST, return_tensors="pt")
    many = our_own()([FIRST, FIRST], return_tensors="pt")
    with torch.no_grad():
        torch.testing.assert_close(model(**one)[0][0], model(**many)[0][1])


def check_empty_texts() -> None:
    for text in ("", [""], ["", "a"]):
        same(lambda one, text=text: one(text, padding=True))
        same(lambda one, text=text: one(text, return_tensors="np", padding=True, add_special_tokens=False))


def check_alignment() -> None:
    text = "the unaffable cat"
    batch, expected = (one(text, SECOND) for one in both())
    for at in range(len(text)):
        assert batch.char_to_token(0, at) == expected.char_to_token(0, at)
        assert batch.char_to_word(at) == expected.char_to_word(at)
    for word in range(3):
        assert batch.word_to_tokens(word) == expected.word_to_tokens(word)
        assert batch.word_to_chars(0, word) == expected.word_to_chars(0, word)
        assert batch.word_to_tokens(0, word, 1) == expected.word_to_tokens(0, word, 1)
    for token in range(len(batch["input_ids"])):
        assert batch.token_to_chars(token) == expected.token_to_chars(token)
        assert batch.token_to_word(0, token) == expected.token_to_word(0, token)
        assert batch.token_to_sequence(token) == expected.token_to_sequence(token)


# Back to texts


def check_internal_consistency() -> None:
    for text in TEXTS:
        ours = our_own()
        tokens = ours.tokenize(text)
        ids = ours.convert_tokens_to_ids(tokens)
        assert ids == ours.encode(text, add_special_tokens=False)
        assert ours.convert_ids_to_tokens(ids) == tokens
        same(lambda one, ids=ids: one.decode(ids))
        same(lambda one, tokens=tokens: one.convert_tokens_to_string(tokens))


def check_conversion_is_reversible() -> None:
    ours = our_own()
    for token, number in ours.get_vocab().items():
        assert ours.convert_tokens_to_ids(token) == number
        assert ours.convert_ids_to_tokens(number) == token
    same(lambda one: sorted(one.get_vocab().items()))
    same(lambda one: sorted(one.vocab.items()))


def check_decoding() -> None:
    draw = random.Random(1)
    ids = [[draw.randrange(len(TINY)) for _ in range(draw.randrange(1, 12))] for _ in range(40)]
    for skip in (True, False):
        for tidies in (True, False, None):
            options = {"skip_special_tokens": skip, "clean_up_tokenization_spaces": tidies}
            same(lambda one, options=options: one.batch_decode(ids, **options))
            same(lambda one, options=options: [one.decode(row, **options) for row in ids])
    same(lambda one: one.decode(torch.tensor([5, 6])))
    same(lambda one: one.decode(np.array(ids[0])))
    same(lambda one: one.decode(7))


# Files, processes, signatures


def check_save_and_load(folder: Path) -> None:
    ways: dict[str, dict[str, Any]] = {
        "plain": {},
        "cased": {"do_lower_case": False},
        "left": {"padding_side": "left"},
    }
    for name, options in ways.items():
        ours = our_own(**options)
        ours.save_pretrained(folder / name)
        for reader in (BertTokenizer, transformers.BertTokenizer, transformers.AutoTokenizer):
            again: Any = reader.from_pretrained(folder / name)
            assert again(TEXTS, padding=True)["input_ids"] == ours(TEXTS, padding=True)["input_ids"]
            assert again.special_tokens_map == ours.special_tokens_map
            assert again.get_vocab() == ours.get_vocab()
        theirs = peer(**options)
        theirs.save_pretrained(folder / f"{name} of the peer")
        back = BertTokenizer.from_pretrained(folder / f"{name} of the peer")
        assert back(TEXTS, padding=True) == dict(theirs(TEXTS, padding=True))


def check_named_special_tokens_are_kept(folder: Path) -> None:
    ours = our_own(additional_special_tokens=["<e>"], cls_token="the", model_max_length=20)
    assert ours.encode("a<e>") == [16, 5, len(TINY), 3]
    ours.save_pretrained(folder)
    settings = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    assert settings["additional_special_tokens"] == ["<e>"]
    for reader in (BertTokenizer, transformers.BertTokenizer):
        again: Any = reader.from_pretrained(folder)
        assert again.encode("a<e>") == ours.encode("a<e>")
        assert (again.cls_token, again.model_max_length) == ("the", 20)


def check_pickle() -> None:
    ours = our_own()
    for again in (pickle.loads(pickle.dumps(ours)), copy.copy(ours), copy.deepcopy(ours)):
        assert again(TEXTS) == ours(TEXTS)
        assert again.get_vocab() == ours.get_vocab()
        assert vars(again).keys() == vars(ours).keys()


def check_several_tokenizers_do_not_meet() -> None:
    first, second = our_own(), our_own(do_lower_case=False)
    first.add_tokens("new")
    assert "new" not in second.get_vocab()
    assert (first.tokenize("The"), second.tokenize("The")) == (["the"], ["[UNK]"])
    first(TEXTS, truncation=True, max_length=5, padding="max_length")
    assert first(FIRST) == our_own()(FIRST)


def check_signatures() -> None:
    first = next(iter(inspect.signature(BertTokenizer.__init__).parameters.values()))
    assert first.name == "self"
    assert our_own().model_input_names == peer().model_input_names
    assert BertTokenizerFast is BertTokenizer
    assert our_own().is_fast is peer().is_fast is True


def check_library_tokenizer(folder: Path) -> None:
    """What we save, the library opens alone, and gives the same."""
    our_own().save_pretrained(folder)
    alone = Tokenizer.from_file(str(folder / "tokenizer.json"))
    assert alone.encode(FIRST, SECOND).ids == our_own().encode(FIRST, SECOND)
    assert our_own().backend_tokenizer.encode(FIRST).ids == our_own().encode(FIRST)


def check_mask_token() -> None:
    assert our_own().encode("the [MASK]")[2] == our_own().mask_token_id == peer().mask_token_id


def check_what_a_batch_is() -> None:
    batch = our_own()(TEXTS, padding=True)
    assert pickle.loads(pickle.dumps(batch)).encodings[0].tokens == batch.tokens(0)
    assert batch.is_fast
    assert BatchEncoding({"input_ids": [[1], [2]], "labels": [0, 1]}, tensor_type="pt")["labels"].tolist() == [0, 1]
    assert BatchEncoding({"labels": [0, 1]}, tensor_type="np", prepend_batch_axis=True)["labels"].shape == (1, 2)
    assert not BatchEncoding({"input_ids": [1]}).is_fast
    with pytest.raises(ValueError, match="BW442"):
        BatchEncoding({"input_ids": [[1], [2, 3]]}, tensor_type="pt")


def check_reading_one_file(folder: Path) -> None:
    (file,) = our_own().save_vocabulary(folder)
    assert BertTokenizer.from_pretrained(file, do_lower_case=True)(TEXTS) == our_own()(TEXTS)
    with pytest.raises(OSError, match="BW307"):
        BertTokenizer.from_pretrained(folder / "absent.txt")
