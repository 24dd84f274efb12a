"""`pad`: inputs that were made before, in the collators of `transformers`, in `datasets`, and by hand."""

from __future__ import annotations

import copy
import hashlib
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bertwright.errors import BertwrightError
from bertwright.text.tokenizer.batch_encoding import BatchEncoding
from bertwright.text.tokenizer.tokenizer import BertTokenizer

TEXTS = ["the cat sat", "a", "hello unaffable world 中国"]


def assert_same(got: Any, expected: Any) -> None:
    assert list(got) == list(expected)
    for name in expected:
        assert type(got[name]) is type(expected[name]), name
        if hasattr(expected[name], "shape"):
            assert got[name].dtype == expected[name].dtype
            assert np.array_equal(np.asarray(got[name]), np.asarray(expected[name])), name
        else:
            assert got[name] == expected[name], name


GIVEN: dict[str, Callable[[Any], Any]] = {
    "batch": lambda tokenizer: tokenizer(TEXTS),
    "list": lambda tokenizer: [tokenizer(text) for text in TEXTS],
    "dictionaries": lambda tokenizer: [dict(tokenizer(text, return_special_tokens_mask=True)) for text in TEXTS],
    "one": lambda tokenizer: tokenizer(TEXTS[0]),
    "one by hand": lambda _: {"input_ids": [1, 2, 3]},
    "labels": lambda _: {"input_ids": [[1, 2], [3]], "labels": [0, 1]},
    "tensors": lambda tokenizer: [
        {"input_ids": torch.tensor(tokenizer(text)["input_ids"]), "labels": torch.tensor(1)} for text in TEXTS
    ],
    "arrays": lambda _: {"input_ids": np.array([[1, 2], [3, 4]]), "weight": np.array([0.5, 1.5], dtype=np.float32)},
    "names": lambda _: [{"input_ids": np.array([1, 2]), "id": "x"}, {"input_ids": np.array([1]), "id": "y"}],
    "nothing": lambda _: {"input_ids": []},
    "an empty one": lambda _: {"input_ids": [[], [1]]},
}
HOW: list[dict[str, Any]] = [
    {},
    {"padding": "max_length", "max_length": 12},
    {"padding": "longest", "pad_to_multiple_of": 8},
    {"padding": "max_length", "max_length": 9, "pad_to_multiple_of": 4},
    {"padding_side": "left"},
    {"padding": "do_not_pad"},
    {"padding": False, "return_attention_mask": True},
    {"return_tensors": "pt"},
    {"return_tensors": "np", "padding_side": "left"},
]


@pytest.mark.parametrize("given", GIVEN)
def test_what_is_padded_is_that_of_the_peer(ours: BertTokenizer, tiny_peer: Any, given: str) -> None:
    for how in HOW:
        as_tensors = given in ("tensors", "names")
        if (as_tensors and "padding" in how and not how["padding"]) or (as_tensors and how.get("return_tensors")):
            continue  # unequal rows, or names, in one tensor
        if as_tensors and how.get("padding") == "do_not_pad":
            continue
        assert_same(ours.pad(GIVEN[given](ours), **how), tiny_peer.pad(GIVEN[given](tiny_peer), **how))


def test_nothing_of_what_was_given_is_changed(ours: BertTokenizer) -> None:
    rows = [{"input_ids": [1, 2, 3], "label": 1}, {"input_ids": [1], "label": 0}]
    before = pickle.dumps(rows)
    ours.pad(rows)
    ours.pad({"input_ids": [[1], [1, 2]]})
    assert pickle.dumps(rows) == before


def test_ids_that_numpy_counted_are_ids(ours: BertTokenizer) -> None:
    got = ours.pad([{"input_ids": list(np.array([4, 5]))}, {"input_ids": np.array([6])}])
    assert got["input_ids"].tolist() == [[4, 5], [6, 0]]


@pytest.mark.parametrize(
    ("given", "options", "code", "says"),
    [
        ([{"text": "a"}], {}, "BW443", "inputs[0]: input_ids is missing; there is only: text"),
        ({"labels": [1]}, {}, "BW443", "there is only: labels"),
        ([], {}, "BW443", "input_ids is missing"),
        (["a"], {}, "BW443", "inputs[0]"),
        ([{"input_ids": [1]}, {"input_ids": [1], "label": 2}], {}, "BW443", "inputs[0]: label is missing"),
        ([{"input_ids": [1], "label": 2}, {"input_ids": [1]}], {}, "BW443", "inputs[1]: label is missing"),
        ({"input_ids": [[1], [2]], "label": [1]}, {}, "BW442", "label"),
        ([{"input_ids": [1], "label": "x"}], {"return_tensors": "pt"}, "BW442", "label"),
        ([{"input_ids": [1], "label": None}], {"return_tensors": "np"}, "BW442", "label"),
        (
            [{"input_ids": [1, 2], "labels": [1, 2]}, {"input_ids": [1], "labels": [1]}],
            {"return_tensors": "pt"},
            "BW442",
            "labels cannot become a tensor: 1 ≠ 2",
        ),
        ({"input_ids": [[1]]}, {"return_tensors": "tf"}, "BW411", "return_tensors='tf'"),
        ({"input_ids": [[1]]}, {"padding": "wide"}, "BW411", "padding='wide'"),
        ({"input_ids": [[1]]}, {"padding_side": "top"}, "BW411", "padding_side='top'"),
    ],
)
def test_mistakes(ours: BertTokenizer, given: Any, options: dict[str, Any], code: str, says: str) -> None:
    with pytest.raises(BertwrightError, match=code) as caught:
        ours.pad(given, **options)
    assert says in caught.value.message("en")
    assert caught.value.message("zh")


def collators(transformers: Any) -> dict[str, tuple[Callable[[Any], Any], Callable[[Any, str], dict[str, Any]]]]:
    """Each collator, and what an example is for it."""

    def plain(tokenizer: Any, text: str) -> dict[str, Any]:
        return {**tokenizer(text), "label": len(text)}

    def tagged(tokenizer: Any, text: str) -> dict[str, Any]:
        inputs = tokenizer(text)
        return {**inputs, "labels": list(range(len(inputs["input_ids"])))}

    def masked(tokenizer: Any, text: str) -> dict[str, Any]:
        return dict(tokenizer(text))

    def of_words(tokenizer: Any, text: str) -> dict[str, Any]:
        return dict(tokenizer(text, padding="max_length", max_length=12, return_offsets_mapping=True))

    def choices(tokenizer: Any, text: str) -> dict[str, Any]:
        return {**tokenizer([text, text], ["mat", "the mat"]), "label": 1}

    mlm = transformers.DataCollatorForLanguageModeling
    only_masks = {"mask_replace_prob": 1, "random_replace_prob": 0}
    return {
        "padding": (transformers.DataCollatorWithPadding, plain),
        "padding to 8": (lambda t: transformers.DataCollatorWithPadding(t, pad_to_multiple_of=8), plain),
        "tags": (transformers.DataCollatorForTokenClassification, tagged),
        "masks": (lambda t: mlm(t, seed=3), masked),
        "masks in arrays": (lambda t: mlm(t, seed=3, return_tensors="np"), masked),
        "masks of words": (lambda t: mlm(t, whole_word_mask=True, seed=3, **only_masks), of_words),
        "targets": (transformers.DataCollatorForSeq2Seq, tagged),
        "choices": (transformers.DataCollatorForMultipleChoice, choices),
    }  # fmt: skip


def test_the_collators_of_the_peer_make_the_batches_that_they_make_with_its_own_tokenizer(
    ours: BertTokenizer, tiny_peer: Any
) -> None:
    transformers = pytest.importorskip("transformers")
    for make, example in collators(transformers).values():
        for side in ("right", "left"):
            batches = []
            for tokenizer in (ours, tiny_peer):
                tokenizer.padding_side = side
                batches.append(make(tokenizer)([example(tokenizer, text) for text in TEXTS]))
            assert_same(*batches)


def test_the_cache_of_datasets_finds_what_the_tokenizer_made(ours: BertTokenizer, tmp_path: Path) -> None:
    """Its key is a hash of the pickled tokenizer: calls change nothing in it, and other processes get the same."""
    datasets = pytest.importorskip("datasets")
    from datasets.fingerprint import Hasher

    before = Hasher.hash(ours)
    ours("a " * 600, padding=True, truncation=True, max_length=8)
    ours("a " * 600)
    ours.pad({"input_ids": [[1], [1, 2]]})
    ours.deprecation_warnings["Asking-to-pad-a-fast-tokenizer"] = True
    assert Hasher.hash(ours) == before
    ours.save_pretrained(tmp_path)
    program = f"""
import hashlib, pickle
from bertwright import BertTokenizer
print(hashlib.sha256(pickle.dumps(BertTokenizer.from_pretrained({str(tmp_path)!r}), 4)).hexdigest())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == [hashlib.sha256(pickle.dumps(BertTokenizer.from_pretrained(tmp_path), 4)).hexdigest()]
    ours.add_tokens("newword")
    assert Hasher.hash(ours) != before

    rows = datasets.Dataset.from_dict({"text": TEXTS, "label": [0, 1, 0]})
    encoded = rows.map(ours, batched=True, input_columns="text")
    assert encoded["input_ids"] == ours(TEXTS)["input_ids"]
    assert encoded._fingerprint == rows.map(ours, batched=True, input_columns="text")._fingerprint


def test_it_is_a_tokenizer_to_the_peer_and_ours_to_everybody(ours: BertTokenizer) -> None:
    """The peer's Trainer asks by `isinstance` whether it has a tokenizer to pad with."""
    transformers = pytest.importorskip("transformers")
    assert isinstance(ours, transformers.PreTrainedTokenizerBase)
    assert isinstance(ours, BertTokenizer)
    assert type(ours) is BertTokenizer
    for same in (pickle.loads(pickle.dumps(ours)), copy.copy(ours), copy.deepcopy(ours)):
        assert type(same) is BertTokenizer
        assert same("the cat") == ours("the cat")


def test_a_dictionary_of_lists_becomes_tensors() -> None:
    batch = BatchEncoding({"input_ids": [[1, 2], [3, 4]], "share": [0.5, 1.0]}, tensor_type="pt")
    assert batch["input_ids"].dtype == torch.int64
    assert batch["share"].dtype == torch.float32
    assert BatchEncoding({"input_ids": [1, 2]}, tensor_type="np", prepend_batch_axis=True)["input_ids"].shape == (1, 2)
    assert BatchEncoding({"input_ids": [np.array([1, 2]), np.array([3, 4])]}, tensor_type="pt")["input_ids"].shape == (
        2,
        2,
    )
    assert BatchEncoding({"input_ids": [torch.tensor([1])]}).convert_to_tensors("pt")["input_ids"].tolist() == [[1]]
    assert BatchEncoding({"input_ids": torch.tensor([1])}).convert_to_tensors("np")["input_ids"].tolist() == [1]
    assert BatchEncoding({"input_ids": []}, tensor_type="pt")["input_ids"].dtype == torch.int64
    assert isinstance(BatchEncoding({"a": [1]}).convert_to_tensors(None)["a"], list)
    with pytest.raises(BertwrightError, match="BW411"):
        BatchEncoding({"input_ids": [1]}, tensor_type="jax")
