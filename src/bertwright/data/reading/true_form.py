"""JSON in a file that is named as a table, and a table in one that is named as JSON: the content decides."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Sequence

_TABLES = (".csv", ".tsv", ".txt")
_JSON = (".json", ".jsonl", ".ndjson")
# What the content of such a file is called.
FORMS_OF_TEXT = {
    **dict.fromkeys(_TABLES, "CSV"),
    ".tsv": "TSV",
    **dict.fromkeys(_JSON, "JSON"),
    ".jsonl": "JSON lines",
}
_OBJECT = re.compile(r'\[?\s*\{\s*"[^"]*"\s*:')
_KEY = re.compile(r'"[^"]*"\s*:')
_SEPARATORS = {",": ".csv", "\t": ".tsv", ";": ".csv"}


def true_ending(ending: str, lines: Sequence[str]) -> str:
    """The ending that a file should have by its first lines; `ending`, that of its name, where nothing speaks clearly
    for another one.
    """
    filled = [line.strip("\ufeff\r\n ") for line in lines if line.strip()]
    if ending in _TABLES and _OBJECT.match("\n".join(filled[:4])):
        return _kind_of_json(filled[0]) or ending
    if ending in _JSON and len(filled) > 1:
        return _kind_of_table(filled) or ending
    return ending


def _kind_of_json(first: str) -> str:
    """By the first line; empty where something else stands behind an object, as in a table with a column of them."""
    try:
        value, end = json.JSONDecoder().raw_decode(first)
    except (ValueError, RecursionError):
        return ".json"  # it goes on in the next line, or has a mistake
    if first[end:].strip() not in ("", ","):  # of a comma the reader of JSON says that it is too much
        return ""
    is_line = isinstance(value, dict) and not isinstance(value.get("data"), list)
    return ".jsonl" if is_line else ".json"


def _kind_of_table(lines: Sequence[str]) -> str:
    """Where all lines have as many fields, and none looks like a part of JSON."""
    if any(line[0] in "{[}]“”｛［" or _KEY.match(line) for line in lines):
        return ""
    for separator, ending in _SEPARATORS.items():
        try:
            widths = {len(fields) for fields in csv.reader(lines, delimiter=separator, strict=True)}
        except csv.Error:
            continue
        if len(widths) == 1 and min(widths) > 1:
            return ending
    return ""
