"""Where the text, its partner and the label or target stand in the rows of a source."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from functools import cache
from itertools import chain, islice
from typing import Any

from bertwright.data.answers import Answer
from bertwright.data.examples import Example, Where
from bertwright.data.reading.columns.column_names import plain
from bertwright.data.reading.columns.column_profile import ColumnProfile
from bertwright.data.reading.columns.column_search import ROLES, ColumnRules, ColumnSearch
from bertwright.data.reading.columns.header import has_header
from bertwright.data.reading.rows import Row, Rows, as_text, cell_of
from bertwright.data.reading.tables import Columns
from bertwright.errors import BertwrightError
from bertwright.wording import Phrase, filled, shown

_ROWS_LOOKED_AT = 1000
_OTHER_QUOTES = "“”＂"


@dataclass(frozen=True, slots=True)
class ColumnLayout:
    """Where things stand in the rows of a source.

    Attributes:
        columns: their names, or their numbers from 1.
        text: where in a row: a position, or a key where the rows are mappings.
        text_b: the same for the second text; None for none.
        label: the same for the label.
        target: the same for the text that is to be written.
        width: the number of fields of every row; None where the rows are mappings.
        header: whether the first row held names; None where the question does not arise.
        unused: names of columns that are not read.
        names: of all columns; `column 1` and so on where they have none.
    """

    columns: Columns
    text: Any
    text_b: Any
    label: Any
    target: Any
    width: int | None
    header: bool | None
    unused: tuple[str, ...]
    names: tuple[str, ...]

    def examples(
        self,
        rows: Iterator[Row],
        cell: Callable[[Any, Any], Any],
        answer_of: Callable[[str], Answer | None],
        *,
        beside: bool = False,
    ) -> Iterator[Example]:
        """Every row as an example.

        Args:
            rows: of the source.
            cell: what stands in the fields of a row at a place; a `KeyError` where it must be there, and is not.
            answer_of: a label or a target, without white space around it, as an answer.
            beside: whether examples keep the other fields of their rows.

        Raises:
            BertwrightError: BW207 a row of another width, BW224 a cell that is no text, BW227 a key is missing.
        """
        text_at, text_b_at, width, names = self.text, self.text_b, self.width, self.columns
        answer_at, answer_name = (self.target, names.target) if self.label is None else (self.label, names.label)
        text_b: str | None = None
        answer: Answer | None = None
        for where, fields in rows:
            if width is not None and len(fields) != width:
                raise _of_another_width(where, fields, width)
            try:
                text = as_text(cell(fields, text_at), where, names.text)
                if text_b_at is not None:
                    text_b = as_text(cell(fields, text_b_at), where, names.text_b)
                if answer_at is not None:
                    answer = answer_of(as_text(cell(fields, answer_at), where, answer_name).strip())
            except KeyError as error:
                raise BertwrightError("BW227", where=where, key=error.args[0], keys=shown(fields)) from error
            yield Example(text, answer, where, text_b, beside=self._beside(fields) if beside else None)

    def _beside(self, fields: Any) -> dict[str, Any]:
        """The fields of a row that are no text of the example, by their names."""
        texts = (self.text, self.text_b)
        items = fields.items() if isinstance(fields, Mapping) else enumerate(fields)
        others = ((key, value) for key, value in items if key not in texts)
        if isinstance(fields, Mapping):
            return {str(key): value for key, value in others}
        return {self.names[at]: value for at, value in others}


def _of_another_width(where: Where, fields: Any, width: int) -> BertwrightError:
    """BW207; quotes of another keyboard enclose no field."""
    cause = Phrase("a separator inside a text that is not quoted, a line break inside a text, or a lost field")
    way_out = Phrase("correct the line; a text that holds the separator or a line break needs quotes around it")
    if any(str(one).strip()[:1] in _OTHER_QUOTES for one in fields if str(one).strip()):
        cause = Phrase(
            "the quotes “ ” around a text are no quotes to a CSV file, so that a comma inside it ends the field"
        )
        plain = """sed 's/“/"/g; s/”/"/g; s/＂/"/g' {file!q} > plain.csv"""
        way_out = Phrase(
            "write plain quotes around it; for a whole file: {command}",
            command=filled(plain, {"file": where.source}, "en"),
        )
    return BertwrightError("BW207", where=where, have=len(fields), want=width, cause=cause, way_out=way_out)


def find_layout(
    rows: Rows, wished: Columns, rules: ColumnRules, *, labelled: bool, pair: bool | None
) -> tuple[ColumnLayout, Iterator[Row]]:
    """The layout, and the rows that hold data, from the first one on.

    Args:
        rows: of a source; some of them are read ahead.
        wished: columns that the user has named.
        rules: what is looked for.
        labelled: whether there must be a label or a target; where not, a label is only found by its name.
        pair: whether there must be a second text (True), must not be (False), or is looked for (None).

    Raises:
        BertwrightError: BW205 no rows; BW206 a column that was named is not there, BW236 is there twice; BW220
            to BW222, BW612 it is not clear which column is which. BW237, when the row is reached, a second text where
            the rows before had none.
    """
    start = _Start.of(rows, list(filter(None, astuple(wished))), rules.header)
    cells = [[cell_of(fields, key) for _, fields in start.rows] for key in start.keys]
    has_names = start.header is not False
    search = ColumnSearch(rows.source, start.names, cells, has_names=has_names, labelled=labelled, pair=pair)
    found = search.run(rules, wished)
    columns = Columns(**{role: start.names[at] for role, at in found.items()})
    places = {role: start.keys[found[role]] if role in found else None for role in ROLES}
    unused = tuple(name for at, name in enumerate(start.names) if at not in found.values())
    has_names = start.header is not False
    names = tuple(name if has_names else f"column_{name}" for name in start.names)
    layout = ColumnLayout(columns, **places, width=start.width, header=start.header, unused=unused, names=names)
    following = rows.rows
    if columns.text_b is None and wished.text is None and pair is not False:
        late = set(rules.partners(search.plain)) - {plain(start.names[at]) for at in found.values()}
        following = _without_second_texts(following, start, late)
    return layout, chain(start.rows, following)


@dataclass(frozen=True, slots=True)
class _Start:
    """The first rows of a source, without a header.

    Attributes:
        rows: at least one.
        keys: where the columns stand in a row.
        names: of the columns.
        width: the number of columns; None where the rows are mappings.
        header: whether there was one; None where the question does not arise.
    """

    rows: Sequence[Row]
    keys: Sequence[Any]
    names: Sequence[str]
    width: int | None
    header: bool | None

    @classmethod
    def of(cls, rows: Rows, wished: Collection[str], usual: Collection[str]) -> _Start:
        """Reads ahead; raises BW205 where there is nothing."""
        sample = list(islice(rows.rows, _ROWS_LOOKED_AT))
        texts: list[Any] = [fields for _, fields in sample]
        first = texts[0] if texts else ()
        if isinstance(first, Mapping):
            keys = list(dict.fromkeys(chain.from_iterable(texts)))
            return cls(sample, keys, list(map(str, keys)), None, None)
        header = has_header(texts, wished, usual) if rows.may_have_header and texts else None
        names = [cell.strip() for cell in first] if header else rows.names or list(map(str, range(1, len(first) + 1)))
        sample = sample[bool(header) :]
        if not sample:
            raise BertwrightError("BW205", source=rows.source)
        return cls(sample, range(len(first)), names, len(first), header)


def _without_second_texts(rows: Iterator[Row], start: _Start, late: Collection[str]) -> Iterator[Row]:
    """The rows, as long as nothing stands under the plain names `late`; raises BW237 where something does."""
    is_late = cache(lambda name: plain(str(name)) in late)
    if not late or (start.width is not None and not any(map(is_late, start.names))):
        yield from rows  # nothing can come
        return
    for where, fields in rows:
        for name, value in fields.items() if isinstance(fields, Mapping) else zip(start.names, fields):
            if is_late(name) and ColumnProfile.of([value]).filled:
                raise BertwrightError("BW237", where=where, column=str(name), count=len(start.rows))
        yield where, fields
