"""CSV and TSV files to examples."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bertwright.data.examples import Example, Where
from bertwright.errors import BertwrightError, nearest, shown
from bertwright.text.files import detect_encoding, open_text, plain_suffix

TEXT_NAMES = ("text", "sentence", "text_a", "review", "content")
LABEL_NAMES = ("label", "labels", "class", "category", "target")


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns hold what; None means: find out from the header."""

    text: str | None = None
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """The examples of one source, and what was found out on the way.

    Attributes:
        examples: in the order of the source.
        source: its name.
        columns: the columns that were read; `label` is None where there is none.
        encoding: of the file; empty for rows that were in memory.
        empty: places of rows without text, which give no example.
    """

    examples: list[Example]
    source: str
    columns: Columns
    encoding: str = ""
    empty: tuple[Where, ...] = ()

    def summary(self) -> str:
        """One calm line."""
        labels = f", labels from '{self.columns.label}'" if self.columns.label else ""
        encoding = f" ({self.encoding})" if self.encoding else ""
        empty = ""
        if self.empty:
            empty = f"; {len(self.empty)} rows without text left out: {shown(self.empty, 3)}"
        count = len(self.examples)
        return f"{self.source}{encoding}: {count} examples, text from '{self.columns.text}'{labels}{empty}"


def read_table(path: Path, columns: Columns | None = None, *, labelled: bool, encoding: str | None = None) -> Table:
    """The examples of a CSV or TSV file with a header line.

    In a TSV file quotes are ordinary characters; in a CSV file they enclose fields (RFC 4180).

    Args:
        path: `.csv` or `.tsv`, compressed or not.
        columns: names to use instead of the usual ones.
        labelled: whether a label column must be there.
        encoding: instead of the detected one.

    Raises:
        BertwrightError: BW201 to BW203 the file, BW204 its format, BW205 no rows, BW206 a missing column,
            BW207 a row with another number of fields than the header.
    """
    encoding = encoding or detect_encoding(path)
    rows = _rows(path, encoding)
    header = next(rows, None)
    if header is None:
        raise BertwrightError("BW205", source=path)
    return _to_table(str(path), header[1], rows, columns or Columns(), labelled, encoding)


def read_rows(rows: Iterable[Mapping[str, object] | Sequence[object] | str], source: str, *, labelled: bool) -> Table:
    """The examples of rows in memory: mappings with a text and a label, `(text, label)` pairs, or texts.

    Raises:
        BertwrightError: BW205, BW206, BW207 as `read_table`.
    """
    rows = list(rows)
    if not rows:
        raise BertwrightError("BW205", source=source)
    first = rows[0]
    header = list(first) if isinstance(first, Mapping) else ["text", "label"]
    plain: list[tuple[int, list[str]]] = []
    for number, row in enumerate(rows, start=1):
        if isinstance(row, str):
            fields: list[object] = [row]
            header = ["text"]
        else:
            fields = [row.get(name) for name in header] if isinstance(row, Mapping) else list(row)
        plain.append((number, ["" if value is None else str(value) for value in fields]))
    return _to_table(source, header, iter(plain), Columns(), labelled, "")


def _rows(path: Path, encoding: str) -> Iterator[tuple[int, list[str]]]:
    """The line at which each row starts, and its fields."""
    suffix = plain_suffix(path)
    if suffix not in (".csv", ".tsv"):
        raise BertwrightError("BW204", file=path, suffix=suffix or "-")
    with open_text(path, encoding) as file:
        if suffix == ".tsv":
            for number, line in enumerate(file, start=1):
                yield number, line.rstrip("\r\n").split("\t")
            return
        reader = csv.reader(file, strict=True)
        start = 1
        try:
            for fields in reader:
                if fields:
                    yield start, fields
                start = reader.line_num + 1
        except csv.Error as error:
            raise BertwrightError("BW208", where=Where(str(path), start), reason=error) from error


def _to_table(
    source: str,
    header: list[str],
    rows: Iterator[tuple[int, list[str]]],
    wished: Columns,
    labelled: bool,
    encoding: str,
) -> Table:
    text = _find(source, header, wished.text, TEXT_NAMES, required=True)
    label = _find(source, header, wished.label, LABEL_NAMES, required=labelled)
    examples: list[Example] = []
    empty: list[Where] = []
    for line, fields in rows:
        where = Where(source, line)
        if len(fields) != len(header):
            raise BertwrightError("BW207", where=where, have=len(fields), want=len(header))
        if not fields[text].strip():
            empty.append(where)
            continue
        examples.append(Example(fields[text], None if label is None else fields[label].strip(), where))
    if not examples:
        raise BertwrightError("BW205", source=source)
    columns = Columns(header[text], None if label is None else header[label])
    return Table(examples, source, columns, encoding, tuple(empty))


def _find(source: str, header: list[str], wished: str | None, usual: Sequence[str], *, required: bool) -> int:
    """The index of the wished column, or of the first usual one."""
    names = [name.strip() for name in header]
    for name in [wished] if wished is not None else usual:
        if name in names:
            return names.index(name)
    if not required and wished is None:
        return None  # type: ignore[return-value]
    wanted = wished or usual[0]
    raise BertwrightError("BW206", source=source, column=wanted, header=shown(names), nearest=nearest(wanted, names))
