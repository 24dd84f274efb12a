"""Every mistake in data: one code, the place, the way out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bertwright.data.examples import label_of
from bertwright.data.reading.example_sources import read_examples
from bertwright.data.reading.tables import Columns
from bertwright.errors import BertwrightError
from bertwright.tasks.classification import Classification

pytestmark = pytest.mark.usefixtures("typed")

GOOD = "text,label\ngood,pos\nbad,neg\n"


def refused(source: Any, code: str, *parts: str, **options: Any) -> None:
    with pytest.raises(BertwrightError) as raised:
        Classification.read(source, **{"labelled": True} | options)
    assert raised.value.code == code, str(raised.value)
    for part in parts:
        assert part in str(raised.value)
    raised.value.message("zh")


@pytest.mark.parametrize(
    ("name", "content", "code", "parts"),
    [
        ("a.csv", "", "BW205", ["a.csv"]),
        ("a.json", " \n", "BW205", ["a.json"]),
        ("a.json", "[]", "BW205", ["a.json"]),
        ("a.tsv", "text\tlabel\n", "BW205", ["a.tsv"]),
        ("a.csv", "text\ngood\n", "BW261", ["text = good", "--delimiter"]),
        ("a.csv", GOOD + "one,two,three\n", "BW207", ["a.csv:4", "3 fields", "have 2"]),
        ("a.tsv", "text\tlabel\ngood\tpos\nbad\n", "BW207", ["a.tsv:3", "1 fields"]),
        ("a.csv", GOOD + '"never closed,neg\nx,pos\n', "BW208", ["a.csv:4"]),
        ("a.csv", "text,label\ngood,1.5\nbad,2\n", "BW223", ["a.csv:2", "'1.5'", "regression", "--label-column"]),
        ("a.jsonl", '{"text": "a", "label": 1}\n{"text": "b" "label": 2}\n', "BW225", ["a.jsonl:2, column 14"]),
        ("a.json", '[\n {"text": "a", "label": 1},\n {"text": b}\n]', "BW225", ["a.json:3, column 11"]),
        ("a.json", '[{"text": "a", "label": 1}', "BW225", ["a.json:1, column 27"]),
        ("a.json", '[{"text": "a", "label": 1}] ]', "BW225", ["a.json:1, column 29", "Extra data"]),
        ("a.json", '{"text": "a", "label": 1\n{"text": "b", "label": 2}\n', "BW225", ["a.json:1, column 25"]),
        ("a.jsonl", '{"text": "a", "label": 1}\n["b", 2]\n', "BW226", ["a.jsonl:2", '["b", 2]']),
        ("a.jsonl", "[" * 100_000, "BW225", ["a.jsonl:1"]),
        ("a.jsonl", '{"text": ' + "1" * 5000 + "}\n", "BW225", ["a.jsonl:1"]),
        ("a.jsonl", "1\n", "BW226", ["a.jsonl:1"]),
        ("a.json", '[{"text": "a", "label": 1}, "b"]', "BW226", ["a.json:1", '"b"']),
        (
            "a.jsonl",
            '{"text": "a", "label": 1}\n{"txt": "b", "label": 2}\n',
            "BW227",
            ["a.jsonl:2", "'text'", "txt, label"],
        ),
        ("a.json", '{\n "text": {"0": "a"}\n}', "BW228", ["a.json", ".jsonl"]),
        ("a.jsonl", '{"text": "a", "label": ["x", "y"]}\n', "BW224", ["a.jsonl:1", "'label'", "list"]),
        ("a.parquet", "text,label\n", "BW232", ["a.parquet"]),
        ("a.xlsx", "PK", "BW204", [".xlsx", "as CSV"]),
        ("a", "text", "BW204", ["'-'"]),
    ],
)
def test_a_bad_file(tmp_path: Path, name: str, content: str, code: str, parts: list[str]) -> None:
    if code == "BW232":
        pytest.importorskip("pyarrow")
    (tmp_path / name).write_text(content, encoding="utf-8")
    refused(tmp_path / name, code, *parts)


def test_a_missing_column_names_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(GOOD, encoding="utf-8")
    refused(tmp_path / "a.csv", "BW206", "'labels2'", "text, label", "(label?)", columns=Columns(label="labels2"))
    refused([{"text": "a", "label": 1}], "BW206", "'txt'", "(text?)", columns=Columns("txt"))


def test_encodings_that_do_not_fit(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(("text,label\n" + "fine,pos\n" * 5000).encode() + "好,neg\n".encode("gb18030"))
    refused(file, "BW234", "a.csv:5002", "ascii", encoding="ascii")
    refused(file, "BW234", "a.csv:1", "utf-16", encoding="utf-16")
    refused(file, "BW235", "'utf8-8'", encoding="utf8-8")
    refused(file, "BW235", "'hex'", encoding="hex")
    file.write_bytes(b"text,label\ngood,pos\n\xff\xfe\x00bad,neg\n")
    refused(file, "BW260", "a.csv:3", "--encoding")


def test_folders_that_are_no_data(tmp_path: Path) -> None:
    refused(tmp_path, "BW229", "a folder, not a file", f"{tmp_path}/positive/1.txt")
    (tmp_path / "1.txt").write_text("a text", encoding="utf-8")
    refused(tmp_path, "BW229")
    (tmp_path / "pos").mkdir()
    (tmp_path / "pos" / "picture.jpg").write_bytes(b"")
    refused(tmp_path, "BW229")
    refused(tmp_path / "nothing", "BW201", "nothing")


def test_things_that_are_no_data() -> None:
    pandas = pytest.importorskip("pandas")
    refused(pandas.DataFrame({"text": [], "label": []}), "BW205", "mine", name="mine")
    refused([], "BW205", "train")
    refused(None, "BW233", "NoneType")
    refused({"text": "one row", "label": 1}, "BW233", "dict")
    refused([("a", 1), "b"], "BW233", "train:2", "str")
    refused(["a", None], "BW233", "train:2", labelled=False)
    refused([None, "a"], "BW233", "train:1", "NoneType", labelled=False)
    refused([("a", 1), ("b",)], "BW207", "train:2")
    refused([3], "BW233", "train:1", "int")


def test_a_missing_label_is_counted_with_its_place(tmp_path: Path) -> None:
    """The task refuses it (BW211); reading and inspecting go on."""
    (tmp_path / "a.csv").write_text(GOOD + "so so,\n", encoding="utf-8")
    table = read_examples(tmp_path / "a.csv", labelled=True)
    assert [place.line for place in table.unlabelled] == [4]
    assert label_of(table.examples[2]) is None
