"""What keeps a file from being read, told in the words of a person."""

from __future__ import annotations

import lzma
import zlib
from pathlib import Path

from bertwright.errors import BertwrightError
from bertwright.wording import Phrase

READ_ERRORS = (OSError, EOFError, lzma.LZMAError, zlib.error)
# The first bytes of what is compressed, and the program that tests it.
_COMPRESSED = {".gz": (b"\x1f\x8b", "gzip"), ".bz2": (b"BZh", "bzip2"), ".xz": (b"\xfd7zXZ", "xz")}


def unreadable(path: Path, error: Exception) -> BertwrightError:
    """BW202 for one of `READ_ERRORS`: a file of the system that refuses itself, or an archive that is none, is cut
    off, or is damaged.
    """
    suffix = path.suffix.lower()
    if isinstance(error, OSError) and error.errno is not None:
        return refused(path, error.strerror or str(error))
    if suffix not in _COMPRESSED:
        return refused(path, str(error))
    magic, program = _COMPRESSED[suffix]
    with path.open("rb") as file:
        is_compressed = file.read(len(magic)) == magic
    if not is_compressed:
        return BertwrightError(
            "BW202", file=path,
            reason=Phrase("it is not compressed, though its name ends with {suffix}", suffix=path.suffix),
            cause=Phrase("a file that was renamed, or that a program unpacked under its old name"),
            way_out=Phrase("take the ending off: mv {file!q} {plain!q}", file=path, plain=path.with_suffix("")),
        )  # fmt: skip
    is_cut = isinstance(error, EOFError)
    reason = Phrase("the compressed file is cut off") if is_cut else Phrase("the compressed file is damaged")
    return BertwrightError(
        "BW202", file=path, reason=reason,
        cause=Phrase("a download or a copy that stopped half-way, or a disk that is full or has a fault"),
        way_out=Phrase("fetch it again; this tests it: {program} -t {file!q}", program=program, file=path),
    )  # fmt: skip


def refused(path: Path, reason: str | Phrase) -> BertwrightError:
    """BW202 for what the system does not give."""
    return BertwrightError(
        "BW202", file=path, reason=reason,
        cause=Phrase("it is a folder, is damaged, or you have no permission to read it"),
        way_out=Phrase("give the path of a readable file"),
    )  # fmt: skip
