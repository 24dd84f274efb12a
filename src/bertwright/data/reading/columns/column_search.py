"""Which columns hold the text, its partner and the label: by the usual names, else by a look at the rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from bertwright.data.reading.columns.column_names import LABELS, OTHERS, PAIRS, TEXTS, only_place, plain
from bertwright.data.reading.columns.column_profile import Glance
from bertwright.data.reading.columns.header import has_header
from bertwright.data.reading.columns.second_text_watch import partners_of, watched
from bertwright.data.reading.rows import Fields, Row, Rows
from bertwright.data.reading.tables import Columns
from bertwright.errors import BertwrightError, nearest, shown

_ROWS_LOOKED_AT = 1000
_LIKE = 3.0  # texts of a pair are of like length; a title and its article are not
_LONGEST_CELL = 40


@dataclass(frozen=True, slots=True)
class Layout:
    """Where things stand in the rows of a source.

    Attributes:
        columns: their names, or their numbers from 1.
        text: where in a row: a position, or a key where the rows are mappings.
        text_b: the same for the second text; None for none.
        label: the same for the label.
        width: the number of fields of every row; None where the rows are mappings.
        header: whether the first row held names; None where the question does not arise.
    """

    columns: Columns
    text: Any
    text_b: Any
    label: Any
    width: int | None
    header: bool | None


def find_layout(rows: Rows, wished: Columns, *, labelled: bool, pair: bool | None) -> tuple[Layout, Iterator[Row]]:
    """The layout, and the rows that hold data, from the first one on.

    Args:
        rows: of a source; some of them are read ahead.
        wished: columns that the user has named.
        labelled: whether there must be a label; where not, one is only found by its name.
        pair: whether there must be a second text (True), must not be (False), or is looked for (None).

    Raises:
        BertwrightError: BW205 no rows; BW206 a column that was named is not there, BW236 is there twice; BW220
            to BW222 it is not clear which column is the text, the label, or the second text. BW237, when the row is
            reached, a second text where the rows before had none.
    """
    sample = list(islice(rows.rows, _ROWS_LOOKED_AT))
    if not sample:
        raise BertwrightError("BW205", source=rows.source)
    first = sample[0][1]
    header: bool | None = None
    keys: Sequence[Any]
    if isinstance(first, Mapping):
        keys = list(dict.fromkeys(key for _, fields in sample for key in fields))
        names = [str(key) for key in keys]
    else:
        keys = range(len(first))
        names = list(rows.names or map(str, range(1, len(first) + 1)))
        if rows.may_have_header:
            texts: list[Any] = [fields for _, fields in sample]
            header = has_header(texts, [name for name in (wished.text, wished.text_b, wished.label) if name])
            if header:
                names = [name.strip() for name in texts[0]]
                sample = sample[1:]
    if not sample:
        raise BertwrightError("BW205", source=rows.source)
    found = _Search(rows.source, names, [_cells(sample, key) for key in keys], has_names=header is not False)
    text, text_b, label = found.run(wished, labelled=labelled, pair=pair)

    def name_of(at: int | None) -> str | None:
        return None if at is None else names[at]

    layout = Layout(
        Columns(name_of(text), name_of(label), name_of(text_b)),
        keys[text],
        None if text_b is None else keys[text_b],
        None if label is None else keys[label],
        None if isinstance(first, Mapping) else len(names),
        header,
    )
    rest = rows.rows
    if text_b is None and found.looked_for_pair:
        others = {key: "" if at in (text, label) else name for at, (key, name) in enumerate(zip(keys, names))}
        rest = watched(rest, others, found.partners(), len(sample))
    return layout, chain(sample, rest)


def _cells(sample: Sequence[Row], key: Any) -> list[Any]:
    return [_cell(fields, key) for _, fields in sample]


def _cell(fields: Fields, key: Any) -> Any:
    if isinstance(fields, Mapping):
        return fields.get(key, "")
    return fields[key] if key < len(fields) else ""


class _Search:
    """The search for the columns of one source."""

    def __init__(self, source: str, names: list[str], cells: list[list[Any]], *, has_names: bool) -> None:
        self._source, self._names, self._cells = source, names, cells
        self._plain = [plain(name) for name in names] if has_names else []
        self._looks: dict[int, Glance] = {}
        self.looked_for_pair = False

    def run(self, wished: Columns, *, labelled: bool, pair: bool | None) -> tuple[int, int | None, int | None]:
        """The places of the text, the second text and the label."""
        text, text_b, label = (self._wished(name) for name in (wished.text, wished.text_b, wished.label))
        if label is None:
            label = self._named(LABELS, {text, text_b})
        if text is None and text_b is None and pair is not False:
            self.looked_for_pair = True
            text, text_b = self._named_pair()
        if text is None:
            text = self._named(TEXTS, {text_b, label})
        if label is None and labelled:
            label = self._few({text, text_b})
        if text is None:
            text, partner = self._longest({text_b, label}, pair=pair)
            text_b = partner if text_b is None else text_b
        if text_b is None and pair:
            text_b = self._partner({text, label})
        return text, text_b, label

    def _wished(self, name: str | None) -> int | None:
        if name is None:
            return None
        known = [name_.strip() for name_ in self._names]
        places = [at for at, known_name in enumerate(known) if known_name == name] or [
            at for at, known_name in enumerate(self._plain) if known_name == plain(name)
        ]
        if len(places) > 1:
            raise BertwrightError("BW236", source=self._source, column=name, count=len(places))
        if places:
            return places[0]
        if name.isdecimal() and 1 <= int(name) <= len(known):
            return int(name) - 1
        close = nearest(name, known)
        close = f"({close}?)" if close else ""
        raise BertwrightError("BW206", source=self._source, column=name, header=shown(known), nearest=close)

    def _named(self, usual: Sequence[str], taken: set[int | None]) -> int | None:
        for name in usual:
            places = [at for at, known in enumerate(self._plain) if known == name and at not in taken]
            if len(places) > 1:
                raise BertwrightError("BW236", source=self._source, column=name, count=len(places))
            if places:
                return places[0]
        return None

    def _named_pair(self) -> tuple[int | None, int | None]:
        for first, second in PAIRS:
            if first in self._plain and second in self._plain:
                places = only_place(self._plain, first, self._source), only_place(self._plain, second, self._source)
                # Some files carry an empty `text_b` beside single texts.
                if self._look(places[1]).filled:
                    return places
        return None, None

    def partners(self) -> frozenset[str]:
        """What second texts would be called."""
        return partners_of(self._plain)

    def _look(self, at: int) -> Glance:
        if at not in self._looks:
            self._looks[at] = Glance.of(self._cells[at])
        return self._looks[at]

    def _open(self, taken: set[int | None]) -> list[int]:
        """Columns whose name does not say that they are something else."""
        free = [at for at in range(len(self._names)) if at not in taken]
        return [at for at in free if not self._plain or self._plain[at] not in OTHERS]

    def _longest(self, taken: set[int | None], *, pair: bool | None) -> tuple[int, int | None]:
        """The column of the longest texts, and the one that is like it, if it is a pair."""
        free = self._open(taken)
        texts = sorted((at for at in free if self._look(at).is_text), key=lambda at: -self._look(at).width)
        if not texts:
            # One or two rows, or short ones: a column beside one of labels, or alone, can only be the text.
            labels = [at for at in free if self._look(at).label_rank is not None]
            rest = [at for at in free if at not in labels[: len(free) - 1]] if len(free) <= 2 else []
            if len(rest) != 1:
                raise self._unclear("BW220")
            return rest[0], None
        like = [at for at in texts if self._look(at).width * _LIKE >= self._look(texts[0]).width]
        if len(like) == 1:
            return texts[0], None
        if len(like) > 2 or pair is False:
            raise self._unclear("BW220")
        return min(like), max(like)

    def _partner(self, taken: set[int | None]) -> int:
        texts = [at for at in self._open(taken) if self._look(at).is_text]
        if len(texts) != 1:
            raise self._unclear("BW222")
        return texts[0]

    def _few(self, taken: set[int | None]) -> int:
        """The column that looks the most like labels."""
        ranks = {at: rank for at in self._open(taken) if (rank := self._look(at).label_rank) is not None}
        best = sorted(
            (at for at, rank in ranks.items() if rank == min(ranks.values())), key=lambda at: self._look(at).width
        )
        # In a handful of rows even texts are "a few values"; the label is then the shorter one.
        if len(best) == 2 and self._look(best[0]).width * 2 <= self._look(best[1]).width and len(self._cells[0]) < 10:
            best = best[:1]
        if len(best) != 1:
            raise self._unclear("BW221")
        return best[0]

    def _unclear(self, code: str) -> BertwrightError:
        listed = []
        for name, cells in zip(self._names, self._cells):
            value = " ".join(str(cells[0]).split())
            listed.append(f"{name} = {value if len(value) <= _LONGEST_CELL else value[:_LONGEST_CELL] + '…'}")
        return BertwrightError(code, source=self._source, sample=" | ".join(listed))
