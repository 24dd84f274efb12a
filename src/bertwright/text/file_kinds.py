"""What a file is by its first bytes, where its name says something else."""

from __future__ import annotations

from pathlib import Path

from bertwright.errors import BertwrightError
from bertwright.wording import Phrase

_UNPACK = Phrase("unpack it, and give the file inside")
_EXPORT = Phrase("save the data as CSV UTF-8 in the program that made it")
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
    (b"\x89PNG", Phrase("a picture"), _EXPORT, ()),
    (b"\xff\xd8\xff", Phrase("a picture"), _EXPORT, ()),
    (b"\xd0\xcf\x11\xe0", Phrase("a document of an old Office program (.xls, .doc)"), _EXPORT, ()),
    (b"ARROW1", Phrase("an Arrow file"), _EXPORT, ()),
    (b"\x80\x04\x95", Phrase("a pickle of Python"), _EXPORT, ()),
    (b"\x80\x05\x95", Phrase("a pickle of Python"), _EXPORT, ()),
    (b"7z\xbc\xaf", Phrase("a 7z archive"), _UNPACK, ()),
    (b"Rar!\x1a", Phrase("a RAR archive"), _UNPACK, ()),
    (b"BZh", Phrase("a bzip2 archive"), Phrase("let its name end with {suffix}", suffix=".bz2"), (".bz2",)),
)
_ZIP = b"PK\x03\x04"
_POINTER = b"version https://git-lfs.github.com/spec/"
_PAGES = (b"<!doctype html", b"<html")
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


def refuse_stand_ins(path: Path) -> None:
    """Raise BW215 for what a failed download leaves in the place of data: a web page, a pointer of Git LFS."""
    with path.open("rb") as file:
        start = file.read(256)
    if start.startswith(_POINTER):
        way_out = Phrase("fetch the file itself: git lfs pull")
        raise BertwrightError("BW215", file=path, kind=Phrase("a pointer of Git LFS"), way_out=way_out)
    if start.removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith(_PAGES):
        way_out = Phrase("download the file itself; this is the page about it, or an error page")
        raise BertwrightError("BW215", file=path, kind=Phrase("a web page"), way_out=way_out)
