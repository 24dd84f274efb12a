"""A file is looked at once, however many ask what it is."""

from __future__ import annotations

from collections import Counter
from importlib import import_module
from pathlib import Path

import pytest

import bertwright
from bertwright.data.examples import Example, Where
from bertwright.data.reading.example_sources import stream_examples
from bertwright.data.reading.opened_source import OpenedSource, opened
from bertwright.tasks.registry import task_for
from bertwright.text import lines
from bertwright.text.files import detect_encoding

ROWS = [("a fine day in Paris", "pos"), ("a bad day in London", "neg")] * 3
FILES = {
    "train.conll": "Anna B-PER\nsings O\n\nBob B-PER\nwho O\nis O\n\n" * 3,
    "train.tsv": "text\tlabel\n" + "".join(f"{text}\t{label}\n" for text, label in ROWS),
    "train.csv": "text,label\n" + "".join(f"{text},{label}\n" for text, label in ROWS),
    "train.jsonl": '{"text": "Anna sings", "label": [[0, 4, "PER"]]}\n' * 3,
    "train.txt": "Anna\tB-PER\nsings\tO\nand\tO\n\n" * 3,
}


@pytest.fixture
def detections(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often the encoding of each file was detected."""
    counts: Counter[str] = Counter()
    detect = detect_encoding

    def counted(path: Path) -> str:
        counts[path.name] += 1
        return detect(path)

    monkeypatch.setattr(lines, "detect_encoding", counted)
    return counts


@pytest.mark.parametrize("name", FILES)
def test_an_encoding_is_detected_once_from_the_choice_of_a_task_to_its_examples(
    tmp_path: Path, detections: Counter[str], name: str
) -> None:
    (tmp_path / name).write_text(FILES[name], encoding="utf-8")
    source = opened(tmp_path / name)
    table = task_for(source, None).read(source, labelled=True)
    assert len(table.examples) >= 3
    assert table.encoding == "utf-8"
    assert detections == {name: 1}


@pytest.mark.parametrize("name", FILES)
def test_finetune_detects_the_encoding_of_each_file_once(
    tmp_path: Path, detections: Counter[str], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / name).write_text(FILES[name], encoding="utf-8")
    dev = tmp_path / f"dev{Path(name).suffix}"
    dev.write_text(FILES[name], encoding="utf-8")

    class AllReadError(Exception):
        pass

    def job(*_: object) -> None:
        raise AllReadError

    monkeypatch.setattr(import_module("bertwright.training.finetuning.finetune"), "FinetuneJob", job)
    with pytest.raises(AllReadError):
        bertwright.finetune(str(tmp_path / name), dev, out=tmp_path / "run")
    assert detections == {name: 1, dev.name: 1}


def test_an_encoding_that_was_named_is_not_detected_and_goes_with_the_source(
    tmp_path: Path, detections: Counter[str]
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("text\n臺灣的小吃\n".encode("big5"))
    _, examples = stream_examples(opened(path, "big5"))
    assert [example.text for example in examples] == ["臺灣的小吃"]
    assert not detections


def test_what_was_looked_at_is_read_again_only_for_more_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.txt"
    path.write_text("one\ntwo\nthree\n", encoding="utf-8")
    source = OpenedSource(path)
    assert source.first_lines(2) == ["one\n", "two\n"]
    assert source.first_lines(9) == ["one\n", "two\n", "three\n"]
    monkeypatch.setattr(OpenedSource, "lines", lambda _: pytest.fail("opened again"))
    assert source.first_lines(1) == ["one\n"]
    assert source.first_lines(9) == ["one\n", "two\n", "three\n"]


def test_what_is_no_path_is_opened_already() -> None:
    rows = [Example("a", None, Where("x", 1))]
    assert opened(rows) is rows
    source = OpenedSource(Path("a.csv"))
    assert opened(source) is source
