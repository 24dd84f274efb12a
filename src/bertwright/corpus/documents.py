"""A part of a corpus to its documents, each the list of its lines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from bertwright.corpus.parts import Part
from bertwright.errors import BertwrightError
from bertwright.wording import Phrase

_LONGEST_SHOWN = 40


@dataclass(slots=True)
class Documents:
    """What a part holds.

    Attributes:
        lines: of each document; without the white space around, none empty; documents without text are left out.
        empty: documents without text.
        skipped_lines, skipped_bytes: what could not be read and was passed over.
        skip_bad: whether anything is passed over.
    """

    lines: list[list[str]] = field(default_factory=list)
    empty: int = 0
    skipped_lines: int = 0
    skipped_bytes: int = 0
    skip_bad: bool = False

    def pass_over(self, size: int, error: BertwrightError) -> None:
        """Count a line of `size` bytes that cannot be read, or raise the error where it must not be passed over."""
        if not self.skip_bad:
            raise error
        self.skipped_lines += 1
        self.skipped_bytes += size

    def add(self, lines: list[str]) -> None:
        """Take a document; an empty one is counted."""
        kept = [stripped for line in lines if (stripped := line.strip())]
        if kept:
            self.lines.append(kept)
        else:
            self.empty += 1


def documents_of(part: Part, *, skip_bad: bool = False) -> Documents:
    """The documents of a part.

    Args:
        part: the part.
        skip_bad: pass over lines that cannot be read, and count them.

    Raises:
        BertwrightError: BW281 bytes that are no text; BW286 a line that is no JSON object with this field.
    """
    found = Documents(skip_bad=skip_bad)
    if part.kind == "rows":
        _add_rows(found, part)
    elif part.kind == "json":
        for where, line in _lines(part, found):
            if line.strip():
                _add_json(found, where, line, part)
    else:
        _add_text(found, part)
    return found


def _add_rows(found: Documents, part: Part) -> None:
    for number, text in enumerate(part.content, start=part.line):
        assert isinstance(text, str)
        try:
            text.encode("utf-8")  # bytes that are no text stand in it as halves of surrogate pairs
        except UnicodeEncodeError:
            size = len(text.encode("utf-8", "surrogateescape"))
            found.pass_over(size, BertwrightError("BW281", where=f"{part.path}:{number}"))
        else:
            found.add(text.split("\n"))


def _add_text(found: Documents, part: Part) -> None:
    document: list[str] = []
    for _, line in _lines(part, found):
        stripped = line.strip()
        if part.documents == "line":
            if stripped:
                found.lines.append([stripped])
        elif stripped:
            document.append(stripped)
        elif document and part.documents == "blank":
            found.lines.append(document)
            document = []
    if document:
        found.lines.append(document)


def _add_json(found: Documents, where: int, line: str, part: Part) -> None:
    try:
        value = json.loads(line)
        text = value[part.field]
        if not isinstance(text, str):
            raise TypeError(f"{part.field} = {json.dumps(text)[:_LONGEST_SHOWN]}")
        text.encode("utf-8")  # half a surrogate pair is no text
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        reason = Phrase("no {key}", key=error) if isinstance(error, KeyError) else error
        told = BertwrightError("BW286", where=f"{part.path}:{where}", field=part.field, reason=reason)
        found.pass_over(len(line.encode()), told)
    else:
        found.add(text.split("\n"))


def _lines(part: Part, found: Documents) -> Iterator[tuple[int, str]]:
    """The lines of a part with their numbers in the file."""
    content = part.content
    assert isinstance(content, bytes)
    try:
        if b"\0" not in content:
            yield from enumerate(content.decode("utf-8").split("\n"), start=part.line)
            return
    except UnicodeDecodeError:
        pass
    for number, raw in enumerate(content.split(b"\n"), start=part.line):
        try:
            line = raw.decode("utf-8")
            readable = b"\0" not in raw
        except UnicodeDecodeError:
            readable = False
        if readable:
            yield number, line
        else:
            found.pass_over(len(raw) + 1, BertwrightError("BW281", where=f"{part.path}:{number}"))
