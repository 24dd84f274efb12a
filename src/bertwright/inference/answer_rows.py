"""One answer as a row of a file: the other columns of its input, its text, and what the model says."""

from __future__ import annotations

import csv
import io
import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from bertwright.checkpoint.json_files import all_finite, json_text
from bertwright.data.examples import Example
from bertwright.data.spreadsheet import BYTE_ORDER_MARK, harmless
from bertwright.errors import BertwrightError, nearest
from bertwright.tasks.prediction import BEST_NAMED, Prediction, classes_left_out, texts_of, with_best_scores
from bertwright.wording import said, shown

log = logging.getLogger("bertwright")

ALL = "*"
FORMS = ("jsonl", "csv", "escaped", "excel")
_HARMLESS = ("escaped", "excel")


@dataclass
class AnswerRows:
    """Makes the lines of a file of answers.

    Attributes:
        form: `jsonl`, `csv`, `escaped`, which is CSV without formulas, or `excel`, which has a byte-order mark, too.
        kept: names of the input's columns that stand beside the answers; `*`: all of them.
        all_scores: whether an answer names every class, however many there are.
        header: the columns of a CSV file, where they are known before the first row, as of a file that is gone on with.
    """

    form: str
    kept: Sequence[str] = (ALL,)
    all_scores: bool = False
    header: Sequence[str] = ()
    _renamed: dict[str, str] = field(default_factory=dict)
    _left_out: dict[str, int] = field(default_factory=dict)
    _classes: int = 0

    def lines(self, example: Example, answer: Prediction) -> str:
        """One line, or in CSV two where it is the first.

        The doubt of an answer stands in JSON lines where there is one; in CSV it has a column from the start.

        Raises:
            BertwrightError: BW591 a column that the input does not have, BW594 an answer that is no number.
        """
        answered = texts_of(example) | self._named(answer.to_json()) | {"doubt": answer.doubt}
        if not all_finite(answered):
            raise BertwrightError("BW594", where=example.where)
        values = self._beside(example, answered) | answered
        if self.form == "jsonl":
            if not answer.doubt:
                del values["doubt"]
            return json_text(values, default=str) + "\n"
        row, begin = _flat(values), ""
        if self.form in _HARMLESS:
            row = {harmless(name): harmless(cell) if isinstance(cell, str) else cell for name, cell in row.items()}
        if not self.header:
            self.header = list(row)
            begin = (BYTE_ORDER_MARK if self.form == "excel" else "") + _csv_line(self.header)
        for name in (name for name in row.keys() - set(self.header) if row[name] not in ("", None)):
            self._left_out[name] = self._left_out.get(name, 0) + 1
        cells = [row.get(name, "") for name in self.header]
        return begin + _csv_line(cells)

    def say(self) -> None:
        """What a person should know of the columns."""
        if self._renamed:
            names = shown(self._renamed[name] for name in sorted(self._renamed))
            log.info(said("columns of the input that are called as those of an answer: {names}", names=names))
        if self._classes:
            say_best_named(self._classes)
        for name, count in self._left_out.items():
            log.warning(
                said("'{name}' stands in {n} later rows only, and was left out of the CSV file", name=name, n=count)
            )

    def _named(self, values: dict[str, Any]) -> dict[str, Any]:
        """An answer with the scores that it names; where these are some of many, in a CSV file they are one column."""
        if self.all_scores or not classes_left_out(values):
            return values
        self._classes = classes_left_out(values)
        values = with_best_scores(values)
        return values if self.form == "jsonl" else values | {"scores": json_text(values["scores"])}

    def _beside(self, example: Example, answered: dict[str, Any]) -> dict[str, Any]:
        fields = example.beside or {}
        if self.kept != (ALL,):
            for name in self.kept:
                if name not in fields and example.beside is not None:
                    close, known = nearest(name, fields), shown(fields) or "-"
                    raise BertwrightError("BW591", column=name, known=known, nearest=f"({close}?)" if close else "")
            fields = {name: fields[name] for name in self.kept if name in fields}
        taken = fields.keys() | answered.keys()
        new_names = {name: _free_name(name, taken) for name in fields if name in answered}
        self._renamed |= new_names
        return {new_names.get(name, name): value for name, value in fields.items()}


def say_best_named(classes: int) -> None:
    """That answers name some classes of many."""
    log.info(
        said(
            "answers name the {n} best of {classes:,} classes; all of them: --all-scores", n=BEST_NAMED, classes=classes
        )
    )


def _free_name(name: str, taken: Collection[str]) -> str:
    while name in taken:
        name = f"input_{name}"
    return name


def columns_of(line: str) -> list[str]:
    """The columns of a CSV file by its first line."""
    return next(csv.reader([line.removeprefix(BYTE_ORDER_MARK)]), [])


def _flat(values: dict[str, Any]) -> dict[str, Any]:
    """Nested scores as columns of their own."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            flat |= {f"{key}.{name}": number for name, number in value.items()}
        elif isinstance(value, list):
            flat[key] = json_text(value, default=str)
        else:
            flat[key] = value
    return flat


def _csv_line(fields: Sequence[Any]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(fields)
    return line.getvalue()
