"""Inputs that a reader of the README tried, and that were answered wrongly once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bertwright import BertModel, Predictor, finetune
from bertwright.cli.typed_words import meant
from bertwright.corpus.prepare import prepare_corpus as prepare
from bertwright.errors import BertwrightError
from tests.corpus.corpus_samples import write_blocks

from .conftest import Command

ROWS = [("a good day", "pos"), ("a bad day", "neg")] * 6


def test_a_file_where_the_folder_of_a_model_belongs(run: Path, train_csv: Path) -> None:
    weights = run / "best" / "model.safetensors"
    with pytest.raises(BertwrightError, match="BW336") as caught:
        Predictor.load(weights)
    assert f"give the folder: {run / 'best'}" in caught.value.texts("en")[2]
    with pytest.raises(BertwrightError, match="BW336"):
        BertModel.from_pretrained(train_csv)


def test_a_share_as_dev_set(tmp_path: Path) -> None:
    with pytest.raises(BertwrightError, match="BW149.*dev=0.2") as caught:
        finetune(ROWS, 0.2, out=tmp_path / "run")
    assert "dev_share=0.2" in caught.value.texts("en")[2]
    assert not (tmp_path / "run").exists()


def test_a_corpus_of_one_path(tiny_model: Path, tmp_path: Path) -> None:
    file = write_blocks(tmp_path / "c.txt", [["one day it rained", "and then it did not"]] * 3)
    assert prepare(str(file), tiny_model, tmp_path / "a").digest == prepare([file], tiny_model, tmp_path / "b").digest


@pytest.mark.parametrize(
    ("tags", "told"),
    [([1, 0, 0, 2], "the tags in ner_tags are numbers"), (["O", "O", "B-PER"], "4 tokens, but 3 tags in ner_tags")],
)
def test_tags_that_do_not_fit_their_tokens(command: Command, tmp_path: Path, tags: list[object], told: str) -> None:
    good = {"tokens": ["Anna", "is", "in", "Rome"], "ner_tags": ["B-PER", "O", "O", "B-LOC"]}
    rows = [good if type(tags[0]) is str else good | {"ner_tags": tags}] * 3 + [good | {"ner_tags": tags}]
    file = tmp_path / "tags.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    result = command("finetune", file, "--task", "tagging", "--out", tmp_path / "run")
    assert result.code in (1, 2), result.err
    assert told in result.err


@pytest.mark.parametrize("sign", "–—−")
def test_a_minus_of_a_copied_number(sign: str) -> None:
    words = ["finetune", "a.csv", f"learning_rate=2e{sign}5", f"name=a{sign}b"]
    assert meant(words, lambda verb: {}) == ["finetune", "a.csv", "learning_rate=2e-5", f"name=a{sign}b"]


def test_a_minus_of_a_copied_page(command: Command, train_csv: Path, tmp_path: Path) -> None:
    result = command("finetune", train_csv, "--out", tmp_path / "run", "learning_rate=2e–5", "dropout=−1")
    assert "dropout = -1 is not possible" in result.err, "a number, and the only one that cannot be"
