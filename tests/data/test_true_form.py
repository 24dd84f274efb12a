"""Files whose name promises another form than their content has, and files of questions about passages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bertwright.data.examples import label_of, spans_of
from bertwright.data.reading.example_sources import read_examples, stream_examples
from bertwright.data.tagged.span_sources import looks_tagged, read_spans
from bertwright.errors import BertwrightError

ROWS = [{"text": f"a film, number {at}", "label": "good" if at % 2 else "bad"} for at in range(8)]
LINES = "".join(json.dumps(row) + "\n" for row in ROWS)
TABLE = "text,label\n" + "".join(f'"{row["text"]}",{row["label"]}\n' for row in ROWS)
BARS = "text\tlabel\n" + "".join(f"{row['text']}\t{row['label']}\n" for row in ROWS)
ARTICLE = {"title": "Rome", "paragraphs": [{"context": "Rome is old.", "qas": [{"question": "Is it?", "answers": []}]}]}
FLAT = {"id": "1", "context": "Rome is old.", "question": "What is old?", "answers": {"text": ["Rome"]}}


@pytest.mark.parametrize(
    ("name", "content", "form"),
    [
        ("a.csv", LINES, "JSON lines"),
        ("a.txt", LINES, "JSON lines"),
        ("a.tsv", json.dumps(ROWS), "JSON"),
        ("a.csv", json.dumps(ROWS, indent=2), "JSON"),
        ("a.csv", json.dumps({"data": ROWS}), "JSON"),
        ("a.jsonl", TABLE, "CSV"),
        ("a.json", BARS, "TSV"),
    ],
)
def test_a_file_is_read_as_what_it_is_and_that_is_said(tmp_path: Path, name: str, content: str, form: str) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    table = read_examples(path, labelled=True)
    assert [(one.text, label_of(one)) for one in table.examples] == [(row["text"], row["label"]) for row in ROWS]
    assert f"the name ends in {path.suffix}, but the content is {form}" in table.summary()


def test_a_mistake_in_a_file_of_its_name_is_named_as_before(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    for content in ("{'text': 'a', 'label': 'b'}\n" * 2, '"text": "a", "label": "b"\n' * 2, "a film, good\nanother\n"):
        path.write_text(content, encoding="utf-8")
        with pytest.raises(BertwrightError, match="BW225"):
            read_examples(path, labelled=True)
    path = tmp_path / "a.csv"
    path.write_text('{"text": "a", "label": "b"},\n' * 4, encoding="utf-8")
    with pytest.raises(BertwrightError, match="BW225"):
        read_examples(path, labelled=True)
    path = tmp_path / "a.tsv"
    path.write_text('{"a": 1}\tgood\n{"a": 2}\tbad\n' * 4, encoding="utf-8")
    table = read_examples(path, labelled=True)
    assert (table.format, len(table.examples)) == ("TSV", 8)


def test_marked_texts_under_the_name_of_a_table_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('{"text": "Ann sings", "spans": [[0, 3, "PER"]]}\n' * 3, encoding="utf-8")
    assert looks_tagged(path)
    table = read_spans(path)
    assert [len(spans_of(one) or ()) for one in table.examples] == [1, 1, 1]
    assert "but the content is JSON lines" in table.summary()


@pytest.mark.parametrize("row", [ARTICLE, FLAT])
def test_questions_about_a_passage_are_no_texts_to_answer(tmp_path: Path, row: dict[str, object]) -> None:
    path = tmp_path / "squad.json"
    path.write_text(json.dumps({"version": "1", "data": [row, row]}), encoding="utf-8")
    for source in (path, [row]):
        with pytest.raises(BertwrightError, match="BW265"):
            stream_examples(source)
    with pytest.raises(BertwrightError, match="BW265"):
        read_examples(path, labelled=False)
