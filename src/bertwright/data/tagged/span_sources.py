"""Any source of texts with marked parts to examples: column files and JSON spans, in files or in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice
from typing import Any

from bertwright.data.answers import Marked, Span
from bertwright.data.examples import Example, Where, spans_of
from bertwright.data.reading.json_rows import read_json
from bertwright.data.reading.memory_rows import read_memory
from bertwright.data.reading.opened_source import OpenedSource, opened
from bertwright.data.reading.rows import Row, Rows
from bertwright.data.reading.tables import EXAMPLES, Columns, Table, given_examples
from bertwright.data.tagged.clusters import is_inside_cluster
from bertwright.data.tagged.column_files import looks_like_columns, read_columns
from bertwright.data.tagged.json_spans import (
    annotations_of,
    has_spans,
    is_classified,
    is_unannotated,
    plain_text_of,
    text_with_spans,
    tokens_with_tags,
)
from bertwright.data.tagged.position_digits import without_positions
from bertwright.data.tagged.tagged_sentences import SENTENCES_LOOKED_AT, Sentence, space_between, to_examples
from bertwright.data.tagged.units import trim
from bertwright.errors import BertwrightError
from bertwright.wording import quantity, said, shown

_JSON = (".json", ".jsonl", ".ndjson")
_OTHERS = (".csv", ".parquet", ".pq", ".xlsx", ".xls", ".zip", ".bin", ".safetensors")
_ROWS_AT_ONCE = 1024


def looks_tagged(source: Any, encoding: str | None = None) -> bool:
    """Whether a source holds texts with marked parts; a look at its beginning."""
    source = opened(source, encoding)
    if not isinstance(source, OpenedSource):
        return _is_tagged(_first_of(source))
    if not source.path.is_file() or source.suffix in _OTHERS:
        return False
    if source.suffix in _JSON:
        try:
            return any(_is_tagged(row) for _, row in islice(read_json(source).rows, 1))
        except BertwrightError:
            return False  # whoever reads it in earnest says what is wrong
    return looks_like_columns(source)


def _is_tagged(row: Any) -> bool:
    if isinstance(row, Example):
        return spans_of(row) is not None
    return isinstance(row, Mapping) and has_spans(row) and not is_classified(row)


def _first_of(source: Any) -> Any:
    """The first row of what can be read again: a list, a data frame, a `datasets` object; else None."""
    if isinstance(source, (list, tuple)):
        return source[0] if source else None
    if isinstance(source, Mapping) or not any(hasattr(source, name) for name in ("columns", "column_names")):
        return None
    try:
        return next((fields for _, fields in _named(read_memory(source, "data", labelled=False, pair=False))), None)
    except BertwrightError:
        return None  # whoever reads it in earnest says what is wrong


def stream_spans(source: Any, encoding: str | None = None) -> tuple[Columns, Iterator[Example]]:
    """The texts of a source, one for every row and as they are asked for; what is marked in them need not be said.

    Column files are read whole.
    """
    source = opened(source, encoding)
    if not isinstance(source, OpenedSource) or source.suffix not in _JSON:
        table = read_spans(source, labelled=False, keep_empty=True)
        return table.columns, iter(table.examples)
    rows = read_json(source)
    first = list(islice(rows.rows, SENTENCES_LOOKED_AT))  # as many as decide where a file is read whole
    tagged = (tokens_with_tags(row) for _, row in first if isinstance(row, Mapping))
    between = space_between(one[0] for one in tagged if one is not None)
    following = chain(first, rows.rows)
    parts = iter(lambda: list(islice(following, _ROWS_AT_ONCE)), [])
    tables = (
        _of_rows(replace(rows, rows=iter(part)), labelled=False, keep_empty=True, between=between) for part in parts
    )
    return Columns("text", "spans"), (example for table in tables for example in table.examples)


def read_spans(
    source: Any,
    *,
    labelled: bool = True,
    encoding: str | None = None,
    name: str = "train",
    keep_empty: bool = False,
    keep_unmarked: bool = False,
) -> Table:
    """The examples of a source, their `spans` counted in characters of `text`.

    Spans are what the data says they are: each is checked to lie in its text, not to cut a character in half, and
    to read as the data says it reads. White space at the ends of a span is taken off, a span that is there twice is
    kept once; both are counted, as are tags that were repaired. A task of Label Studio that nobody annotated says
    nothing about its text: where labels are wanted it is left out and counted.

    Args:
        source: the path of a column file (CoNLL and its kin) or of a JSON or JSON lines file (CLUENER, doccano, Label
            Studio, tokens with tags), also compressed; an `OpenedSource`; or such objects, or `Example`s, in memory.
        labelled: whether every text must say what is marked in it, if only that nothing is.
        encoding: of a file, instead of the detected one.
        name: what a source in memory is called in messages.
        keep_empty: whether rows without text give examples, too, so that answers and rows go side by side.

        keep_unmarked: whether texts of which nothing says what is marked in them are kept and counted, where labels are
            wanted; else they are an error.

    Raises:
        BertwrightError: BW201 to BW203, BW225, BW226, BW228, BW234, BW235 a file; BW205 no examples; BW240 to BW242,
            BW247 the tags; BW253 a folder; BW243, BW244, BW249 a span; BW248, BW252 an object; BW254 a text without
            spans.
    """
    table = _read(opened(source, encoding), labelled=labelled, name=name, keep_empty=keep_empty)
    if table.unlabelled and not keep_unmarked:
        raise BertwrightError("BW254", where=table.unlabelled[0])
    return table


def _read(source: Any, *, labelled: bool, name: str, keep_empty: bool) -> Table:
    if not isinstance(source, OpenedSource):
        if given := given_examples(source):
            about = Table([], name, Columns("text", "spans"), format=EXAMPLES)
            return _table(given, about, (), labelled=labelled, keep_empty=keep_empty)
        rows = read_memory(source, name, labelled=labelled, pair=False)
        return _of_rows(Rows(name, rows.format, _named(rows)), labelled=labelled, keep_empty=keep_empty)
    if not source.path.exists():
        raise BertwrightError("BW201", file=source)
    if source.path.is_dir():
        raise BertwrightError("BW253", source=source)
    if source.suffix in _JSON:
        rows = replace(read_json(source), remarks=source.remarks)
        return _of_rows(rows, labelled=labelled, keep_empty=keep_empty)
    sentences, remarks = read_columns(source)
    bare, placed = without_positions(sentences)
    remarks += placed
    read = to_examples(bare, str(source))
    about = Table([], str(source), Columns("tokens", "tags"), source.encoding, format="column file")
    return _table(read.examples, about, remarks + read.remarks(), labelled=labelled, keep_empty=keep_empty)


def _named(rows: Rows) -> Iterator[Row]:
    for where, fields in rows.rows:
        if not isinstance(fields, Mapping):  # data frames that were read from Parquet hold arrays
            values = (value.tolist() if getattr(value, "shape", ()) else value for value in fields)
            fields = dict(zip(rows.names or (), values))
        yield where, fields


def _of_rows(rows: Rows, *, labelled: bool, keep_empty: bool, between: str | None = None) -> Table:
    examples: list[Example] = []
    sentences: dict[int, Sentence] = {}  # by their places among the examples
    wrong: list[tuple[Where, Span, str, str]] = []
    unannotated: list[Where] = []
    several: list[Where] = []
    unmarked: dict[Where, Mapping[str, Any]] = {}  # nothing is said of what is marked in them
    for where, row in rows.rows:
        assert isinstance(row, Mapping)
        if (tagged := tokens_with_tags(row)) is not None:
            tokens, tags = tagged
            if tokens:
                sentences[len(examples)] = Sentence(tokens, tags, [where] * len(tokens))
            examples.append(Example("", Marked(()), where))
        elif labelled and is_unannotated(row):
            unannotated.append(where)
        elif labelled and not has_spans(row) and (text := plain_text_of(row)):
            unmarked[where] = row
            examples.append(Example(text, None, where))
        else:
            several += [where] * (len(annotations_of(row)) > 1)
            examples.append(_of_object(row, where, wrong, labelled=labelled))
    if unmarked and len(unmarked) == len(examples):
        where, row = next(iter(unmarked.items()))
        text_with_spans(row, where)  # says what it lacks
    if wrong:
        where, span, read, told = wrong[0]
        raise BertwrightError(
            "BW249", where=where, start=span.start, end=span.end, read=read, said=told, count=len(wrong)
        )
    remarks = rows.remarks
    if sentences:
        bare, placed = without_positions(list(sentences.values()))
        tagged_texts = to_examples(bare, rows.source, between)
        remarks += placed + tagged_texts.remarks()
        for at, example in zip(sentences, tagged_texts.examples):
            examples[at] = example
    remarks += _places_of(
        ("{texts} that nobody annotated left out: {places}", unannotated),
        ("{texts} with several annotations, of which one is read (the ground truth, or the first): {places}", several),
    )
    about = Table([], rows.source, Columns("text", "spans"), rows.encoding, format=rows.format)
    return _table(examples, about, remarks, labelled=labelled, keep_empty=keep_empty)


def _of_object(
    row: Mapping[str, Any], where: Where, wrong: list[tuple[Where, Span, str, str]], *, labelled: bool
) -> Example:
    """The text of an object and its spans; `wrong` gets those that do not read as the data says they do."""
    if not labelled and not has_spans(row):
        return _of_object({**row, "spans": []}, where, wrong, labelled=True)
    text, found = text_with_spans(row, where)
    for span, told in found:
        _check(text, span, where)
        read = text[span.start : span.end]
        if told is not None and read != told:
            wrong.append((where, span, read, told))
    return Example(text, Marked(tuple(span for span, _ in found)), where)


def _places_of(*kinds: tuple[str, Sequence[Where]]) -> tuple[str, ...]:
    """How many texts there are of each kind, and where the first ones are."""
    return tuple(
        said(what, texts=quantity(len(places), "text"), places=shown(places, 3)) for what, places in kinds if places
    )


def _check(text: str, span: Span, where: Where) -> None:
    if not 0 <= span.start < span.end <= len(text):
        raise BertwrightError("BW243", where=where, start=span.start, end=span.end, type=span.type, length=len(text))
    for place in (span.start, span.end):
        if is_inside_cluster(text, place):
            whole = text[max(place - 1, 0) : place + 1]
            raise BertwrightError("BW244", where=where, start=span.start, end=span.end, type=span.type, whole=whole)


def _table(
    examples: list[Example], about: Table, remarks: tuple[str, ...], *, labelled: bool, keep_empty: bool
) -> Table:
    """The examples with tidy spans, and with an account of what was tidied."""
    kept: list[Example] = []
    empty: list[Where] = []
    trimmed: list[Where] = []
    twice: list[Where] = []
    unlabelled: list[Where] = []
    for example in examples:
        if not keep_empty and not example.text.strip():
            empty.append(example.where)
        elif (spans := spans_of(example)) is not None:
            kept.append(_tidy(example, spans, trimmed, twice))
        else:
            unlabelled += [example.where] * labelled
            kept.append(example)
    if not kept:
        raise BertwrightError("BW205", source=about.source)
    remarks += _places_of(
        ("{texts} with white space at the ends of a span: {places}", trimmed),
        ("{texts} with a span twice: {places}", twice),
    )
    return replace(about, examples=kept, empty=tuple(empty), unlabelled=tuple(unlabelled), remarks=remarks)


def _tidy(example: Example, given: tuple[Span, ...], trimmed: list[Where], twice: list[Where]) -> Example:
    for span in given:
        _check(example.text, span, example.where)
    spans = [span for span in (trim(example.text, one) for one in given) if span.start < span.end]
    trimmed += [example.where] * (spans != list(given))
    unique = tuple(sorted(set(spans), key=lambda span: (span.start, -span.end, span.type)))
    twice += [example.where] * (len(unique) < len(spans))
    return replace(example, answer=Marked(unique))
