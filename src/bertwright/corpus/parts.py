"""A corpus as parts of a few megabytes, whole documents each: what one worker reads at a time.

The parts are a function of the files alone. A document longer than `LONGEST_DOCUMENT` is cut at a line, or, where it
has none, at a space; what is cut is counted.
"""

from __future__ import annotations

import codecs
import importlib
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import IO, Any, Literal, TypeVar

from bertwright.checkpoint.replacing import place_for
from bertwright.errors import BertwrightError
from bertwright.machine.pool import Pool
from bertwright.text.files import decompressed, plain_suffix
from bertwright.text.lines import encoding_of
from bertwright.text.unreadable import READ_ERRORS, unreadable

Reader = TypeVar("Reader")
Documents = Literal["blank", "line", "file"]
PART_BYTES = 4 << 20
LONGEST_DOCUMENT = 32 << 20
_BLOCK = 1 << 20
_LOOKED_AT = 16 << 20
_TEXT = (".txt", ".text", "")
_LINES = (".jsonl", ".ndjson", ".json")
_PARQUET = (".parquet", ".pq")
_BLANK_LINE = re.compile(rb"\n[ \t\r]*\n")
_ROWS_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Source:
    """How a corpus is to be read.

    Attributes:
        files: in the order in which they are read.
        documents: where a document of a text file ends: at a blank line, at every line, or with the file.
        field: which field of a JSON line or column of a Parquet file holds the text.
        encoding: of text files; None: found for each.
        skip_bad: pass over lines that cannot be read, and count them, instead of stopping.
    """

    files: tuple[Path, ...]
    documents: Documents = "blank"
    field: str = "text"
    encoding: str | None = None
    skip_bad: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """Some whole documents of one file.

    Attributes:
        index: which part of the corpus it is.
        file: its number among the files of the source.
        path: for messages.
        kind: `text`, `json`, or `rows` (texts of documents, read already).
        content: UTF-8 bytes, or texts.
        line: the number, from 1, of its first line or row in the file.
        documents: where a document of text ends.
        field: the field of JSON lines.
        goes_on: the part ends within a document that was too long.
        read: bytes of the file, as it lies on the disk, that were read so far.
    """

    index: int
    file: int
    path: str
    kind: Literal["text", "json", "rows"]
    content: bytes | tuple[str, ...]
    line: int
    documents: Documents
    field: str
    goes_on: bool
    read: int


def corpus_files(paths: str | Path | Sequence[str | Path], out: Path | None = None) -> tuple[Path, ...]:
    """The files of a corpus: those named, and all of a known kind in folders that are named, by name.

    Args:
        paths: files and folders, or one of them.
        out: the folder that will be made of them, which must not lie in one of these: it would be read the next time.

    Raises:
        BertwrightError: BW201 no such file; BW282 a file of another kind; BW283 a folder without any; BW576 `out`.
    """
    found: list[Path] = []
    for path in [Path(paths)] if isinstance(paths, str | Path) else map(Path, paths):
        if not path.exists():
            raise BertwrightError("BW201", file=path)
        if path.is_dir():
            if out is not None:
                place_for(out, path)
            inside = [one for one in sorted(path.rglob("*")) if _is_readable(path, one)]
            if not inside:
                raise BertwrightError("BW283", folder=path)
            found += inside
        elif plain_suffix(path) in (*_TEXT, *_LINES, *_PARQUET):
            found.append(path)
        else:
            raise BertwrightError("BW282", file=path, suffix=plain_suffix(path))
    return tuple(found)


def _is_readable(folder: Path, path: Path) -> bool:
    hidden = any(name.startswith(".") for name in path.relative_to(folder).parts)
    return path.is_file() and not hidden and plain_suffix(path) in (*_TEXT, *_LINES, *_PARQUET)


def read_parts(source: Source, part_bytes: int = PART_BYTES) -> Iterator[Part]:
    """The parts of a corpus, one after the other, in constant memory.

    Raises:
        BertwrightError: BW202, BW203, BW234, BW235 a file or its encoding; BW231, BW232 a Parquet file; BW284 it has
            no such column; BW285 a JSON line that does not end; BW295 a column of something else than texts.
    """
    of_files = (_parts_of_file(source, number, part_bytes) for number in range(len(source.files)))
    for index, part in enumerate(chain.from_iterable(of_files)):
        yield replace(part, index=index)


def reading_pool(make: Callable[[], Reader], workers: int) -> Pool[Reader]:
    """Processes that work at parts; a single worker is this process itself.

    Raises:
        BertwrightError: BW550, while they work: one of them ended before its work was done.
    """
    processes = 0 if workers == 1 else workers
    return Pool(make, processes, died=lambda _: BertwrightError("BW550", workers=workers))


def _parts_of_file(source: Source, number: int, part_bytes: int) -> Iterator[Part]:
    path = source.files[number]
    suffix = plain_suffix(path)
    if suffix in _PARQUET:
        yield from _parts_of_parquet(source, number, part_bytes)
        return
    kind: Literal["text", "json"] = "json" if suffix in _LINES else "text"
    documents = "line" if kind == "json" else source.documents
    encoding = source_encoding(path, source.encoding)
    line = 1
    try:
        with path.open("rb") as file:
            blocks = _utf8_blocks(decompressed(file, path.suffix), encoding, min(_BLOCK, part_bytes))
            for content, goes_on in _cut(blocks, documents, part_bytes):
                if goes_on and kind == "json":
                    raise BertwrightError("BW285", where=f"{path}:{line}", limit=LONGEST_DOCUMENT >> 20)
                yield Part(0, number, str(path), kind, content, line, documents, source.field, goes_on, file.tell())
                line += content.count(b"\n")
    except BertwrightError:
        raise
    except UnicodeError as error:
        raise BertwrightError("BW234", where=f"{path}:{line}", encoding=encoding) from error
    except READ_ERRORS as error:
        raise unreadable(path, error) from error


def source_encoding(path: Path, wished: str | None) -> str:
    """The encoding of a text file of any length: UTF-8 if its first megabytes are, else as `detect_encoding` finds.

    What comes later and is no UTF-8 is found by whoever reads it.

    Raises:
        BertwrightError: BW201 to BW203, BW235.
    """
    if wished is None:
        try:
            with path.open("rb") as file:
                start = decompressed(file, path.suffix).read(_LOOKED_AT)
            codecs.getincrementaldecoder("utf-8")().decode(start)
        except UnicodeDecodeError:
            pass
        except READ_ERRORS as error:
            raise unreadable(path, error) from error
        else:
            if b"\0" not in start:
                return "utf-8"
    return encoding_of(path, wished)


def _utf8_blocks(stream: IO[bytes], encoding: str, size: int) -> Iterator[bytes]:
    """The content as UTF-8, without a byte-order mark; bytes that UTF-8 does not know are left for the reader."""
    if codecs.lookup(encoding).name in ("utf-8", "utf-8-sig", "ascii"):
        first = True
        while block := stream.read(size):
            yield block.removeprefix(codecs.BOM_UTF8) if first else block
            first = False
        return
    text = io.TextIOWrapper(stream, encoding=encoding, errors="surrogateescape", newline="")
    while characters := text.read(size):
        # What the encoding does not know becomes bytes again, which are no UTF-8: the reader finds them there.
        yield characters.encode("utf-8", "surrogateescape")
    text.detach()  # else the file is closed with it


def _cut(blocks: Iterator[bytes], documents: Documents, part_bytes: int) -> Iterator[tuple[bytes, bool]]:
    """Contents of about `part_bytes`, cut where documents end, and whether one had to be cut elsewhere."""
    waiting: list[bytes] = []
    size = 0
    searched = 0  # bytes at the beginning of what waits that hold no end of a document
    for block in blocks:
        waiting.append(block)
        size += len(block)
        if size < part_bytes:
            continue
        content = b"".join(waiting)
        end, goes_on = _last_end(content, documents, searched), False
        if end == 0 and size >= LONGEST_DOCUMENT:
            end, goes_on = _any_end(content), True
        if end:
            yield content[:end], goes_on
            content = content[end:]
        searched = max(len(content) - _BLOCK, 0) if not end else 0
        waiting, size = [content], len(content)
    if size:
        yield b"".join(waiting), False


def _last_end(content: bytes, documents: Documents, searched: int) -> int:
    """Behind the last end of a document in `content`, or 0."""
    if documents == "file":
        return 0
    if documents == "line":
        return content.rfind(b"\n", searched) + 1
    # The last blank line stands near the end; looking from there saves reading all.
    at = len(content)
    while (at := content.rfind(b"\n", searched, at)) > searched:
        before = content.rfind(b"\n", 0, at)
        if before >= 0 and not content[before:at].strip(b" \t\r\n"):
            return at + 1
    return 0


def _any_end(content: bytes) -> int:
    """Behind the last line, or the last space, or the last whole character."""
    if end := content.rfind(b"\n") + 1 or content.rfind(b" ") + 1:
        return end
    for back in range(1, 4):
        if content[-back] >= 0xC0:  # the first byte of a character
            return len(content) - back
    return len(content)


def _parts_of_parquet(source: Source, number: int, part_bytes: int) -> Iterator[Part]:
    path = source.files[number]
    try:
        parquet: Any = importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise BertwrightError("BW231", file=path) from error
    texts: list[str] = []
    size, line = 0, 1

    def part(read: int) -> Part:
        return Part(0, number, str(path), "rows", tuple(texts), line, "line", source.field, False, read)

    try:
        with parquet.ParquetFile(path) as file:
            rows, whole = max(file.metadata.num_rows, 1), path.stat().st_size
            for seen, text in enumerate(_texts(file, path, source.field), start=1):
                texts.append(text)
                size += len(text)
                if size >= part_bytes:
                    yield part(whole * seen // rows)
                    line, texts, size = line + len(texts), [], 0
            if texts:
                yield part(whole)
    except BertwrightError:
        raise
    except (OSError, ValueError) as error:
        raise BertwrightError("BW232", file=path, reason=str(error).splitlines()[0]) from error


def _texts(file: Any, path: Path, field: str) -> Iterator[str]:
    """The texts of a column."""
    names = list(file.schema_arrow.names)
    if field not in names:
        raise BertwrightError("BW284", file=path, field=field, names=", ".join(names))
    kind = file.schema_arrow.field(field).type
    if not _is_text(kind):
        raise BertwrightError("BW295", file=path, field=field, type=kind, names=", ".join(names))
    for batch in file.iter_batches(batch_size=_ROWS_AT_ONCE, columns=[field]):
        for text in batch.column(0).to_pylist():
            # Some programs write texts as bytes. What is no UTF-8 is found by whoever reads the part.
            yield text.decode("utf-8", "surrogateescape") if isinstance(text, bytes) else text or ""


def _is_text(kind: Any) -> bool:
    """Whether a column of this type of Arrow holds texts, bytes, or nothing at all."""
    types: Any = importlib.import_module("pyarrow.types")
    if types.is_dictionary(kind):
        kind = kind.value_type
    known = ("string", "large_string", "string_view", "binary", "large_binary", "binary_view", "null")
    return any(getattr(types, f"is_{name}")(kind) for name in known)
