"""Every format that people have, to the same examples."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertwright.data.examples import Where, label_of
from bertwright.data.reading.example_sources import read_examples, stream_examples
from bertwright.data.reading.json_rows import read_json
from bertwright.data.reading.opened_source import OpenedSource
from bertwright.data.reading.tab_quotes import TabQuotes, tab_quotes
from bertwright.data.reading.tables import Columns, Table
from bertwright.data.reading.text_pairs import read_pairs
from bertwright.errors import BertwrightError
from bertwright.text.files import detect_encoding

ROWS = [('good,\n"very" good', "pos"), ("bad", "neg"), ("很好\t真的", "pos"), ("不好", "neg")]


def contents(table: Table) -> list[tuple[str, str | None]]:
    return [(example.text, label_of(example)) for example in table.examples]


def delimited(separator: str, quoting: int = csv.QUOTE_MINIMAL) -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=separator, quoting=quoting).writerows([("text", "label"), *ROWS])  # type: ignore[arg-type]
    return out.getvalue()


OBJECTS = [{"text": text, "label": label} for text, label in ROWS]
JSON_LINES = "\n".join(json.dumps(one, ensure_ascii=False) for one in OBJECTS)
FORMATS = {
    "a.csv": (delimited(","), "CSV"),
    "all-quoted.csv": (delimited(",", csv.QUOTE_ALL), "CSV"),
    "semicolons.csv": (delimited(";"), "CSV (semicolons)"),
    "tabs.csv": (delimited("\t"), "CSV (tabs)"),
    "a.tsv": (delimited("\t"), "TSV"),
    "all-quoted.txt": (delimited("\t", csv.QUOTE_ALL), "TSV"),
    "a.jsonl": (JSON_LINES, "JSON lines"),
    "lines.json": (JSON_LINES + "\n\n", "JSON lines"),
    "list.json": (json.dumps(OBJECTS), "JSON"),
    "list.jsonl": (json.dumps(OBJECTS), "JSON"),
    "indented.json": (json.dumps(OBJECTS, indent=2), "JSON"),
    "data.json": (json.dumps({"version": "1", "of": {"by": [1]}, "data": OBJECTS, "end": 0}), "JSON"),
    "data-indented.json": (json.dumps({"version": "1", "data": OBJECTS}, indent=1), "JSON"),
}


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_gives_its_rows(tmp_path: Path, name: str) -> None:
    text, kind = FORMATS[name]
    (tmp_path / name).write_bytes(text.encode())
    table = read_examples(tmp_path / name, labelled=True)
    assert contents(table) == ROWS
    assert table.format == kind
    for ending, compress in ((".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)):
        (tmp_path / (name + ending)).write_bytes(compress(text.encode()))
        assert contents(read_examples(tmp_path / (name + ending), labelled=True)) == ROWS


@pytest.mark.parametrize(("name", "lines"), [("indented.json", [2, 6, 10, 14]), ("a.jsonl", [1, 2, 3, 4])])
def test_json_places_are_lines(tmp_path: Path, name: str, lines: list[int]) -> None:
    (tmp_path / name).write_text(FORMATS[name][0], encoding="utf-8")
    table = read_examples(tmp_path / name, labelled=True)
    assert [example.where for example in table.examples] == [Where(str(tmp_path / name), line) for line in lines]


@given(
    st.lists(st.dictionaries(st.text(max_size=3), st.text() | st.integers() | st.floats(allow_nan=False), min_size=1))
)
def test_json_lists_in_small_blocks(tmp_path_factory: pytest.TempPathFactory, items: list[dict[str, object]]) -> None:
    file = tmp_path_factory.mktemp("json") / "a.json"
    file.write_text(json.dumps(items, indent=1), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bertwright.text.lines.blocks_of.__defaults__", (7,))
        assert [fields for _, fields in read_json(OpenedSource(file)).rows] == items


def test_parquet(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="Parquet needs the extra `data`")
    parquet = pytest.importorskip("pyarrow.parquet")
    texts, labels = zip(*ROWS)
    parquet.write_table(pyarrow.table({"label": labels, "text": texts}), tmp_path / "a.parquet")
    table = read_examples(tmp_path / "a.parquet", labelled=True)
    assert contents(table) == ROWS
    assert str(table.examples[2].where).endswith("a.parquet:3")


def test_parquet_texts_that_were_written_as_bytes(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="Parquet needs the extra `data`")
    parquet = pytest.importorskip("pyarrow.parquet")
    file = tmp_path / "a.parquet"
    texts, labels = ([value.encode() for value in values] for values in zip(*ROWS))
    pictures = [bytes([0xFF, 0xD8, number]) * 50 for number in range(len(ROWS))]
    for kind in (pyarrow.binary(), pyarrow.large_binary(), pyarrow.dictionary(pyarrow.int32(), pyarrow.binary())):
        columns = {"picture": pictures, "sentiment": labels, "opinion": pyarrow.array(texts).cast(kind)}
        parquet.write_table(pyarrow.table(columns), file)
        assert contents(read_examples(file, labelled=True)) == ROWS, kind
    parquet.write_table(pyarrow.table({"text": [b"good", b"caf\xe9"], "label": ["x", "y"]}), file)
    with pytest.raises(BertwrightError, match=r"BW224.*a\.parquet:2: the column 'text' holds bytes"):
        read_examples(file, labelled=True)


def test_parquet_without_pyarrow_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow.parquet", None)
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    with pytest.raises(BertwrightError, match=r'BW231.*\n.*\n.*pip install "bertwright\[data\]"'):
        read_examples(tmp_path / "a.parquet", labelled=True)


def test_folders_of_classes(tmp_path: Path) -> None:
    for name, texts in (("体育", ["赢了", "输了"]), ("财经", ["涨了"])):
        (tmp_path / name).mkdir()
        for number, text in enumerate(texts):
            (tmp_path / name / f"{number}.txt").write_text(text + "\n", encoding="utf-8")
    (tmp_path / "体育" / "9.txt.gz").write_bytes(gzip.compress("平了".encode()))
    (tmp_path / "readme.txt").write_text("not a text of a class", encoding="utf-8")
    table = read_examples(tmp_path, labelled=True)
    assert contents(table) == [("赢了", "体育"), ("输了", "体育"), ("平了", "体育"), ("涨了", "财经")]
    assert table.examples[3].where == Where(str(tmp_path / "财经" / "0.txt"), 1)
    assert "2 sub-folders are the classes: 体育, 财经; 1 other file passed over" in table.summary()


def test_plain_lines(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text('one, two\n\n"three\n', encoding="utf-8")
    columns, examples = stream_examples(file)
    assert [(example.text, example.where.line) for example in examples] == [("one, two", 1), ("", 2), ('"three', 3)]
    assert columns == Columns("text")


@pytest.mark.parametrize(
    ("lines", "meaning"),
    [
        (["a\tb\n", "c\td\n"], TabQuotes.NONE),
        (['he said "no"\t1\n', '"Jaws"\t0\n'], TabQuotes.LITERAL),
        (["a\t1\n", '"Jaws"\t0\n'], TabQuotes.LITERAL),
        (['"half\t1\n', "a\t0\n"], TabQuotes.LITERAL),
        (['"half\t1\n', 'a "b\t0\n'], TabQuotes.LITERAL),
        (["a\t1\n", '"he said ""no"""\t0\n'], TabQuotes.ENCLOSING),
        (["a\t1\n", '"two\n', 'lines"\t0\n'], TabQuotes.ENCLOSING),
        (["a\t1\n", '"with\ttab"\t0\n'], TabQuotes.ENCLOSING),
        (["text\tlabel\n", '"a"\t1\n', '"b"\t0\n'], TabQuotes.ENCLOSING),
    ],
)
def test_what_quotes_mean_between_tabs(lines: list[str], meaning: TabQuotes) -> None:
    assert tab_quotes(lines) is meaning


CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12)


@given(st.lists(CELLS, min_size=1, max_size=8), st.sampled_from(["\t", ","]))
def test_what_a_spreadsheet_writes_is_read(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], separator: str
) -> None:
    out = io.StringIO(newline="")
    rows = [(text, str(number % 2)) for number, text in enumerate(['a "quoted" word', *texts])]
    csv.writer(out, delimiter=separator).writerows([("text", "label"), *rows])
    file = tmp_path_factory.mktemp("table") / ("a.tsv" if separator == "\t" else "a.csv")
    file.write_bytes(out.getvalue().encode())
    assert [(one.text, label_of(one)) for one in stream_examples(file, labelled=True)[1]] == rows


def test_a_file_of_one_line_is_looked_at_in_blocks(tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    path.write_text("[" + "12345, " * 3_000_000 + "1]", encoding="utf-8")
    tracemalloc.start()
    assert detect_encoding(path) == "utf-8"
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < path.stat().st_size / 3


@pytest.mark.parametrize("at", [0, 1, 700_000, (1 << 16) - 1, 1 << 16, (1 << 16) + 13, (1 << 20) + 5])
@pytest.mark.parametrize("bad", [b"\xff", b"\0", "é".encode()[:1]])
def test_the_line_of_bytes_that_are_no_text(tmp_path: Path, at: int, bad: bytes) -> None:
    content = ("é" * 6 + "\n").encode() * 100_000
    at -= at % 13  # at the beginning of a line
    path = tmp_path / "a.txt"
    path.write_bytes(content[:at] + bad + content[at:])
    with pytest.raises(BertwrightError, match="BW260" if bad == b"\0" else "BW203") as caught:
        detect_encoding(path)
    assert str(caught.value.fields["where"]) == f"{path}:{at // 13 + 1}"
    path.write_bytes(content)
    assert detect_encoding(path) == "utf-8"
    path.write_bytes(content + "é".encode()[:1])
    with pytest.raises(BertwrightError, match="BW203"):
        detect_encoding(path)


@pytest.mark.parametrize("lines_of_a_text", [1, 2, 3, 4, 5, 7])
@pytest.mark.parametrize("separator", [";", "\t", ","])
def test_texts_of_several_lines_in_quotes(tmp_path: Path, lines_of_a_text: int, separator: str) -> None:
    text = "\n".join(["a line, with a comma; and more"] * lines_of_a_text)
    path = tmp_path / "train.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=separator).writerows([("text", "label"), *[(text, "x"), (text, "y")] * 80])
    table = read_examples(path, labelled=True)
    assert len(table.examples) == 160
    assert {example.text for example in table.examples} == {text}


def test_columns_of_one_name_are_refused_in_pairs_too(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("sentence1,sentence1,sentence2,label\na,b,c,0\nd,e,f,1\n", encoding="utf-8")
    with pytest.raises(BertwrightError, match="BW236: .*'sentence1'"):
        read_examples(path, labelled=True)
    path.write_text("source,source,target\na,b,c\nd,e,f\n", encoding="utf-8")
    with pytest.raises(BertwrightError, match="BW236: .*'source'"):
        read_pairs(path, labelled=True)
