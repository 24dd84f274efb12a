"""`add_tokens`, `add_special_tokens` and special tokens that are set: new ids, never split, kept in the folder."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from tokenizers import AddedToken

from bertwright.errors import BertwrightError
from bertwright.text.tokenizer.tokenizer import BertTokenizer
from tests.text.conftest import TINY

TEXTS = ["The <e1>cat</e1> sat on covid19.", "COVID19 中国covid19人 [MASK]", "<E1> naïve-bayes Naïve-Bayes", "plain"]


def grow(tokenizer: Any) -> list[int]:
    return [
        tokenizer.add_tokens(["covid19", "naïve-bayes"]),
        tokenizer.add_tokens("covid19"),
        tokenizer.add_tokens(AddedToken("Word", single_word=True, normalized=False)),
        tokenizer.add_special_tokens({"additional_special_tokens": ["<e1>", "</e1>"]}),
        tokenizer.add_tokens("<sp>", special_tokens=True),
        tokenizer.add_tokens([]),
    ]


def test_new_tokens_get_the_ids_behind_the_last_and_are_never_split(ours: BertTokenizer, tiny_peer: Any) -> None:
    assert grow(ours) == grow(tiny_peer) == [2, 0, 1, 2, 1, 0]
    assert len(ours) == len(tiny_peer) == len(TINY) + 6
    assert ours.vocab_size == tiny_peer.vocab_size == len(TINY)
    assert ours.get_vocab() == tiny_peer.get_vocab()
    assert ours.convert_tokens_to_ids(["covid19", "<e1>", "<sp>"]) == [len(TINY), len(TINY) + 3, len(TINY) + 5]
    for text in TEXTS:
        assert ours(text) == dict(tiny_peer(text))
        assert ours.convert_tokens_to_ids(ours.tokenize(text)) == tiny_peer(text)["input_ids"][1:-1]
        for skip in (False, True):
            ids = ours(text)["input_ids"]
            assert ours.decode(ids, skip_special_tokens=skip) == tiny_peer.decode(ids, skip_special_tokens=skip)
    # The peer gives "naive-bayes" for the id of "naïve-bayes", and [UNK] for that token.
    assert ours.tokenize("Naïve-Bayes") == ["naïve-bayes"]
    assert ours.tokenize("The <e1>cat</e1> sat") == ["the", "<e1>", "cat", "</e1>", "sat"]
    assert ours.get_added_vocab() == tiny_peer.get_added_vocab()
    assert ours.added_tokens_decoder == tiny_peer.added_tokens_decoder
    assert ours.added_tokens_encoder == tiny_peer.added_tokens_encoder
    assert ours.additional_special_tokens == ["<e1>", "</e1>"]
    assert ours.extra_special_tokens == tiny_peer.extra_special_tokens
    assert ours.all_special_tokens == tiny_peer.all_special_tokens
    assert ours.all_special_ids == tiny_peer.all_special_ids


def test_a_folder_keeps_them_for_both_libraries(ours: BertTokenizer, tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    grow(ours)
    ours.save_pretrained(tmp_path / "saved")
    readers: list[Any] = [BertTokenizer.from_pretrained(tmp_path / "saved")]
    readers.append(transformers.BertTokenizerFast.from_pretrained(tmp_path / "saved"))
    readers.append(transformers.AutoTokenizer.from_pretrained(tmp_path / "saved"))
    (tmp_path / "saved" / "tokenizer.json").unlink()
    readers.append(BertTokenizer.from_pretrained(tmp_path / "saved"))
    readers[1].save_pretrained(tmp_path / "by the peer")
    readers.append(BertTokenizer.from_pretrained(tmp_path / "by the peer"))
    for reader in readers:
        assert len(reader) == len(ours)
        assert reader.get_vocab() == ours.get_vocab()
        for text in [*TEXTS, "Word Words word <sp>"]:
            ids = ours(text)["input_ids"]
            assert reader(text)["input_ids"] == ids, (reader, text)
            assert reader.decode(ids, skip_special_tokens=True) == ours.decode(ids, skip_special_tokens=True)
        assert list(reader.extra_special_tokens) == ["<e1>", "</e1>"]


def test_a_copy_and_a_worker_have_them(ours: BertTokenizer) -> None:
    import copy
    import pickle

    grow(ours)
    for same in (copy.deepcopy(ours), pickle.loads(pickle.dumps(ours))):
        assert same.get_vocab() == ours.get_vocab()
        assert same.tokenize(TEXTS[0]) == ours.tokenize(TEXTS[0])
        same.add_tokens("more")
        assert "more" not in ours.get_vocab()


def test_other_special_tokens_take_their_place_at_once(ours: BertTokenizer, tmp_path: Path) -> None:
    assert ours.add_special_tokens({"cls_token": "<s>", "pad_token": "<pad>", "eos_token": "</s>"}) == 3
    assert (ours.cls_token, ours.cls_token_id) == ("<s>", len(TINY))
    assert (ours.pad_token, ours.eos_token_id) == ("<pad>", len(TINY) + 2)
    assert ours(["a b", "a"], padding=True)["input_ids"][1] == [len(TINY), 5, 3, len(TINY) + 1]
    ours.save_pretrained(tmp_path)
    again = BertTokenizer.from_pretrained(tmp_path)
    assert again.special_tokens_map == ours.special_tokens_map
    assert again("a [CLS]") == ours("a [CLS]")
    transformers = pytest.importorskip("transformers")
    peer = transformers.BertTokenizerFast.from_pretrained(tmp_path)
    assert peer.special_tokens_map == ours.special_tokens_map
    assert peer("a b")["input_ids"] == ours("a b")["input_ids"]
    assert peer.backend_tokenizer.encode("a").ids[0] == len(TINY)


def test_a_token_of_the_vocabulary_may_be_set_in_the_place_of_another(ours: BertTokenizer) -> None:
    ours.bos_token, ours.eos_token = ours.cls_token, ours.sep_token
    assert (ours.bos_token_id, ours.eos_token_id) == (2, 3)
    assert ours.special_tokens_map["bos_token"] == "[CLS]"
    ours.mask_token = "hello"
    assert ours.tokenize("hellocat") == ["hello", "cat"]
    ours.sep_token_id = ours.convert_tokens_to_ids(".")
    assert ours.encode("a") == [2, 5, ours.convert_tokens_to_ids(".")]
    ours.unk_token = "world"
    assert ours.tokenize("zebra") == ["world"]
    assert ours.convert_tokens_to_ids("zebra") == ours.convert_tokens_to_ids("world")
    ours.eos_token = None
    assert ours.eos_token_id is None
    ours.additional_special_tokens = ["mat"]
    assert ours.decode(ours.encode("the mat"), skip_special_tokens=False).count("mat") == 1
    assert ours.additional_special_tokens_ids == [ours.convert_tokens_to_ids("mat")]


def test_lists_of_special_tokens_are_replaced_or_grow(ours: BertTokenizer, tiny_peer: Any) -> None:
    for tokenizer in (ours, tiny_peer):
        tokenizer.add_special_tokens({"additional_special_tokens": ["<a>"]})
        tokenizer.add_special_tokens({"additional_special_tokens": ["<b>"]})
        tokenizer.add_special_tokens({"extra_special_tokens": ["<c>"]}, replace_extra_special_tokens=False)
    assert ours.extra_special_tokens == tiny_peer.extra_special_tokens == ["<b>", "<c>"]
    assert ours.tokenize("<a><b>") == ["<a>", "<b>"]
    assert ours.extra_special_tokens_ids == tiny_peer.extra_special_tokens_ids


def test_special_tokens_named_on_loading_are_added(ours: BertTokenizer, tmp_path: Path) -> None:
    ours.save_pretrained(tmp_path)
    loaded = BertTokenizer.from_pretrained(tmp_path, additional_special_tokens=["<e>"], bos_token="[CLS]")
    assert loaded.tokenize("a<e>") == ["a", "<e>"]
    assert loaded.convert_tokens_to_ids("<e>") == len(TINY)
    assert loaded.bos_token_id == 2
    made = BertTokenizer(TINY, do_lower_case=True, additional_special_tokens=["<e>"], mask_token="<m>")
    assert made.get_vocab()["<e>"] + made.mask_token_id == 2 * len(TINY) + 1
    with pytest.raises(BertwrightError, match="BW401"):
        BertTokenizer.from_pretrained(tmp_path, cls_token="<s>")


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (lambda t: t.add_tokens([3]), "BW405"),
        (lambda t: t.add_special_tokens({"additional_special_tokens": "<e>"}), "BW405"),
        (lambda t: t.add_special_tokens({"cls": "<e>"}), "BW411"),
        (lambda t: t.add_special_tokens({"unk_token": "<unk>"}), "BW445"),
        (lambda t: setattr(t, "cls_token", "<s>"), "BW444"),
        (lambda t: setattr(t, "cls_token", None), "BW444"),
        (lambda t: setattr(t, "additional_special_tokens", ["<s>"]), "BW444"),
        (lambda t: setattr(t, "cls_token_id", 10_000), "BW413"),
    ],
)
def test_mistakes_change_nothing(ours: BertTokenizer, act: Any, code: str) -> None:
    with pytest.raises(BertwrightError, match=code) as caught:
        act(ours)
    assert caught.value.message("zh")
    assert ours.get_vocab() == BertTokenizer(TINY, do_lower_case=True).get_vocab()
    assert ours("a")["input_ids"] == [2, 5, 3]


def test_ids_without_a_token_leave_no_room_for_new_ones(caplog: pytest.LogCaptureFixture) -> None:
    """The library counts tokens where it should count ids: the new token would get the id of another."""
    caplog.set_level(logging.ERROR)
    tokenizer = BertTokenizer([*TINY, "cat", "dog"], do_lower_case=True)
    with pytest.raises(BertwrightError, match="BW445.*up to"):
        tokenizer.add_tokens("bird")
    with pytest.raises(BertwrightError, match="BW445"):
        BertTokenizer([*TINY, "cat", "dog"], do_lower_case=True, additional_special_tokens=["<e>"])
