"""Texts with marked parts into the formats that people have."""

from __future__ import annotations

import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from bertwright.data.answers import Span
from bertwright.data.examples import Example, Where, spans_of
from bertwright.data.tagged.schemes import Scheme, spell_tag, write_tags
from bertwright.data.tagged.units import units_of
from bertwright.errors import BertwrightError
from bertwright.text.tokenizer.inputs import half_of_a_pair
from bertwright.wording import shown

Form = Literal["columns", "cluener", "doccano", "label-studio"]
_BY_SUFFIX: dict[str, Form] = {
    ".jsonl": "doccano",
    ".json": "label-studio",
    **dict.fromkeys(
        (".conll", ".txt", ".tsv", ".bio", ".iob", ".iob1", ".iob2", ".bioes", ".bmes", ".bilou"), "columns"
    ),
}
_BREAK = re.compile(r"[\t\r\n]+")


def form_for(path: Path, wished: str | None) -> Form:
    """The form `wished`, or that of the ending of the name.

    Raises:
        BertwrightError: BW121 no such form, or none for this ending.
    """
    form = wished or _BY_SUFFIX.get(path.suffix.lower(), path.suffix or "-")
    for known in get_args(Form):
        if form == known:
            return known  # type: ignore[no-any-return]
    raise BertwrightError("BW121", file=path, form=form, known=shown(get_args(Form)))


def lines_for(examples: Sequence[Example], form: Form, scheme: Scheme) -> Iterator[str]:
    """The content of a file, in parts.

    Raises:
        BertwrightError: BW251 entities overlap, which tags cannot say; BW406 half a surrogate pair, which no file can
            hold.
    """
    _refuse_halves(examples)
    if form == "columns":
        yield from (_sentence(example, scheme) for example in examples)
        return
    as_object = {"cluener": _cluener, "doccano": _doccano, "label-studio": _label_studio}[form]
    lines = (json.dumps(as_object(example), ensure_ascii=False) for example in examples)
    if form == "label-studio":
        yield "[\n"
        yield from (line + ",\n" if at < len(examples) else line + "\n" for at, line in enumerate(lines, start=1))
        yield "]\n"
    else:
        yield from (line + "\n" for line in lines)


def _refuse_halves(examples: Sequence[Example]) -> None:
    for example in examples:
        for text in (example.text, *(span.type for span in spans_of(example) or ())):
            if error := half_of_a_pair(text, example.where):
                raise error


def overlapping(spans: Sequence[Span]) -> tuple[Span, Span] | None:
    """Two spans that share a place, if there are any; `spans` are in the order of their starts."""
    last: Span | None = None
    for span in spans:
        if last is not None and span.start < last.end:
            return last, span
        last = span
    return None


def not_told_apart(examples: Sequence[Example], form: Form, scheme: Scheme) -> list[Where]:
    """A place for each entity that the scheme, having no tag for a beginning, makes one with the entity before it."""
    if form != "columns" or scheme != "io":
        return []
    return [
        example.where
        for example in examples
        for one, other in pairwise(spans_of(example) or ())
        if one.type == other.type and not example.text[one.end : other.start].strip()
    ]


def _sentence(example: Example, scheme: Scheme) -> str:
    spans = spans_of(example) or ()
    if two := overlapping(spans):
        named = (f"'{example.text[one.start : one.end]}' ({one.type})" for one in two)
        raise BertwrightError("BW251", where=example.where, entities=shown(named))
    tokens = _tokens(example)
    starts = np.array([start for start, _ in tokens])
    entities = [
        Span(int(np.searchsorted(starts, one.start)), int(np.searchsorted(starts, one.end)), one.type) for one in spans
    ]
    tags = write_tags(entities, len(tokens), scheme)
    lines = [f"{example.text[a:b]}\t{spell_tag(tag, scheme)}\n" for (a, b), tag in zip(tokens, tags)]
    return "".join(lines) + "\n"


def _tokens(example: Example) -> list[tuple[int, int]]:
    """Where the tokens are: those that the data has, else those of `units_of`.

    One is split where an entity begins or ends within it, and where it holds what no line can (a tab, a line break).
    What is only white space is left out.
    """
    text = example.text
    units = units_of(text, "token") if example.tokens is None else example.tokens
    cuts = sorted({place for span in spans_of(example) or () for place in (span.start, span.end)})
    tokens = []
    for start, end in units.tolist():
        whole = text[start:end]
        inside = {place for at in _BREAK.finditer(whole) for place in (start + at.start(), start + at.end())}
        ends = sorted({start, end, *inside, *cuts[bisect_right(cuts, start) : bisect_left(cuts, end)]})
        tokens += [(a, b) for a, b in pairwise(ends) if not text[a:b].isspace()]
    return tokens


def _cluener(example: Example) -> dict[str, Any]:
    label: dict[str, dict[str, list[list[int]]]] = {}
    for span in spans_of(example) or ():
        said = example.text[span.start : span.end]
        label.setdefault(span.type, {}).setdefault(said, []).append([span.start, span.end - 1])
    return {"text": example.text, "label": label}


def _doccano(example: Example) -> dict[str, Any]:
    return {"text": example.text, "label": [[span.start, span.end, span.type] for span in spans_of(example) or ()]}


def _label_studio(example: Example) -> dict[str, Any]:
    result = [
        {
            "from_name": "label",
            "to_name": "text",
            "type": "labels",
            "value": {
                "start": span.start,
                "end": span.end,
                "text": example.text[span.start : span.end],
                "labels": [span.type],
            },
        }
        for span in spans_of(example) or ()
    ]
    return {"data": {"text": example.text}, "annotations": [{"result": result}]}
