"""Text files as they come: compressed or not, in the encodings that people have.

A byte-order mark decides; else strict UTF-8 without NUL bytes; else gb18030, but only if nearly all Han
characters that it gives are common ones; else the file is refused.
"""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import IO, BinaryIO, TextIO, cast

from bertwright.errors import BertwrightError

_OPENERS: dict[str, Callable[..., IO[bytes]]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}  # type: ignore[dict-item]
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_BLOCK = 1 << 20
_COMMON_SHARE = 0.98


def open_bytes(path: Path) -> BinaryIO:
    """The content of `path`, decompressed as its ending says (.gz, .bz2, .xz).

    Raises:
        BertwrightError: BW201 there is no such file, BW202 it is a folder or cannot be read.
    """
    if not path.exists():
        raise BertwrightError("BW201", file=path)
    if path.is_dir():
        raise BertwrightError("BW202", file=path, reason="a folder, not a file")
    try:
        return cast(BinaryIO, _OPENERS.get(path.suffix.lower(), open)(path, "rb"))
    except OSError as error:
        raise BertwrightError("BW202", file=path, reason=error.strerror or error) from error


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


def detect_encoding(path: Path) -> str:
    """The name of the encoding of `path`, by the rule of this module; the file is read once, in blocks.

    Raises:
        BertwrightError: as `open_bytes`; BW203 where no encoding fits.
    """
    try:
        with open_bytes(path) as file:
            start = file.read(4)
        for mark, name in _MARKS:
            if start.startswith(mark):
                return name
        line = _first_line_that_is_not_utf8(path)
        if line is None:
            return "utf-8"
        if _reads_as_chinese(path):
            return "gb18030"
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise BertwrightError("BW202", file=path, reason=error) from error
    raise BertwrightError("BW203", where=f"{path}:{line}")


def _first_line_that_is_not_utf8(path: Path) -> int | None:
    with open_bytes(path) as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                return number
            if b"\0" in line:
                return number
    return None


def _reads_as_chinese(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("gb18030")()
    han = common = 0
    with open_bytes(path) as file:
        while block := file.read(_BLOCK):
            if b"\0" in block:
                return False
            try:
                text = decoder.decode(block)
            except UnicodeDecodeError:
                return False
            characters = [c for c in text if "\u3400" <= c <= "\u9fff"]
            han += len(characters)
            # GB 2312 holds the characters of ordinary texts; bytes of another encoding, read as gb18030,
            # land all over its much larger table.
            common += sum(_is_common(c) for c in characters)
    return han > 0 and common >= _COMMON_SHARE * han


def _is_common(character: str) -> bool:
    try:
        return len(character.encode("gb2312")) == 2
    except UnicodeEncodeError:
        return False
