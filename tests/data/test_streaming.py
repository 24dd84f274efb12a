"""A file of any length in constant memory."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import pytest

from bertwright.data.reading.example_sources import read_examples, stream_examples

ROWS = 100_000


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".jsonl", ".json"])
def test_memory_stays_flat(tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"a{ending}"
    rows = ROWS if ending == ".csv" else ROWS // 4
    with file.open("w", encoding="utf-8") as out:
        if ending.startswith(".json"):
            is_list = ending == ".json"
            out.write("[\n" if is_list else "")
            for number in range(rows):
                comma = "," if is_list and number + 1 < rows else ""
                out.write(json.dumps({"text": f"the text number {number}", "label": number % 2}) + comma + "\n")
            out.write("]" if is_list else "")
        else:
            separator = "," if ending == ".csv" else "\t"
            out.write(f"text{separator}label\n")
            out.writelines(f"the text number {number}{separator}{number % 2}\n" for number in range(rows))
    tracemalloc.start()
    try:
        columns, examples = stream_examples(file)
        last = None
        count = 0
        for example in examples:
            count += 1
            last = example
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (columns.text, count) == ("text", rows)
    assert last is not None
    assert last.text == f"the text number {rows - 1}"
    assert peak < 2 << 20  # bytes; all examples at once take some 7 MB of 25,000 rows


def test_only_what_is_asked_for_is_read(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("text,label\n" + "fine,1\n" * 5000 + "one,two,three\n", encoding="utf-8")
    _, examples = stream_examples(file)
    assert next(examples).text == "fine"  # the mistake at the end is met when it is reached


@pytest.mark.parametrize("ending", ["csv", "tsv"])
def test_a_blank_line_of_a_single_column_is_a_row(ending: str, tmp_path: Path) -> None:
    file = tmp_path / f"texts.{ending}"
    file.write_text("\ntext\nfirst\n\n\nfourth\n\n", encoding="utf-8")
    _, examples = stream_examples(file)
    assert [(one.text, one.where.line) for one in examples] == [("first", 3), ("", 4), ("", 5), ("fourth", 6)]
    table = read_examples(file, labelled=False)
    assert [one.line for one in table.empty] == [4, 5]
    separator = "," if ending == "csv" else "\t"
    file.write_text(f"text{separator}label\n\na good film{separator}1\n\na bad film{separator}0\n", encoding="utf-8")
    assert len(list(stream_examples(file)[1])) == 2
