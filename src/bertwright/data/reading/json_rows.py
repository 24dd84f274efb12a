"""JSON lines, and JSON files that hold a list of objects, to rows; both are read in bounded memory."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from bertwright.data.examples import Where
from bertwright.data.reading.opened_source import OpenedSource
from bertwright.data.reading.rows import Row, Rows
from bertwright.errors import BertwrightError
from bertwright.text.lines import LONGEST_LINE, refuse_endless
from bertwright.wording import Phrase

_LIST_KEY = "data"
_ENDLESS = 1 << 15  # characters of a line without an end
_TYPED = {"“": '"', "”": '"', "‘": '"', "’": '"', "，": ",", "：": ":", "｛": "{", "［": "[", "｝": "}", "］": "]"}
_SPACE = re.compile(r"[ \t\r\n]*")


def read_json(source: OpenedSource) -> Rows:
    """The objects of a `.json`, `.jsonl` or `.ndjson` file, compressed or not.

    Under each of these endings people keep both kinds, so the content decides: one object a line, or one list
    of objects, alone or as the value of `data`.

    Raises:
        BertwrightError: BW201 to BW203, BW234, BW235 the file and its encoding; BW225 what is no JSON; BW226 an
            item that is no object; BW228 a file without a list of objects; BW205 an empty one.
    """
    start = source.start.lstrip()
    if not start:
        raise BertwrightError("BW205", source=source)
    if _is_lines(start, source.suffix):
        return json_lines(str(source), source.lines(), source.encoding)
    return Rows(str(source), "JSON", _List(source).rows(), encoding=source.encoding)


def json_lines(source: str, lines: Iterable[str], encoding: str = "") -> Rows:
    """The objects of lines, one each; raises BW225 and BW226 as `read_json` when a line is reached."""
    return Rows(source, "JSON lines", _lines(source, lines), encoding=encoding)


def _is_lines(start: str, suffix: str) -> bool:
    first, end, rest = start.partition("\n")
    try:
        value = json.loads(first)
    except (ValueError, RecursionError):
        # A JSON file begins with `[` or `{` and goes on, indented, on the next line. Objects at the beginning
        # of several lines are JSON lines with a mistake in the first; one endless line may be either.
        if not first.startswith("{"):
            return suffix != ".json" and not first.startswith("[")
        is_endless = not end and len(start) > _ENDLESS and f'"{_LIST_KEY}"' not in first
        return suffix != ".json" or "\n{" in start or is_endless
    if isinstance(value, dict):
        return not isinstance(value.get(_LIST_KEY), list)
    return not isinstance(value, list) or bool(rest.strip())


def _lines(source: str, lines: Iterable[str]) -> Iterator[Row]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line.rstrip())
        except (ValueError, RecursionError) as error:
            column = error.colno if isinstance(error, json.JSONDecodeError) else 1
            raise _unreadable(Where(source, number), column, error) from error
        yield _row(Where(source, number), value)


def _row(where: Where, value: Any) -> Row:
    if not isinstance(value, dict):
        raise BertwrightError("BW226", where=where, value=_short(value))
    return where, value


def _unreadable(where: Where, column: int, error: Exception) -> BertwrightError:
    if not isinstance(error, json.JSONDecodeError):
        return BertwrightError("BW225", where=where, column=column, reason=error)
    there = error.doc[error.pos : error.pos + 1]
    reason = Phrase(error.msg)
    if there in _TYPED:
        reason = Phrase("a full-width or curly {found} where JSON has {wanted}", found=there, wanted=_TYPED[there])
    return BertwrightError("BW225", where=where, column=column, reason=reason)


def _is_unfinished(error: Exception, text: str) -> bool:
    """Whether a value cannot be read because the rest of it is not there."""
    return isinstance(error, json.JSONDecodeError) and (
        error.msg.startswith("Unterminated") or error.pos >= len(text) - len("-Infinity")
    )


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else text[:40] + "…"


class _List:
    """A JSON list, of which one item after the other is held in memory."""

    def __init__(self, source: OpenedSource) -> None:
        self._source = str(source)
        self._blocks = source.blocks()
        self._text = ""  # what was read and not yet forgotten
        self._at = 0  # the next character in it
        self._line = 1  # of that character
        self._column = 1
        self._decoder = json.JSONDecoder()

    def rows(self) -> Iterator[Row]:
        is_whole = self._peek() == "["
        if self._peek() == "{":
            self._enter_object()
        if self._peek() != "[":
            raise BertwrightError("BW228", source=self._source)
        self._move(1)
        while self._peek() != "]":
            where = self._where()
            yield _row(where, self._value())
            if self._peek() == ",":
                self._move(1)
            elif self._peek() != "]":
                raise self._wrong("Expecting ',' or ']'")
        self._move(1)
        if is_whole and self._peek():
            raise self._wrong(Phrase("Extra data"))

    def _enter_object(self) -> None:
        """Go to the value of `data`, past the keys before it."""
        self._move(1)
        while self._peek() == '"':
            key = self._value()
            if self._peek() != ":":
                raise self._wrong("Expecting ':'")
            self._move(1)
            if key == _LIST_KEY:
                return
            self._value()
            if self._peek() == ",":
                self._move(1)
        if self._peek() != "}":
            raise self._wrong(Phrase("Expecting a name in quotes"))
        raise BertwrightError("BW228", source=self._source)

    def _value(self) -> Any:
        self._peek()
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text, self._at)
            except (ValueError, RecursionError) as error:
                ahead = error.pos - self._at if isinstance(error, json.JSONDecodeError) else 0
                # What cannot be read may only be unfinished.
                is_long = len(self._text) - self._at > LONGEST_LINE
                if is_long and _is_unfinished(error, self._text):
                    refuse_endless(self._where(), Phrase("the value"), LONGEST_LINE)
                if is_long or not self._more():
                    self._move(ahead)
                    raise _unreadable(self._where(), self._column, error) from error
                continue
            # A number at the end of the block may go on in the next one.
            if end < len(self._text) or not self._more():
                self._move(end - self._at)
                return value

    def _peek(self) -> str:
        """The next character that is no white space; empty at the end."""
        while True:
            match = _SPACE.match(self._text, self._at)
            assert match is not None
            self._move(match.end() - self._at)
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def _move(self, count: int) -> None:
        end = self._at + count
        breaks = self._text.count("\n", self._at, end)
        self._line += breaks
        self._column = end - self._text.rfind("\n", self._at, end) if breaks else self._column + count
        self._at = end

    def _more(self) -> bool:
        # As much again as is waiting, so that a long value is not tried at every block.
        wanted, parts = len(self._text) - self._at, [self._text[self._at :]]
        self._at = 0
        while block := next(self._blocks, ""):
            parts.append(block)
            wanted -= len(block)
            if wanted <= 0:
                break
        self._text = "".join(parts)
        return len(parts) > 1

    def _where(self) -> Where:
        return Where(self._source, self._line)

    def _wrong(self, reason: object) -> BertwrightError:
        return BertwrightError("BW225", where=self._where(), column=self._column, reason=reason)
