"""Sources with the texts that are to be written for them: two columns of texts, or questions over passages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice
from typing import Any

from bertwright.data.examples import Example, Where, places_listed
from bertwright.data.reading.columns.column_names import only_place, plain
from bertwright.data.reading.columns.header import has_header
from bertwright.data.reading.columns.second_text_watch import watched
from bertwright.data.reading.example_sources import open_rows
from bertwright.data.reading.passage_questions import is_passage, questions_of
from bertwright.data.reading.rows import Row, Rows, as_text
from bertwright.data.reading.tables import EXAMPLES, Columns, Table
from bertwright.errors import BertwrightError, nearest, quantity, shown

# What people call them, the clearest names first.
SOURCES = (
    *("source", "src", "input", "text", "article", "document", "passage", "prompt", "query", "question"),
    *("sentence", "content", "源文本", "输入", "原文", "正文", "文章", "内容", "问题", "文本"),
)
TARGETS = (
    *("target", "tgt", "output", "summary", "highlights", "translation", "response", "reply", "answer", "completion"),
    *("headline", "title", "label", "目标", "目标文本", "输出", "译文", "摘要", "回答", "回复", "答案", "标题"),
)
_ROWS_LOOKED_AT = 1000
_LONGEST_CELL = 40


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
        BertwrightError: BW612 it is not clear which column is which, BW206 a column that was named is not there, BW205
            no examples, BW207, BW224 and BW237 rows that do not fit, BW613 articles that do not, and
            those of `open_rows`.
    """
    items = source if isinstance(source, (list, tuple)) else ()
    if items and all(isinstance(item, Example) for item in items):
        return Table(list(items), name, Columns("text", target="target"), format=EXAMPLES)
    astray: list[Where] = []
    rows, found, examples = _open(source, columns, labelled=labelled, encoding=encoding, name=name, astray=astray)
    kept: list[Example] = []
    empty: list[Where] = []
    for example in examples:
        if example.text.strip():
            kept.append(example)
        else:
            empty.append(example.where)
    if not kept:
        raise BertwrightError("BW205", source=rows.source)
    remarks = rows.remarks
    if astray:
        questions = quantity(len(astray), "question")
        remarks = (*remarks, f"{questions} whose answer is not in the passage left out: {places_listed(astray)}")
    return Table(kept, rows.source, found, rows.encoding, tuple(empty), format=rows.format, remarks=remarks)


def stream_pairs(
    source: Any, columns: Columns | None = None, encoding: str | None = None
) -> tuple[Columns, Iterator[Example]]:
    """The columns of a source, and its examples as they are read; none is left out, and none needs a target."""
    _, found, examples = _open(source, columns, labelled=False, encoding=encoding, name="input", astray=None)
    return found, examples


def _open(
    source: Any,
    columns: Columns | None,
    *,
    labelled: bool,
    encoding: str | None,
    name: str,
    astray: list[Where] | None,
) -> tuple[Rows, Columns, Iterator[Example]]:
    rows = open_rows(source, encoding, name, labelled=labelled, pair=None)
    sample = list(islice(rows.rows, _ROWS_LOOKED_AT))
    if not sample:
        raise BertwrightError("BW205", source=rows.source)
    if is_passage(sample[0][1]):
        remark = "questions with their answers and the sentences around these"
        rows = replace(rows, format="SQuAD JSON", remarks=(*rows.remarks, remark))
        articles = chain(sample, rows.rows)
        of_passages = (example for where, fields in articles for example in questions_of(where, fields, astray))
        return rows, Columns("answer", text_b="context", target="question"), of_passages
    wished = columns or Columns()
    wished = replace(wished, label=None, target=wished.target or wished.label)
    names, keys, sample = _names_of(rows, sample, wished)
    finding = _Finding(rows.source, names, [str(_cell(sample[0][1], key)) for key in keys] if sample else [])
    if not sample:
        raise BertwrightError("BW205", source=rows.source)
    text, text_b, target = finding.run(wished, labelled=labelled)

    def name_of(at: int | None) -> str | None:
        return None if at is None else names[at]

    found = Columns(name_of(text), None, name_of(text_b), name_of(target))
    places = [None if at is None else keys[at] for at in (text, text_b, target)]
    width = None if isinstance(sample[0][1], Mapping) else len(names)
    rest = rows.rows
    if text_b is None and wished.text is None:
        rest = watched(rest, dict(zip(keys, names)), {"text_b"}, len(sample))
    return rows, found, _examples(chain(sample, rest), found, places, width)


def _names_of(rows: Rows, sample: list[Row], wished: Columns) -> tuple[list[str], Sequence[Any], list[Row]]:
    """The names of the columns, where each stands in a row, and the rows below a header."""
    first = sample[0][1]
    if isinstance(first, Mapping):
        keys = list(dict.fromkeys(key for _, fields in sample for key in fields))
        return [str(key) for key in keys], keys, sample
    names = list(rows.names or map(str, range(1, len(first) + 1)))
    if rows.may_have_header:
        cells = [str(cell).strip() for cell in first]
        texts: list[Any] = [fields for _, fields in sample]
        told = [name for name in (wished.text, wished.text_b, wished.target) if name]
        if _is_usual(cells, texts[1:]) or has_header(texts, told):
            names, sample = cells, sample[1:]
    return names, range(len(first)), sample


def _is_usual(cells: Sequence[str], below: Sequence[Any]) -> bool:
    """Whether a cell of the first row is a usual name, and no value of its column."""
    usual = [at for at, cell in enumerate(cells) if plain(cell) in SOURCES or plain(cell) in TARGETS]
    return any(all(str(_cell(row, at)).strip() != cells[at] for row in below) for at in usual)


def _cell(fields: Any, key: Any) -> Any:
    if isinstance(fields, Mapping):
        return fields.get(key, "")
    return fields[key] if key < len(fields) else ""


class _Finding:
    """Which column is which."""

    def __init__(self, source: str, names: list[str], first: list[str]) -> None:
        self._source, self._names, self._first = source, names, first
        self._plain = [plain(name) for name in names]

    def run(self, wished: Columns, *, labelled: bool) -> tuple[int, int | None, int | None]:
        """The places of the source, of a second text of it, and of the target."""
        text, text_b, target = (self._wished(name) for name in (wished.text, wished.text_b, wished.target))
        if target is None:
            target = self._named(TARGETS, {text, text_b})
        if text is None:
            text = self._named(SOURCES, {text_b, target})
        if "text_b" in self._plain and text_b is None and target is not None:
            text_b = self._plain.index("text_b")
        free = [at for at in range(len(self._names)) if at not in (text, text_b, target)]
        if text is None and (len(free) == 1 or (target is None and len(free) == 2)):
            text = free.pop(0)
        if target is None and len(free) == 1:
            target = free[0]
        if text is None or (labelled and target is None):
            listed = (f"{name} = {_short(cell)}" for name, cell in zip(self._names, self._first))
            raise BertwrightError("BW612", source=self._source, sample=" | ".join(listed))
        return text, text_b, target

    def _wished(self, name: str | None) -> int | None:
        if name is None:
            return None
        for known in (self._names, self._plain):
            if name in known:
                return only_place(known, name, self._source)
        if name.isdecimal() and 1 <= int(name) <= len(self._names):
            return int(name) - 1
        close = nearest(name, self._names)
        close = f"({close}?)" if close else ""
        raise BertwrightError("BW206", source=self._source, column=name, header=shown(self._names), nearest=close)

    def _named(self, usual: Sequence[str], taken: set[int | None]) -> int | None:
        for name in usual:
            if name in self._plain and self._plain.index(name) not in taken:
                return only_place(self._plain, name, self._source)
        return None


def _short(cell: str) -> str:
    text = " ".join(cell.split())
    return text if len(text) <= _LONGEST_CELL else text[:_LONGEST_CELL] + "…"


def _examples(rows: Iterator[Row], names: Columns, places: list[Any], width: int | None) -> Iterator[Example]:
    of_text, of_text_b, of_target = places
    for where, fields in rows:
        if width is not None and len(fields) != width:
            raise BertwrightError("BW207", where=where, have=len(fields), want=width)
        text = as_text(_cell(fields, of_text), where, names.text or "")
        text_b = None if of_text_b is None else as_text(_cell(fields, of_text_b), where, names.text_b or "")
        target = None if of_target is None else as_text(_cell(fields, of_target), where, names.target or "").strip()
        yield Example(text, None, where, text_b, target=target)
