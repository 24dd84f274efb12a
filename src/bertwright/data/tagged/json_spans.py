"""JSON objects with spans: CLUENER, doccano, Label Studio, and what looks like them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from bertwright.data.answers import Span
from bertwright.data.examples import Where
from bertwright.data.reading.columns.column_names import LABELS, TEXTS
from bertwright.errors import BertwrightError
from bertwright.wording import Phrase, shown

_SPAN_KEYS = ("label", "labels", "entities", "spans", "annotations", "entity", "ner", "column_label", "实体", "标注")
_STARTS = ("start", "start_offset", "begin", "from", "start_idx", "开始")
_ENDS = ("end", "end_offset", "stop", "to", "end_idx", "结束")
_TYPES = ("label", "labels", "type", "entity", "entity_group", "tag", "entity_type", "category", "类型")
_SAID = ("text", "word", "mention", "surface", "value")
_TOKENS = ("tokens", "words", "chars")
_TAGS = ("tags", "ner_tags", "labels", "label", "tag")

# A span as it was given: start, end, type, and the text that it is said to be.
Given = tuple[Any, Any, Any, str | None]


def has_spans(row: Mapping[str, Any]) -> bool:
    """Whether an object is a text with spans, or tokens with tags."""
    return tokens_with_tags(row) is not None or _form(row) is not None


def tokens_with_tags(row: Mapping[str, Any]) -> tuple[list[str], list[str]] | None:
    """The tokens and the tags of an object that has both as lists."""
    for key in _TOKENS:
        tokens = row.get(key)
        if not isinstance(tokens, list) or not all(isinstance(token, str) for token in tokens):
            continue
        for name in _TAGS:
            tags = row.get(name)
            if isinstance(tags, list) and len(tags) == len(tokens) and all(isinstance(tag, str) for tag in tags):
                return tokens, tags
    return None


def is_unannotated(row: Mapping[str, Any]) -> bool:
    """Whether an object of Label Studio has no annotation, or only ones that were cancelled or have no result: nobody
    says what is in its text.
    """
    return _is_task(row) and _annotation(row) is None


def annotations_of(row: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The annotations of an object of Label Studio that were not cancelled and have a result, be it empty; none for an
    object of another form.
    """
    if not _is_task(row):
        return []
    given = [one for one in row["annotations"] if isinstance(one, Mapping) and not one.get("was_cancelled")]
    return [one for one in given if one.get("result") is not None]


def is_classified(row: Mapping[str, Any]) -> bool:
    """Whether an object has one label for its whole text, and beside it a list of spans with nothing in it."""
    key = _span_key(row)
    labels = (row[name] for name in LABELS if name in row and name != key)
    return key is not None and not row[key] and any(isinstance(one, str | int | float) for one in labels)


def text_with_spans(row: Mapping[str, Any], where: Where) -> tuple[str, list[tuple[Span, str | None]]]:
    """The text of an object and its spans, each with the text that it is said to be; ends are exclusive.

    Raises:
        BertwrightError: BW248 the object is of none of the forms; BW252 it has no text.
    """
    form = _form(row)
    if form is None:
        raise BertwrightError("BW248", where=where, keys=shown(row), reason=_why_of_no_form(row))
    read, spans = form
    return _text_of(row, where), [(_span(given, row, where), given[-1]) for given in read(spans)]


def _why_of_no_form(row: Mapping[str, Any]) -> Phrase:
    """What is amiss with an object: tags that do not fit its tokens, or nothing that marks a span."""
    tokens = row.get("tokens")
    lists = {key: value for key, value in row.items() if key != "tokens" and isinstance(value, list) and value}
    if isinstance(tokens, list):
        for key, tags in lists.items():
            if all(type(one) is int for one in tags):
                return Phrase("the tags in {key} are numbers; write their names, in datasets by int2str", key=key)
            if all(isinstance(one, str) for one in tags) and len(tags) != len(tokens):
                return Phrase("{n} tokens, but {m} tags in {key}", n=len(tokens), m=len(tags), key=key)
    return Phrase("label, entities or annotations is missing")


def plain_text_of(row: Mapping[str, Any]) -> str:
    """The text of an object that is no task of Label Studio, under one of the usual keys; else empty."""
    return "" if _is_task(row) else next((row[key] for key in TEXTS if isinstance(row.get(key), str)), "")


def _text_of(row: Mapping[str, Any], where: Where) -> str:
    """The text; in an object of Label Studio it may stand under any key."""
    source = row["data"] if _is_task(row) else row
    keys = (*TEXTS, "tokens", *(source if _is_task(row) else ()))
    for key in keys:
        if isinstance(text := source.get(key), str):
            return text
    raise BertwrightError("BW252", where=where, keys=shown(source))


def _span(given: Given, row: Mapping[str, Any], where: Where) -> Span:
    start, end, kind, _ = given
    if isinstance(kind, Sequence) and not isinstance(kind, str) and len(kind) == 1:
        kind = kind[0]
    if type(start) is int and type(end) is int and isinstance(kind, str) and kind:
        return Span(start, end, kind)
    read = f"start {start!r}, end {end!r}, type {kind!r}"
    raise BertwrightError("BW248", where=where, keys=shown(row), reason=read)


def _form(row: Mapping[str, Any]) -> tuple[Callable[[Any], Iterator[Given]], Any] | None:
    """What reads the spans of an object, and what they are read from."""
    if _is_task(row):
        return _label_studio, row
    key = _span_key(row)
    if key is None:
        return None
    return _cluener if isinstance(row[key], Mapping) else _listed, row[key]


def _is_task(row: Mapping[str, Any]) -> bool:
    """Whether an object is one of Label Studio."""
    return isinstance(row.get("annotations"), list) and isinstance(row.get("data"), Mapping)


def _span_key(row: Mapping[str, Any]) -> str | None:
    """The key of the spans: the first one that holds any, for an empty list may stand under another one, too."""
    keys = [key for key in _SPAN_KEYS if _may_be_spans(row.get(key))]
    return next((key for key in keys if row[key]), keys[0] if keys else None)


def _may_be_spans(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(isinstance(one, Mapping) for one in value.values())
    return isinstance(value, list) and all(isinstance(one, (list, tuple, Mapping)) for one in value)


def _cluener(spans: Mapping[str, Any]) -> Iterator[Given]:
    """`{"name": {"彭小军": [[0, 2]]}}`: the end is the last character."""
    for kind, mentions in spans.items():
        for said, places in mentions.items():
            for place in places if isinstance(places, list) else [places]:
                if not isinstance(place, (list, tuple)) or len(place) != 2:
                    yield None, None, kind, said
                    continue
                start, end = place
                yield start, end + 1 if isinstance(end, int) else end, kind, said


def _listed(spans: Sequence[Any]) -> Iterator[Given]:
    """`[[0, 3, "PER"]]`, or objects with a start, an end and a type, as doccano and many others have them."""
    for one in spans:
        if isinstance(one, Mapping):
            yield _of_object(one)
        elif len(one) == 3:
            yield one[0], one[1], one[2], None
        else:
            yield None, None, None, None


def _of_object(one: Mapping[str, Any]) -> Given:
    def first(names: Sequence[str]) -> Any:
        return next((one[name] for name in names if one.get(name) is not None), None)

    said = first(_SAID)
    return first(_STARTS), first(_ENDS), first(_TYPES), said if isinstance(said, str) else None


def _label_studio(row: Mapping[str, Any]) -> Iterator[Given]:
    """Of one annotation; what is no span of a text (choices, relations) is passed over."""
    for result in (_annotation(row) or {}).get("result") or ():
        value = result.get("value") if isinstance(result, Mapping) else None
        if isinstance(value, Mapping) and "start" in value:
            yield from _of_value(value)


def _of_value(value: Mapping[str, Any]) -> Iterator[Given]:
    key = next((key for key in value if key.endswith("labels")), None)
    if "labels" in value:
        yield _of_object(value)
    elif key:  # hypertextlabels, paragraphlabels
        places, said = value.get("globalOffsets"), {"label": value[key], "text": value.get("text")}
        yield _of_object({**places, **said} if isinstance(places, Mapping) else said)


def _annotation(row: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """That which was declared the ground truth, or the first one."""
    given = annotations_of(row)
    return next((one for one in given if one.get("ground_truth")), given[0] if given else None)
