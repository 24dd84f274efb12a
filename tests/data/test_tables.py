"""CSV, TSV and rows in memory to examples."""

from __future__ import annotations

import bz2
import csv
import gzip
import lzma
from pathlib import Path

import pytest

from bertwright.data.examples import Where, label_of
from bertwright.data.reading.example_sources import read_examples
from bertwright.data.reading.tables import Columns
from bertwright.errors import BertwrightError


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def test_csv_with_quotes_commas_and_line_breaks(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", 'id,label,text\r\n1,x,"one, ""two"""\r\n2,y,"a\r\nb"\r\n3,x,plain\r\n')
    table = read_examples(file, labelled=True)
    assert [example.text for example in table.examples] == ['one, "two"', "a\r\nb", "plain"]
    assert [label_of(example) for example in table.examples] == ["x", "y", "x"]
    assert [example.where.line for example in table.examples] == [2, 3, 5]
    assert str(table.examples[2].where) == f"{file}:5"


@pytest.mark.parametrize("separator", [",", ";"])
def test_spaces_before_quotes(tmp_path: Path, separator: str) -> None:
    """Else the quotes would be a part of the label, and a comma in them the end of it."""
    rows = '"text", "label"\n"one, ""two""", "x; y"\n"a\nb",  "x; y"\nplain, z\n'
    rows = rows.translate(str.maketrans(",;", ";,")) if separator == ";" else rows
    table = read_examples(write(tmp_path / "a.csv", rows), labelled=True)
    label = "x; y" if separator == "," else "x, y"
    assert [label_of(example) for example in table.examples] == [label, label, "z"]
    assert [example.text[:3] for example in table.examples] == ["one", "a\nb", "pla"]
    assert "spaces before quotes are left out" in table.summary()


def test_spaces_that_are_a_part_of_the_field(tmp_path: Path) -> None:
    rows = 'text,label\n" ""quoted"", ""twice""",x\n one, y\n "half" of it,x\n'
    table = read_examples(write(tmp_path / "a.csv", rows + rows[11:] * 60), labelled=True)
    assert [example.text for example in table.examples[:3]] == [' "quoted", "twice"', " one", ' "half" of it']
    assert "spaces before" not in table.summary()
    late = write(tmp_path / "b.csv", rows + "text,x\n" * 200 + 'text, "x"\n')
    with pytest.raises(BertwrightError, match=r"BW208: .*b.csv:205: .*a space before a quotation mark"):
        read_examples(late, labelled=True)


def test_quotes_in_a_tsv_are_characters(tmp_path: Path) -> None:
    file = write(tmp_path / "a.tsv", 'sentence\tlabel\n"half a quote\t1\n an "open" one"\t0\n')
    table = read_examples(file, labelled=True)
    assert [example.text for example in table.examples] == ['"half a quote', ' an "open" one"']
    assert table.columns == Columns("sentence", "label")


@pytest.mark.parametrize("ending", [".csv", ".tsv"])
def test_a_long_text_in_quotes(tmp_path: Path, ending: str) -> None:
    """Longer than what the module csv takes by itself: a book, or a field that is never closed."""
    separator = "," if ending == ".csv" else "\t"
    rows = f'text,label\n"a ""book"" {"word " * 40_000}",x\nshort,y\n'.replace(",", separator)
    table = read_examples(write(tmp_path / f"a{ending}", rows), labelled=True)
    assert [(len(example.text), label_of(example)) for example in table.examples] == [(200_009, "x"), (5, "y")]


@pytest.mark.parametrize(("ending", "longest"), [(".csv", 1 << 24), (".csv", 5000), (".tsv", 5000)])
def test_a_quote_without_an_end_is_said(
    tmp_path: Path, ending: str, longest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bertwright.data.reading.delimited.LONGEST_LINE", longest)
    separator = "," if ending == ".csv" else "\t"
    end = '"' if ending == ".tsv" else ""  # between tabs a quote without an end is a character
    rows = "text,label\n" + "short,y\n" * 3 + '"a ""long"" one' + f"{'word ' * 300},x\n" * 98 + end + ",x\n"
    before = csv.field_size_limit(1000)
    try:
        with pytest.raises(BertwrightError, match=rf"BW(208|297): .*a{ending}:5: "):
            read_examples(write(tmp_path / f"a{ending}", rows.replace(",", separator)), labelled=True)
    finally:
        csv.field_size_limit(before)


def test_rows_without_text_are_left_out_and_named(tmp_path: Path) -> None:
    table = read_examples(write(tmp_path / "a.csv", "text,label\na,1\n ,2\n,3\nb,4\n"), labelled=True)
    assert len(table.examples) == 2
    assert [where.line for where in table.empty] == [3, 4]
    assert table.summary().endswith(f"2 rows without text left out: {tmp_path / 'a.csv'}:3, line 4")


@pytest.mark.parametrize(
    ("ending", "compress"), [(".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)]
)
def test_compressed(tmp_path: Path, ending: str, compress: object) -> None:
    file = tmp_path / f"a.tsv{ending}"
    file.write_bytes(compress("text\tlabel\n好\t1\n".encode()))  # type: ignore[operator]
    assert read_examples(file, labelled=True).examples[0].text == "好"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    file = write(tmp_path / "a.csv", "text,label\n这家店的服务太差了，不会再来,1\n", encoding)
    table = read_examples(file, labelled=True)
    assert table.examples[0].text == "这家店的服务太差了，不会再来"
    assert table.encoding == encoding


def test_a_named_encoding_is_used(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", "text,label\n臺灣的小吃,1\n", "big5")
    assert read_examples(file, labelled=True, encoding="big5").examples[0].text == "臺灣的小吃"


@pytest.mark.parametrize(
    ("named", "written"),
    [
        ("utf-8", "utf-8-sig"),
        ("UTF8", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16"),
        ("utf-32", "utf-32"),
    ],
)
def test_a_mark_is_no_part_of_the_text(tmp_path: Path, named: str, written: str) -> None:
    """The mark that spreadsheets put first is read over, though the encoding that is named has none."""
    file = write(tmp_path / "a.csv", "text,label\n好,1\n", written)
    table = read_examples(file, Columns("text"), labelled=True, encoding=named)
    assert (table.columns.text, table.examples[0].text) == ("text", "好")
    file = write(tmp_path / "a.txt", "好\n", written)
    assert read_examples(file, labelled=False, encoding=named).examples[0].text == "好"


def test_named_columns(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", "a,b,c\n1,2,3\n")
    example = read_examples(file, Columns("c", "a"), labelled=True).examples[0]
    assert (example.text, label_of(example)) == ("3", "1")


def test_labels_are_needed_only_where_they_are_asked_for(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", "text\nx\n")
    assert label_of(read_examples(file, labelled=False).examples[0]) is None
    with pytest.raises(BertwrightError, match="BW261"):
        read_examples(file, labelled=True)


def test_rows_in_memory() -> None:
    pairs = read_examples([("a", 1), ("b", 0)], labelled=True).examples
    mappings = read_examples([{"label": 1, "sentence": "a"}, {"label": 0, "sentence": "b"}], labelled=True).examples
    assert pairs == mappings
    assert pairs[1].where == Where("train", 2)
    assert [example.text for example in read_examples(["a", "b"], labelled=False, name="texts").examples] == ["a", "b"]
    with pytest.raises(BertwrightError, match="train:2"):
        read_examples([("a", 1), ("b",)], labelled=True)
