"""Any source that people have to examples: `read_examples` as a whole, `stream_examples` one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain
from operator import getitem
from typing import Any

from bertwright.data.answers import Label
from bertwright.data.examples import Example, Where
from bertwright.data.reading.class_folders import read_class_folders
from bertwright.data.reading.class_words import with_class_words
from bertwright.data.reading.columns.column_layout import ColumnLayout, find_layout
from bertwright.data.reading.columns.column_search import TEXTS_WITH_LABELS
from bertwright.data.reading.delimited import read_delimited
from bertwright.data.reading.json_rows import read_json
from bertwright.data.reading.memory_rows import read_memory
from bertwright.data.reading.opened_source import OpenedSource, opened
from bertwright.data.reading.parquet import read_parquet
from bertwright.data.reading.passage_questions import form_of_questions
from bertwright.data.reading.rows import Row, Rows
from bertwright.data.reading.tables import EXAMPLES, Columns, Table, given_examples
from bertwright.errors import BertwrightError
from bertwright.text.file_kinds import refuse_stand_ins

# What programs write where a label is missing; "None" and "NA" may be classes, which `inspect` asks about.
MISSING = frozenset(("", "nan", "NaN", "NAN", "<NA>", "#N/A", "N/A", "n/a", "NaT", "null", "NULL", "Null"))
_READERS: dict[str, Callable[[OpenedSource], Rows]] = {
    **dict.fromkeys((".csv", ".tsv", ".txt"), read_delimited),
    **dict.fromkeys((".json", ".jsonl", ".ndjson"), read_json),
    **dict.fromkeys((".parquet", ".pq"), read_parquet),
}

TAGGED_ENDINGS = (".conll", ".conllu", ".bio", ".bioes", ".bmes", ".bilou", ".iob", ".iob2")  # of nothing else


def read_examples(
    source: Any,
    columns: Columns | None = None,
    *,
    labelled: bool,
    encoding: str | None = None,
    name: str = "train",
    pair: bool | None = None,
) -> Table:
    """The examples of a source, with an account of what was inferred and left out (`Table.summary`).

    Rows without text give no example and are counted with their places. Rows without a label become examples with the
    label None, and are counted too. Labels are what is written.

    Args:
        source: the path of a CSV, TSV, JSON, JSON lines or text file (also `.gz`, `.bz2`, `.xz`), of a Parquet
            file, or of a folder whose sub-folders are the classes; a pandas or polars data frame; a
            `datasets.Dataset`; an iterable of mappings, of tuples (text, second text of a pair, label), of
            texts, or of `Example`s; an `OpenedSource`, or `Rows` that a reader made.
        columns: the columns that hold what, where they are not to be found by their names or by looking.
        labelled: whether every text should have a label.
        encoding: of a file, instead of the detected one.
        name: what a source in memory is called in messages.
        pair: whether the examples are pairs of texts; None: found out.

    Raises:
        BertwrightError: BW201 to BW203, BW234, BW235 a file or its encoding; BW204 an unknown format; BW205 no
            examples; BW206, BW220 to BW222, BW236, BW237 the columns; BW207, BW208, BW216, BW218, BW219, BW224 to
            BW233, BW238, BW261, BW262, BW265 what the readers find; BW215, BW260 no data at all.
    """
    if given := given_examples(source):
        return _of_examples(given, name)
    rows = open_rows(source, encoding, name, labelled=labelled, pair=pair)
    if columns in (None, Columns()):
        rows = _no_questions(rows, labelled=labelled)
        rows = with_class_words(rows) if labelled else rows
    layout, found = find_layout(rows, columns or Columns(), TEXTS_WITH_LABELS, labelled=labelled, pair=pair)
    examples: list[Example] = []
    empty: list[Where] = []
    for example in _labelled(found, layout):
        if _has_text(example):
            examples.append(example)
        else:
            empty.append(example.where)
    if not examples:
        raise BertwrightError("BW205", source=rows.source)
    _refuse_header_again(examples, layout)
    unlabelled = [example.where for example in examples if example.answer is None and layout.label is not None]
    return Table(
        examples, rows.source, layout.columns, rows.encoding,
        empty=tuple(empty), unlabelled=tuple(unlabelled),
        format=rows.format, header=layout.header, remarks=rows.remarks, unused=layout.unused,
    )  # fmt: skip


def _of_examples(examples: list[Example], name: str) -> Table:
    text_b = "text_b" if any(example.text_b is not None for example in examples) else None
    return Table(examples, name, Columns("text", "label", text_b), format=EXAMPLES)


def _has_text(example: Example) -> bool:
    return bool(example.text.strip()) and (example.text_b is None or bool(example.text_b.strip()))


def stream_examples(
    source: Any,
    columns: Columns | None = None,
    *,
    labelled: bool = False,
    encoding: str | None = None,
    name: str = "input",
    pair: bool | None = None,
) -> tuple[Columns, Iterator[Example]]:
    """The columns of a source, and its examples as they are read: a file of any length takes constant memory.

    Unlike `read_examples` this leaves nothing out, so that answers and rows go side by side: an empty text
    gives an example, too.

    Args and Raises: as `read_examples`; an error of a later row is raised when it is reached.
    """
    rows = open_rows(source, encoding, name, labelled=labelled, pair=pair)
    if columns in (None, Columns()):
        rows = _no_questions(rows, labelled=labelled)
    layout, found = find_layout(rows, columns or Columns(), TEXTS_WITH_LABELS, labelled=labelled, pair=pair)
    return layout.columns, _labelled(found, layout, beside=True)


def open_rows(source: Any, encoding: str | None, name: str, *, labelled: bool, pair: bool | None) -> Rows:
    """The rows of a source, before anybody knows which column holds what.

    Raises:
        BertwrightError: BW201 no such file, BW204 an unknown ending, BW263 one of tagged sentences, BW137 a run or a
            model,
            and those of `read_examples`.
    """
    if isinstance(source, Rows):
        return source
    source = opened(source, encoding)
    if not isinstance(source, OpenedSource):
        return read_memory(source, name, labelled=labelled, pair=pair)
    if source.path.is_dir():
        if any((source.path / name).is_file() for name in ("run.json", "config.json")):
            raise BertwrightError("BW137", folder=source)
        return read_class_folders(source, {*_READERS, *TAGGED_ENDINGS} - {".txt"})
    if not source.path.exists():
        raise BertwrightError("BW201", file=source)
    refuse_stand_ins(source.path)
    if source.suffix in TAGGED_ENDINGS:
        raise BertwrightError("BW263", file=source)
    if source.suffix not in _READERS:
        raise BertwrightError("BW204", file=source, suffix=source.suffix or "-")
    rows = _READERS[source.suffix](source)
    return replace(rows, remarks=(*source.remarks, *rows.remarks))


def _refuse_header_again(examples: list[Example], layout: ColumnLayout) -> None:
    """Raise BW262 where the names of the columns come again as if they were a text and its label."""
    if not layout.header or not layout.columns.label:
        return
    header = layout.columns.text, layout.columns.label
    for one in examples:
        if isinstance(one.answer, Label) and (one.text, one.answer.name) == header:
            raise BertwrightError("BW262", where=one.where, header=", ".join(map(str, header)))


def _no_questions(rows: Rows, *, labelled: bool) -> Rows:
    """The rows, of which none asks about a passage; raises BW219 where the first does, BW265 where it has no label."""
    first = next(rows.rows, None)
    if first is None:
        return rows
    if form := form_of_questions(first[1]):
        raise BertwrightError("BW219" if labelled else "BW265", where=first[0], form=form)
    return replace(rows, rows=chain([first], rows.rows))


def _labelled(rows: Iterator[Row], layout: ColumnLayout, *, beside: bool = False) -> Iterator[Example]:
    """Every row as an example."""
    return layout.examples(rows, getitem, lambda label: None if label in MISSING else Label(label), beside=beside)
