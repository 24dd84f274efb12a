"""Any source that people have to examples: `read_examples` as a whole, `stream_examples` one after the other."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from bertwright.data.examples import Example, Where
from bertwright.data.reading.class_folders import read_class_folders
from bertwright.data.reading.columns.column_search import Layout, find_layout
from bertwright.data.reading.delimited import read_delimited
from bertwright.data.reading.json_rows import read_json
from bertwright.data.reading.labels import NO_AGREEMENT, as_text, first_fraction, settle
from bertwright.data.reading.memory_rows import read_memory
from bertwright.data.reading.parquet import read_parquet
from bertwright.data.reading.rows import Row, Rows
from bertwright.data.reading.tables import Columns, Table
from bertwright.errors import BertwrightError, shown
from bertwright.text.files import plain_suffix

_READERS: dict[str, Callable[[Path, str | None], Rows]] = {
    **dict.fromkeys((".csv", ".tsv", ".txt"), read_delimited),
    **dict.fromkeys((".json", ".jsonl", ".ndjson"), read_json),
}
_PARQUET = (".parquet", ".pq")


def read_examples(
    source: Any,
    columns: Columns | None = None,
    *,
    labelled: bool,
    encoding: str | None = None,
    name: str = "train",
    pair: bool | None = None,
    known: Collection[str] = (),
) -> Table:
    """The examples of a source, with an account of what was inferred and left out (`Table.summary`).

    Rows without text give no example, nor do those whose label is `-`; both are counted with their places. Rows
    without a label become examples with the label None, and are counted too.

    Args:
        source: the path of a CSV, TSV, JSON, JSON lines or text file (also `.gz`, `.bz2`, `.xz`), of a Parquet
            file, or of a folder whose sub-folders are the classes; a pandas or polars data frame; a
            `datasets.Dataset`; an iterable of mappings, of tuples (text, second text of a pair, label), of
            texts, or of `Example`s; `Rows` that a reader made.
        columns: the columns that hold what, where they are not to be found by their names or by looking.
        labelled: whether every text should have a label.
        encoding: of a file, instead of the detected one.
        name: what a source in memory is called in messages.
        pair: whether the examples are pairs of texts; None: found out.
        known: the classes of a model that the labels are for: what is one of them means it, whatever it looks like.

    Raises:
        BertwrightError: BW201 to BW203, BW234, BW235 a file or its encoding; BW204 an unknown format; BW205 no
            examples; BW206, BW220 to BW222, BW236, BW237 the columns; BW207, BW208, BW224 to BW233 what the readers
            find; BW223 labels that are fractions.
    """
    items = source if isinstance(source, (list, tuple)) else ()
    if items and all(isinstance(item, Example) for item in items):
        return _of_examples(list(items), name)
    rows = open_rows(source, encoding, name, labelled=labelled, pair=pair)
    layout, found = find_layout(rows, columns or Columns(), labelled=labelled, pair=pair)
    examples: list[Example] = []
    empty: list[Where] = []
    for example in _examples(found, layout):
        if not example.text.strip() or (example.text_b is not None and not example.text_b.strip()):
            empty.append(example.where)
        else:
            examples.append(example)
    undecided: list[Where] = []
    unlabelled: list[Where] = []
    if layout.label is not None:
        if NO_AGREEMENT not in known:
            examples, undecided = _drop_undecided(examples)
        if labelled and not known:
            _refuse_fractions(examples, layout, rows.source)
        examples = _settle_labels(examples, known)
        unlabelled = [example.where for example in examples if example.label is None]
    if not examples:
        raise BertwrightError("BW205", source=rows.source)
    return Table(
        examples, rows.source, layout.columns, rows.encoding,
        tuple(empty), tuple(undecided), tuple(unlabelled),
        rows.format, layout.header, rows.remarks,
    )  # fmt: skip


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
    gives an example, too. Labels stay as they are written.

    Args and Raises: as `read_examples`; an error of a later row is raised when it is reached.
    """
    rows = open_rows(source, encoding, name, labelled=labelled, pair=pair)
    layout, found = find_layout(rows, columns or Columns(), labelled=labelled, pair=pair)
    return layout.columns, _examples(found, layout)


def open_rows(source: Any, encoding: str | None, name: str, *, labelled: bool, pair: bool | None) -> Rows:
    """The rows of a source, before anybody knows which column holds what.

    Raises:
        BertwrightError: BW201 no such file, BW204 an unknown ending, and those of `read_examples`.
    """
    if isinstance(source, Rows):
        return source
    if not isinstance(source, (str, Path)):
        return read_memory(source, name, labelled=labelled, pair=pair)
    path = Path(source)
    if path.is_dir():
        return read_class_folders(path, encoding)
    if not path.exists():
        raise BertwrightError("BW201", file=path)
    suffix = plain_suffix(path)
    if suffix in _PARQUET:
        return read_parquet(path)
    if suffix not in _READERS:
        raise BertwrightError("BW204", file=path, suffix=suffix or "-")
    return _READERS[suffix](path, encoding)


def _examples(rows: Iterator[Row], layout: Layout) -> Iterator[Example]:
    """Every row as an example."""
    text_at, text_b_at, label_at, width = layout.text, layout.text_b, layout.label, layout.width
    names = layout.columns
    text_b: str | None = None
    label: str | None = None
    for where, fields in rows:
        if width is not None and len(fields) != width:
            raise BertwrightError("BW207", where=where, have=len(fields), want=width)
        try:
            text = fields[text_at]
            text_b = None if text_b_at is None else fields[text_b_at]
            label = None if label_at is None else fields[label_at]
        except KeyError as error:
            raise BertwrightError("BW227", where=where, key=error.args[0], keys=shown(fields)) from error
        # Files give strings; looking before calling saves a third of the time.
        if type(text) is not str:
            text = as_text(text, where, names.text or "")
        if text_b_at is not None and type(text_b) is not str:
            text_b = as_text(text_b, where, names.text_b or "")
        if label_at is not None:
            label = (label if type(label) is str else as_text(label, where, names.label or "")).strip() or None
        yield Example(text, label, where, text_b)


def _drop_undecided(examples: list[Example]) -> tuple[list[Example], list[Where]]:
    labels = {example.label for example in examples}
    # Beside a `+` the mark is a class like any other.
    if NO_AGREEMENT not in labels or "+" in labels or len(labels) < 2:
        return examples, []
    dropped = [example.where for example in examples if example.label == NO_AGREEMENT]
    return [example for example in examples if example.label != NO_AGREEMENT], dropped


def _refuse_fractions(examples: list[Example], layout: Layout, source: str) -> None:
    fraction = first_fraction(example.label for example in examples if example.label is not None)
    if fraction is not None:
        where = next(example.where for example in examples if example.label == fraction)
        raise BertwrightError("BW223", where=where, label=fraction, column=layout.columns.label, source=source)


def _settle_labels(examples: list[Example], known: Collection[str]) -> list[Example]:
    renamed = settle({example.label for example in examples if example.label is not None}, known)
    if not renamed:
        return examples
    return [replace(one, label=renamed.get(one.label, one.label)) if one.label else one for one in examples]


def _of_examples(examples: list[Example], name: str) -> Table:
    text_b = "text_b" if any(example.text_b is not None for example in examples) else None
    return Table(examples, name, Columns("text", "label", text_b), format="examples")
