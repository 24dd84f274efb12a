"""The one reader of JSON for every file of ours, and the one way in which answers become JSON.

Python's own reader takes `NaN`, which is no JSON, takes the last of two equal keys, and ends with another exception
than that of a mistake where a text is nested too deeply. A file that others made may hold all of it.
"""

from __future__ import annotations

import json
import math
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

from bertwright.wording import Phrase

LARGEST = 1 << 25  # bytes; the vocabulary of the largest multilingual BERT takes a third of it
DEEPEST = 100
_HALF_OF_A_PAIR = (b"\\ud", b"\\uD")


def read_json_file(file: Path, *, with_nan: bool = False) -> Any:
    """What a JSON file of ours holds; `with_nan`: one into which versions before wrote scores that are no numbers.

    Raises:
        ValueError: no JSON (`NaN` and numbers beyond every float are none), too large, too deep, a key twice, half a
            character in a string, or no ordinary file; its only argument says it.
        OSError: the file cannot be read.
    """
    return read_json(bounded_bytes(file), with_nan=with_nan)


def bounded_bytes(file: Path, largest: int = LARGEST) -> bytes:
    """The content of an ordinary file; raises ValueError where it is larger than a file of its kind can be."""
    if not stat.S_ISREG(file.stat().st_mode):  # a pipe would be waited for without end
        raise ValueError(Phrase("it is no ordinary file"))
    with file.open("rb") as opened:
        content = opened.read(largest + 1)
    if len(content) > largest:
        raise ValueError(Phrase("more than {limit:,} bytes", limit=largest))
    return content


def read_json(content: bytes, *, with_nan: bool = False) -> Any:
    """What a JSON text in UTF-8 says; raises ValueError as `read_json_file`."""
    try:
        value = json.loads(
            content.decode("utf-8-sig"),
            object_pairs_hook=_object,
            parse_constant=float if with_nan else _no_number,
            parse_float=_number,
        )
    except RecursionError:
        raise ValueError(_too_deep()) from None
    has_escapes = any(sign in content for sign in _HALF_OF_A_PAIR)
    for text in _strings(value):
        if has_escapes:
            _require_whole(text)
    return value


def json_text(values: Any, *, indent: int | None = None, default: Callable[[Any], Any] | None = None) -> str:
    """`values` as JSON that every program reads: what is no number, such as an undefined score, is null.

    Args:
        values: what is written.
        indent: spaces of a level; None: all in one line.
        default: makes what JSON knows of what it does not know.
    """
    try:
        return json.dumps(values, ensure_ascii=False, indent=indent, default=default, allow_nan=False)
    except ValueError:
        return json.dumps(_without_nan(values), ensure_ascii=False, indent=indent, default=default, allow_nan=False)


def all_finite(value: Any) -> bool:
    """Whether every number in a value is one."""
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, dict):
        return all(map(all_finite, value.values()))
    return all(map(all_finite, value)) if isinstance(value, list | tuple) else True


def _without_nan(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _without_nan(one) for key, one in value.items()}
    return [_without_nan(one) for one in value] if isinstance(value, list | tuple) else value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise ValueError(Phrase("the key '{key}' stands there twice", key=key[:80]))
            seen.add(key)
    return found


def _no_number(word: str) -> NoReturn:
    raise ValueError(Phrase("{word} is no number of JSON", word=word))


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        _no_number(text[:40])
    return value


def _too_deep() -> Phrase:
    return Phrase("nested more than {limit} deep", limit=DEEPEST)


def _strings(value: Any) -> Iterator[str]:
    """Every string in a value, keys included; raises ValueError where it is too deep."""
    level: list[Any] = [value]
    for _ in range(DEEPEST + 1):
        below: list[Any] = []
        for one in level:
            if isinstance(one, dict):
                yield from one
                below += one.values()
            elif isinstance(one, list):
                below += one
            elif isinstance(one, str):
                yield one
        if not below:
            return
        level = below
    raise ValueError(_too_deep())


def _require_whole(text: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError(Phrase("a string holds half a character")) from None
