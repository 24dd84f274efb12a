"""Sources with the texts that are to be written for them: two columns of texts, or questions over passages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, islice
from typing import Any

from bertwright.data.answers import Written
from bertwright.data.examples import Example, Where, places_listed, target_of
from bertwright.data.reading.columns.column_layout import find_layout
from bertwright.data.reading.columns.column_search import TEXTS_WITH_TARGETS
from bertwright.data.reading.example_sources import open_rows
from bertwright.data.reading.passage_questions import LeftOut, is_passage, questions_of
from bertwright.data.reading.rows import Rows, cell_of
from bertwright.data.reading.tables import EXAMPLES, Columns, Table, given_examples
from bertwright.errors import BertwrightError
from bertwright.wording import quantity, said


def read_pairs(
    source: Any, columns: Columns | None = None, *, labelled: bool, encoding: str | None = None, name: str = "train"
) -> Table:
    """Examples with a `target`, from any source that `read_examples` takes, or from a file in the form of SQuAD.

    Of a file with two columns the first is the source, unless their names say otherwise. Rows without a source are left
    out and counted, as are questions whose answer is not in the passage.

    Args:
        source, encoding, name: as of `read_examples`.
        columns: `text` the source, `text_b` a second text that is read with it, `target` (or `label`) the target.
        labelled: whether there must be a target.

    Raises:
        BertwrightError: BW612 it is not clear which column is which, BW206 a column that was named is not there,
            BW205 no examples, BW273 no question with an answer in its passage, BW207, BW224 and BW237 rows that do
            not fit, BW613 articles that do not, and those of `open_rows`.
    """
    if given := given_examples(source):
        return Table(given, name, Columns("text", target="target"), format=EXAMPLES)
    left = LeftOut()
    rows, found, examples = _open(source, columns, labelled=labelled, encoding=encoding, name=name, left_out=left)
    kept: list[Example] = []
    empty: list[Where] = []
    unlabelled: list[Where] = []
    for example in examples:
        if not example.text.strip():
            empty.append(example.where)
            continue
        is_bare = labelled and not (target_of(example) or "").strip()
        unlabelled += [example.where] * is_bare
        kept.append(replace(example, answer=None) if is_bare else example)
    if not kept:
        raise BertwrightError("BW205", source=rows.source) if empty else left.refusal(rows.source)
    remarks = rows.remarks
    if left.astray:
        questions, places = quantity(len(left.astray), "question"), places_listed(left.astray)
        told = said("{n} whose answer is not in the passage left out: {places}", n=questions, places=places)
        remarks = (*remarks, told)
    if left.unanswered:
        told = said("{n} without an answer left out", n=quantity(len(left.unanswered), "question"))
        remarks = (*remarks, told)
    return Table(
        kept, rows.source, found, rows.encoding, tuple(empty),
        unlabelled=tuple(unlabelled), format=rows.format, remarks=remarks,
    )  # fmt: skip


def stream_pairs(
    source: Any, columns: Columns | None = None, encoding: str | None = None
) -> tuple[Columns, Iterator[Example]]:
    """The columns of a source, and its examples as they are read; none is left out, and none needs a target."""
    _, found, examples = _open(source, columns, labelled=False, encoding=encoding, name="input", left_out=None)
    return found, examples


def _open(
    source: Any,
    columns: Columns | None,
    *,
    labelled: bool,
    encoding: str | None,
    name: str,
    left_out: LeftOut | None,
) -> tuple[Rows, Columns, Iterator[Example]]:
    rows = open_rows(source, encoding, name, labelled=labelled, pair=None)
    begun = list(islice(rows.rows, 1))
    rows = replace(rows, rows=chain(begun, rows.rows))
    if begun and is_passage(begun[0][1]):
        remark = said("questions with their answers and the sentences around these")
        rows = replace(rows, format="SQuAD JSON", remarks=(*rows.remarks, remark))
        of_passages = (example for where, fields in rows.rows for example in questions_of(where, fields, left_out))
        return rows, Columns("answer", text_b="context", target="question"), of_passages
    wished = columns or Columns()
    wished = replace(wished, label=None, target=wished.target or wished.label)
    layout, found = find_layout(rows, wished, TEXTS_WITH_TARGETS, labelled=labelled, pair=None)
    return rows, layout.columns, layout.examples(found, cell_of, Written, beside=not labelled)
