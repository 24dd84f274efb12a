"""What once ended without a word: each is said now, or refused."""

from __future__ import annotations

import csv
import json
import logging
import shutil
from pathlib import Path

import pytest

from bertwright.checkpoint.vocabulary_rows import check_rows
from bertwright.corpus.prepare_settings import PrepareSettings
from bertwright.corpus.store import CorpusStore
from bertwright.errors import BertwrightError
from bertwright.inference.compare import compare
from bertwright.text.tokenizer.tokenizer import BertTokenizer
from bertwright.training.pretraining.whole_words import say_of_words
from tests.corpus import corpus_samples

from .conftest import Command, write_csv


def copied(model: Path, folder: Path) -> Path:
    """A copy of a model, without the manifest that would tell of a change."""
    shutil.copytree(model, folder)
    (folder / "manifest.json").unlink()
    return folder


def test_questions_about_a_passage_are_not_answered_by_their_titles(
    command: Command, run: Path, tmp_path: Path
) -> None:
    paragraphs = [{"context": "Rome is old.", "qas": [{"id": "1", "question": "Is it?", "answers": []}]}]
    path = tmp_path / "squad.json"
    path.write_text(json.dumps({"data": [{"title": "Rome", "paragraphs": paragraphs}]}), encoding="utf-8")
    result = command("predict", run, "--input", path)
    assert (result.code, result.out) == (2, "")
    assert "BW265" in result.err
    assert "squad.json:1" in result.err


def test_a_csv_of_answers_has_a_column_of_doubts(command: Command, run: Path, tmp_path: Path) -> None:
    source = write_csv(tmp_path / "in.csv", [("a great day", "mine"), ("", "")], header=("text", "doubt"))
    for name in ("a.csv", "a.jsonl"):
        assert command("predict", run, "--input", source, "--output", tmp_path / name).code == 0
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["doubt"], row["input_doubt"]) for row in rows] == [("", "mine"), ("empty", "")]
    lines = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(line.get("doubt"), line["input_doubt"]) for line in lines] == [(None, "mine"), ("empty", "")]


def test_a_vocabulary_of_other_weights_is_told(
    command: Command, run: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    small = copied(run / "best", tmp_path / "small")
    BertTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "day"]).save_pretrained(small)
    result = command("predict", small, "a day")
    assert result.code == 0
    assert "only 7 tokens in the vocabulary" in result.err
    large = copied(run / "best", tmp_path / "large")
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    BertTokenizer([*special, *(f"w{at}" for at in range(5000))]).save_pretrained(large)
    result = command("predict", large, "a day")
    assert (result.code, "BW325" in result.err) == (1, True), result.err
    caplog.clear()
    with caplog.at_level(logging.WARNING, "bertwright"):
        check_rows("padded", 1000, 1128)
    assert not caplog.records
    with pytest.raises(BertwrightError, match="BW325"):
        check_rows("short", 1000, 999)


def test_one_model_twice_is_told(run: Path, dev_csv: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    shutil.copytree(run / "best", tmp_path / "copy")
    for other in (run, tmp_path / "copy"):
        caplog.clear()
        with caplog.at_level(logging.WARNING, "bertwright"):
            compare(run, other, dev_csv)
        assert caplog.text.count("are the same model") == 1


def test_that_the_dev_set_was_seen_is_told_once_for_both(
    run: Path, dev_csv: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "bertwright"):
        compare(run, run / "best", dev_csv)
    (told,) = [one.getMessage() for one in caplog.records if "the dev set of" in one.getMessage()]
    assert f"{run} and {run / 'best'}" in told


def test_outputs_say_where_they_are_and_what_they_replace(
    command: Command, run: Path, dev_csv: Path, tmp_path: Path
) -> None:
    answers, rows = tmp_path / "new" / "answers.jsonl", tmp_path / "rows.csv"
    first = command("evaluate", run, dev_csv, "--predictions", answers).err
    assert f"the folder {answers.parent} was not there and is made" in first
    assert f"100 answers in {answers}" in first
    assert "is replaced" not in first
    assert f"{answers} was there and is replaced" in command("evaluate", run, dev_csv, "--predictions", answers).err
    assert f"0 rows where the two differ in {rows}" in command("compare", run, run, dev_csv, "--output", rows).err
    assert f"{rows} was there and is replaced" in command("compare", run, run, dev_csv, "--output", rows).err


def test_a_scheme_is_refused_where_there_are_no_tags(command: Command, tmp_path: Path) -> None:
    source = tmp_path / "a.jsonl"
    source.write_text('{"text": "Ann sings", "spans": [[0, 3, "PER"]]}\n', encoding="utf-8")
    for words in (["b.json"], ["b.jsonl"], ["b.conll", "--to", "cluener"]):
        result = command("convert-data", source, tmp_path / words[0], *words[1:], "--scheme", "bmes")
        assert (result.code, "BW640" in result.err) == (2, True), result.err
    assert command("convert-data", source, tmp_path / "b.conll", "--scheme", "bmes").code == 0


def test_masking_words_of_a_store_that_knows_no_chinese_ones_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    vocab = corpus_samples.vocabulary(tmp_path / "vocab")
    corpus = corpus_samples.write_blocks(tmp_path / "corpus.txt", corpus_samples.documents(12))
    words = tmp_path / "words.txt"
    words.write_text("老人\n火车\n孩子\n", encoding="utf-8")
    tokenizer = BertTokenizer.from_pretrained(vocab)
    plain = corpus_samples.prepare([corpus], vocab, tmp_path / "plain")
    knowing = corpus_samples.prepare([corpus], vocab, tmp_path / "knowing", PrepareSettings(words=words))
    english = corpus_samples.write_blocks(
        tmp_path / "en.txt", corpus_samples.documents(12, sentences=corpus_samples.ENGLISH)
    )
    foreign = corpus_samples.prepare([english], vocab, tmp_path / "foreign")

    def told(store: CorpusStore, masking: str) -> str:
        caplog.clear()
        with caplog.at_level(logging.INFO, "bertwright"):
            say_of_words(store, tokenizer, masking)  # type: ignore[arg-type]
        return caplog.text

    for masking in ("word", "ngram", "span"):
        assert "prepare the corpus again with --wwm" in told(plain, masking)
        assert not told(knowing, masking)
        assert not told(foreign, masking)
    assert not told(plain, "token")
    assert "the store knows Chinese words" in told(knowing, "token")
