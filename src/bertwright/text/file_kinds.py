"""What a file is by its first bytes, where its name says something else."""

from __future__ import annotations

from pathlib import Path

from bertwright.errors import BertwrightError
from bertwright.wording import Phrase

_UNPACK = Phrase("unpack it, and give the file inside")
_KINDS = (  # the first bytes, what it is, what to do, endings that say so themselves
    (b"%PDF-", Phrase("a PDF document"), Phrase("copy its text into a .txt or .csv file"), ()),
    (
        b"PAR1",
        Phrase("a Parquet file"),
        Phrase("let its name end with {suffix}", suffix=".parquet"),
        (".parquet", ".pq"),
    ),
    (b"\x1f\x8b", Phrase("a gzip archive"), Phrase("let its name end with {suffix}", suffix=".gz"), (".gz",)),
    (b"\xfd7zXZ", Phrase("an xz archive"), Phrase("let its name end with {suffix}", suffix=".xz"), (".xz",)),
    (b"BZh", Phrase("a bzip2 archive"), Phrase("let its name end with {suffix}", suffix=".bz2"), (".bz2",)),
)
_ZIP = b"PK\x03\x04"
_WORKBOOK = b"[Content_Types].xml"


def refuse_other_kinds(path: Path) -> None:
    """Raise BW215 for an archive, a workbook, a PDF or a Parquet file that is called a text file."""
    with path.open("rb") as file:
        start = file.read(4096)
    for first, kind, way_out, endings in _KINDS:
        if start.startswith(first) and path.suffix.lower() not in endings:
            raise BertwrightError("BW215", file=path, kind=kind, way_out=way_out)
    if start.startswith(_ZIP):
        is_workbook = _WORKBOOK in start or b"xl/" in start
        kind = Phrase("an Excel workbook") if is_workbook else Phrase("a ZIP archive")
        way_out = Phrase("save it as CSV UTF-8 in the spreadsheet program") if is_workbook else _UNPACK
        raise BertwrightError("BW215", file=path, kind=kind, way_out=way_out)
