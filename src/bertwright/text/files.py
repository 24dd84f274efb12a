"""Text files as they come: compressed or not, in the encodings that people have.

A byte-order mark decides; else strict UTF-8 without NUL bytes; else gb18030, but only if nearly all Han
characters that it gives are common ones and many of them frequent ones; else the file is refused.
"""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import IO, Any, BinaryIO, TextIO, cast

from bertwright.errors import BertwrightError
from bertwright.text.file_kinds import refuse_other_kinds
from bertwright.text.han import is_han
from bertwright.text.unreadable import READ_ERRORS, refused, unreadable
from bertwright.wording import Phrase

_OPENERS: dict[str, Callable[..., IO[bytes]]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}  # type: ignore[dict-item]
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_BLOCK = 1 << 20
_PART = 1 << 22  # of a line that is looked at
_MOST_UNPACKED, _MOST_GROWTH = 1 << 28, 200  # bytes, and times: texts shrink to a tenth, rarely to a fiftieth
_LOOK = 1 << 16  # every file that is read is looked at first
# Characters that make up about half of any Chinese text of some length.
_FREQUENT = frozenset(
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方多"
    "经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实日军者意无力它与长把机十民第公此已工使情明性"
    "知全三又关点正业外将两高间由问很最重并物手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合回特代内信表化老给世位次"
)
_COMMON_SHARE = 0.98
_NO_GUESS = Phrase("the file is binary, or was saved in another encoding, or mixes two of them")
_WIDE = ("utf-16-le", "utf-16-be")
_FREQUENT_SHARE = 0.25


def open_bytes(path: Path) -> BinaryIO:
    """The content of `path`, decompressed as its ending says (.gz, .bz2, .xz).

    Raises:
        BertwrightError: BW201 there is no such file, BW202 it is a folder or cannot be read.
    """
    if not path.exists():
        raise BertwrightError("BW201", file=path)
    if path.is_dir():
        raise refused(path, Phrase("a folder, not a file"))
    if path.is_char_device() or path.is_block_device():  # which may never end
        raise refused(path, Phrase("a device, not a file"))
    try:
        if opener := _OPENERS.get(path.suffix.lower()):
            return io.BufferedReader(_Unpacked(opener(path, "rb"), path), _BLOCK >> 3)
        return path.open("rb")
    except OSError as error:
        raise unreadable(path, error) from error


class _Unpacked(io.RawIOBase):
    """The content of an archive, which may be many times as large as the archive, but not any number of times.

    Reading raises BW299 beyond that.
    """

    def __init__(self, content: IO[bytes], path: Path) -> None:
        super().__init__()
        self._content, self._path = content, path
        self._size = path.stat().st_size
        self._limit = max(_MOST_UNPACKED, _MOST_GROWTH * self._size)
        self._so_far = 0

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any, /) -> int:
        block = self._content.read(len(into))
        self._so_far += len(block)
        if self._so_far > self._limit:
            raise BertwrightError("BW299", file=self._path, size=self._size, limit=self._limit)
        into[: len(block)] = block
        return len(block)

    def close(self) -> None:
        self._content.close()
        super().close()


def decompressed(file: IO[bytes], suffix: str) -> BinaryIO:
    """The content of an open file, decompressed as the ending of its name says; `file` tells how far it was read."""
    opener = _OPENERS.get(suffix.lower())
    return cast(BinaryIO, file if opener is None else opener(file, "rb"))


def open_text(path: Path, encoding: str | None = None) -> TextIO:
    """The text of `path`, line ends as they are, in `encoding` or in the one that `detect_encoding` finds.

    Raises:
        BertwrightError: as `open_bytes` and `detect_encoding`.
    """
    return io.TextIOWrapper(open_bytes(path), encoding=encoding or detect_encoding(path), newline="")


def plain_suffix(path: Path) -> str:
    """The ending that tells the format, without the compression: `.tsv` of `train.tsv.gz`."""
    name = path.with_suffix("") if path.suffix.lower() in _OPENERS else path
    return name.suffix.lower()


def mark_of(path: Path) -> str | None:
    """The name of the encoding that the byte-order mark at the beginning of `path` says; None without a mark.

    Raises:
        BertwrightError: as `open_bytes`; BW202 a damaged archive.
    """
    try:
        with open_bytes(path) as file:
            start = file.read(4)
    except BertwrightError:
        raise
    except READ_ERRORS as error:
        raise unreadable(path, error) from error
    return next((name for mark, name in _MARKS if start.startswith(mark)), None)


def detect_encoding(path: Path) -> str:
    """The name of the encoding of `path`, by the rule of this module; the file is read once, in blocks.

    Raises:
        BertwrightError: as `open_bytes`; BW202 what cannot be read to its end; BW203 where no encoding fits; BW215 no
            text file, whatever its name; BW217 a file in two encodings; BW260 bytes of value 0.
    """
    try:
        if mark := mark_of(path):
            return mark
        line = _first_line_that_is_not_utf8(path)
        if line is None:
            return "utf-8"
        refuse_other_kinds(path)
        mixed = _line_in_utf8(path)
        with open_bytes(path) as file:
            lines = (line for _, line in byte_lines(file) if not _is_chinese_in_utf8(line))
            is_chinese = _reads_as_chinese(lines if mixed else iter(partial(file.read, _BLOCK), b""))
        if is_chinese and mixed:
            raise BertwrightError("BW217", where=f"{path}:{mixed}", other=line)
        if is_chinese:
            return "gb18030"
        likely = _likely_encoding(path)
        if likely not in _WIDE and (zero := _line_with_zero(path)):
            raise BertwrightError("BW260", where=f"{path}:{zero}")
    except BertwrightError:
        raise
    except READ_ERRORS as error:
        raise unreadable(path, error) from error
    guess = Phrase("its bytes read well as {encoding}", encoding=likely) if likely else _NO_GUESS
    raise BertwrightError("BW203", where=f"{path}:{line}", guess=guess, encoding=likely or Phrase("NAME"))


def _first_line_that_is_not_utf8(path: Path) -> int | None:
    """In blocks, not in lines: the whole file may be one line."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    number = 1
    with open_bytes(path) as file:
        while True:
            block = file.read(_LOOK)
            held = len(decoder.getstate()[0])  # the beginning of a character, at the end of the block before
            bad = [place for place in (block.find(b"\0"),) if place >= 0]
            try:
                decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                bad.append(max(error.start - held, 0))
            if bad:
                return number + block.count(b"\n", 0, min(bad))
            if not block:
                return None
            number += block.count(b"\n")


def _reads_as_chinese(blocks: Iterable[bytes]) -> bool:
    """Whether bytes, read as gb18030, are ordinary Chinese.

    GB 2312 holds the characters of ordinary texts; most other bytes, read as gb18030, land all over its much
    larger table. Japanese and Korean encodings fill the same rows as GB 2312, so the share of the most
    frequent characters is asked for, too.
    """
    decoder = codecs.getincrementaldecoder("gb18030")()
    han = common = frequent = 0
    for block in blocks:
        if b"\0" in block:
            return False
        try:
            characters = [c for c in decoder.decode(block) if "\u3400" <= c <= "\u9fff"]
        except UnicodeDecodeError:
            return False
        han += len(characters)
        common += sum(_is_common(c) for c in characters)
        frequent += sum(c in _FREQUENT for c in characters)
    return han > 0 and common >= _COMMON_SHARE * han and frequent >= _FREQUENT_SHARE * han


def _line_in_utf8(path: Path) -> int | None:
    """The first line of a file in another encoding that is Chinese in UTF-8."""
    with open_bytes(path) as file:
        return next((number for number, line in byte_lines(file) if _is_chinese_in_utf8(line)), None)


def byte_lines(file: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """The lines of an open file with their numbers; what is very long comes in parts."""
    number, ended = 0, True
    for line in iter(partial(file.readline, _PART), b""):
        number += ended
        ended = line.endswith(b"\n")
        yield number, line


def _is_chinese_in_utf8(line: bytes) -> bool:
    """Whether a line reads as at least two Han characters in UTF-8, and as gb18030 not as common ones only."""
    if line.isascii():
        return False
    try:
        read = line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    other = line.decode("gb18030", errors="replace")
    return sum(map(is_han, read)) >= 2 and not all(_is_common(one) for one in other if is_han(one))


def _likely_encoding(path: Path) -> str | None:
    """The encoding in which the beginning of a file makes sense, to be proposed; None where none is clear."""
    with open_bytes(path) as file:
        start = file.read(_LOOK)
    if b"\0" in start:
        return next((name for name in _WIDE if _is_wide(start, name)), None)
    high = sum(byte >= 0x80 for byte in start)
    alone = sum(
        byte >= 0x80 and (at == 0 or start[at - 1] < 0x80) and (at + 1 == len(start) or start[at + 1] < 0x80)
        for at, byte in enumerate(start)
    )
    if alone >= 0.8 * high:  # letters with accents between plain ones
        return "cp1252"
    for name, sign in (("shift_jis", _is_kana), ("euc_kr", _is_hangul), ("big5", is_han)):
        read = start.decode(name, errors="ignore")
        if len(read.encode(name, errors="ignore")) >= 0.98 * len(start) and sum(map(sign, read)) >= 0.3 * len(read):
            return name
    return None


def _line_with_zero(path: Path) -> int | None:
    """In blocks: what is no text may have no lines."""
    number = 1
    with open_bytes(path) as file:
        for block in iter(partial(file.read, _BLOCK), b""):
            if (at := block.find(b"\0")) >= 0:
                return number + block.count(b"\n", 0, at)
            number += block.count(b"\n")
    return None


def _is_wide(start: bytes, name: str) -> bool:
    """Whether bytes are two-byte characters without a byte-order mark: nearly all plain letters or Han."""
    read = start.decode(name, errors="replace")
    known = sum(" " <= one <= "~" or one in "\t\r\n" or is_han(one) or "\u3000" <= one <= "\u303f" for one in read)
    return known >= 0.9 * len(read)


def _is_kana(character: str) -> bool:
    return "\u3040" <= character <= "\u30ff"


def _is_hangul(character: str) -> bool:
    return "\uac00" <= character <= "\ud7a3"


def _is_common(character: str) -> bool:
    try:
        return len(character.encode("gb2312")) == 2
    except UnicodeEncodeError:
        return False
