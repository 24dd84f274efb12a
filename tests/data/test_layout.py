"""Columns and headers, found as a person finds them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bertwright.data.answers import Label
from bertwright.data.examples import label_of
from bertwright.data.reading.example_sources import read_examples, stream_examples
from bertwright.data.reading.tables import Columns
from bertwright.errors import BertwrightError

LONG = [f"this is the long text number {number}, and it goes on for a while" for number in range(12)]
ALSO = [f"the other text has about the same length, number {number} of some" for number in range(12)]
WORDS = ["red", "blue", "green"] * 4
BITS = ["0", "1"] * 6
IDS = [f"doc-{number}" for number in range(12)]


def write(folder: Path, *columns: list[str], header: list[str] | None = None) -> Path:
    rows = [header] if header else []
    rows += [list(row) for row in zip(*columns)]
    (folder / "a.tsv").write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")
    return folder / "a.tsv"


@pytest.mark.parametrize(
    ("header", "columns"),
    [
        (["id", "text", "label"], ("text", "label", None)),
        (["编号", "文本", "标签"], ("文本", "标签", None)),
        (["ID", "Review", "Sentiment"], ("Review", "Sentiment", None)),
        (["label_desc", "sentence", "label"], ("sentence", "label", None)),
        (["guid", "Sentence 1", "sentence-2"], ("Sentence 1", None, "sentence-2")),
        (["#1 String", "#2 String", "Quality"], ("#1 String", "Quality", "#2 String")),
        (["query", "title", "类别"], ("query", "类别", "title")),
        (["premise", "hypothesis", "gold_label"], ("premise", "gold_label", "hypothesis")),
        (["前提", "假设", "class"], ("前提", "class", "假设")),
    ],
)
def test_usual_names(tmp_path: Path, header: list[str], columns: tuple[str | None, ...]) -> None:
    texts = [LONG, ALSO, WORDS]
    found, examples = stream_examples(write(tmp_path, *texts, header=header))
    assert (found.text, found.label, found.text_b) == columns
    assert len(list(examples)) == 12


@pytest.mark.parametrize(
    ("columns", "header", "found"),
    [
        ((LONG, WORDS), None, ("1", "2", None)),
        ((BITS, LONG), None, ("2", "1", None)),
        ((IDS, LONG, WORDS), None, ("2", "3", None)),
        ((WORDS, BITS, LONG), None, ("3", "2", None)),
        ((LONG, ALSO, BITS), None, ("1", "3", "2")),
        ((IDS, ALSO, WORDS, LONG), None, ("2", "3", "4")),
        ((LONG, ["pos"] * 12), None, ("1", "2", None)),
        ((LONG, BITS), ["kommentar", "wertung"], ("kommentar", "wertung", None)),
        ((LONG, WORDS), ["opinion", "colour"], ("opinion", "colour", None)),
        ((LONG, ALSO, WORDS), ["frage", "antwort", "urteil"], ("frage", "urteil", "antwort")),
        ((LONG, WORDS), ["text", "colour"], ("text", "colour", None)),
    ],
)
def test_at_a_glance(
    tmp_path: Path, columns: tuple[list[str], ...], header: list[str] | None, found: tuple[str | None, ...]
) -> None:
    table = read_examples(write(tmp_path, *columns, header=header), labelled=True)
    assert (table.columns.text, table.columns.label, table.columns.text_b) == found
    assert table.header is (header is not None)
    assert len(table.examples) == 12


def test_far_numbers_cost_nothing(tmp_path: Path) -> None:
    """Between the two labels lie so many numbers that a list of them would fit no memory."""
    file = write(tmp_path, LONG, ["0", "1" + "0" * 24] * 6)
    assert read_examples(file, labelled=True).columns == Columns("1", "2")


def test_what_is_not_clear_is_asked(tmp_path: Path) -> None:
    file = write(tmp_path, LONG, WORDS, ["x", "y"] * 6, header=["text", "eins", "zwei"])
    with pytest.raises(BertwrightError) as raised:
        read_examples(file, labelled=True)
    assert raised.value.code == "BW221"
    assert "text = this is the long text number 0, and it g… | eins = red | zwei = x" in str(raised.value)
    assert 'label="NAME"' in str(raised.value)
    assert read_examples(file, Columns(label="zwei"), labelled=True).examples[0].answer == Label("x")
    with pytest.raises(BertwrightError, match="BW220"):
        stream_examples(write(tmp_path, LONG, ALSO, LONG))
    with pytest.raises(BertwrightError, match="BW222"):
        read_examples(write(tmp_path, LONG, BITS), labelled=True, pair=True)


def test_named_and_numbered_columns(tmp_path: Path) -> None:
    file = write(tmp_path, LONG, ALSO, BITS)
    table = read_examples(file, Columns("2", "3"), labelled=True)
    assert (table.examples[0].text, table.is_pair) == (ALSO[0], False)
    assert read_examples(file, Columns("2", "3"), labelled=True, pair=True).examples[0].text_b == LONG[0]
    file = write(tmp_path, LONG, BITS, header=["premise", "hypothesis"])
    assert read_examples(file, Columns("premise", "Hypothesis"), labelled=True).columns == Columns(
        "premise", "hypothesis"
    )
    file = write(tmp_path, LONG, ALSO, BITS, header=["text", "text", "label"])
    with pytest.raises(BertwrightError, match=r"BW236: .* 2 columns are called 'text'"):
        read_examples(file, labelled=True)
    assert read_examples(file, Columns("2"), labelled=True).examples[0].text == ALSO[0]


def test_a_text_that_is_called_as_its_column(tmp_path: Path) -> None:
    for header in (["text", "label"], ["query", "intent"]):
        table = read_examples(write(tmp_path, [*LONG, header[0]], [*BITS, "1"], header=header), labelled=True)
        assert (table.header, len(table.examples)) == (True, 13)
        assert table.examples[-1].text == header[0]


def test_a_number_of_a_column_is_no_value_of_the_first_row(tmp_path: Path) -> None:
    """The first row has the labels 1 and 2, and so are the columns called on the command line."""
    for rows, columns in (((LONG, ["1", "2"] * 6), ("1", "2")), ((["2", "1"] * 6, LONG), ("2", "1"))):
        table = read_examples(write(tmp_path, *rows), Columns(*columns), labelled=True)
        assert (table.header, len(table.examples), table.examples[0].text) == (False, 12, LONG[0])
        assert label_of(table.examples[0]) in ("1", "2")
    # A data frame without names is saved with numbers for them, and with its index.
    file = write(tmp_path, [str(row) for row in range(12)], LONG, BITS, header=["", "0", "1"])
    table = read_examples(file, Columns("0", "1"), labelled=True)
    assert (table.header, len(table.examples), table.examples[0].text) == (True, 12, LONG[0])


def test_a_first_row_of_values_is_no_header(tmp_path: Path) -> None:
    # "text" and "label" are ordinary words, too.
    rows = ["text", *LONG[1:]], ["label", "x", "y"] + ["label", "x", "y"] * 3
    assert read_examples(write(tmp_path, *rows), labelled=True).header is False


@pytest.mark.parametrize("form", ["empty", "absent", "csv"])
@pytest.mark.parametrize(("first", "second"), [("text", "text_b"), ("sentence1", "Sentence2"), ("query", "title")])
def test_a_second_text_that_comes_late_is_said(tmp_path: Path, form: str, first: str, second: str) -> None:
    rows = [{first: f"the text {row}", second: "", "label": str(row % 2)} for row in range(1100)]
    rows[1050][second] = "something else"
    if form == "csv":
        path = tmp_path / "a.csv"
        path.write_text("".join(",".join(row) + "\n" for row in [rows[0], *(row.values() for row in rows)]))
    else:
        path = tmp_path / "a.jsonl"
        kept = [{key: value for key, value in row.items() if value or form == "empty"} for row in rows]
        path.write_text("".join(json.dumps(row) + "\n" for row in kept), encoding="utf-8")
    with pytest.raises(BertwrightError, match=rf"BW237: .*:{1052 if form == 'csv' else 1051}: '{second}' has"):
        read_examples(path, labelled=True)
    columns, examples = stream_examples(path)
    assert columns.text_b is None
    with pytest.raises(BertwrightError, match="BW237"):
        list(examples)
    assert len(read_examples(path, Columns(first), labelled=True).examples) == 1100
    assert read_examples(path, labelled=True, pair=False).is_pair is False
    if form != "absent":
        assert [one.text_b for one in read_examples(path, Columns(first, "label", second), labelled=True).examples] == [
            "something else"
        ]


def test_an_empty_second_text_is_none(tmp_path: Path) -> None:
    file = write(tmp_path, LONG, [""] * 12, BITS, header=["text_a", "text_b", "label"])
    table = read_examples(file, labelled=True)
    assert not table.is_pair
    assert len(table.examples) == 12


def test_no_column_is_two_things(tmp_path: Path) -> None:
    """A pair has usual names, and one of them was named as the label."""
    rows = [{"premise": text, "hypothesis": word} for text, word in zip(LONG, WORDS)]
    columns, examples = stream_examples(rows, Columns(label="hypothesis"))
    assert columns == Columns("premise", "hypothesis")
    assert next(examples).text == LONG[0]
