"""What a file is by its first bytes, where its name says something else."""

from __future__ import annotations

import zipfile
from pathlib import Path

from bertwright.errors import BertwrightError
from bertwright.wording import Phrase

_UNPACK = Phrase("unpack it, and give the file inside")
_IN_WORDS = Phrase("copy its text into a .txt or .csv file")
_EXPORT = Phrase("save the data as CSV UTF-8 in the program that made it")
_KINDS = (  # the first bytes, what it is, what to do, endings that say so themselves
    (b"%PDF-", Phrase("a PDF document"), _IN_WORDS, ()),
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
_MARKED_UP = ((b"{\\rtf", Phrase("an RTF document"), _IN_WORDS), (b"<?xml", Phrase("an XML file"), _EXPORT))
_AS_TABLE = Phrase("save it as CSV UTF-8 in the spreadsheet program")
_OFFICE = (  # what lies in an archive that is a document, or its type; what it is; what to do
    ("xl/", Phrase("an Excel workbook"), _AS_TABLE),
    ("word/", Phrase("a Word document"), _IN_WORDS),
    ("ppt/", Phrase("a PowerPoint presentation"), _IN_WORDS),
    ("opendocument.spreadsheet", Phrase("an OpenDocument table"), _AS_TABLE),
    ("opendocument", Phrase("an OpenDocument text"), _IN_WORDS),
)
# Endings that say themselves that this is no data.
_OWN = frozenset(
    (".pdf", ".xls", ".xlsx", ".doc", ".docx", ".ppt", ".pptx", ".ods", ".odt", ".zip", ".rar", ".7z", ".png", ".jpg")
)


def refuse_other_kinds(path: Path) -> None:
    """Raise BW215 for an archive, a document, a picture or a Parquet file that is called a text file, BW204 for one
    that is called what it is.
    """
    with path.open("rb") as file:
        start = file.read(4096)
    is_other = start.startswith((_ZIP, *(first for first, *_ in _KINDS)))
    if is_other and path.suffix.lower() in _OWN:
        raise BertwrightError("BW204", file=path, suffix=path.suffix)
    for first, kind, way_out, endings in _KINDS:
        if start.startswith(first) and path.suffix.lower() not in endings:
            raise BertwrightError("BW215", file=path, kind=kind, way_out=way_out)
    if start.startswith(_ZIP):
        kind, way_out = _in_archive(path)
        raise BertwrightError("BW215", file=path, kind=kind, way_out=way_out)


def _in_archive(path: Path) -> tuple[Phrase, Phrase]:
    """What a ZIP archive is, by the names in it and the type that documents begin with; and what to do."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            if names[:1] == ["mimetype"]:
                names = [archive.read("mimetype")[:100].decode("ascii", "replace")]
    except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError):
        return Phrase("a damaged ZIP archive or Office document"), Phrase("fetch it again, and unpack or export it")
    for part, kind, way_out in _OFFICE:
        if any(part in name if part.startswith("open") else name.startswith(part) for name in names):
            return kind, way_out
    return Phrase("a ZIP archive"), _UNPACK


def refuse_stand_ins(path: Path) -> None:
    """Raise BW215 for what a failed download leaves in the place of data (a web page, a pointer of Git LFS), and for
    documents that are written in plain letters.
    """
    with path.open("rb") as file:
        start = file.read(256)
    if start.startswith(_POINTER):
        way_out = Phrase("fetch the file itself: git lfs pull")
        raise BertwrightError("BW215", file=path, kind=Phrase("a pointer of Git LFS"), way_out=way_out)
    for first, kind, way_out in _MARKED_UP:
        if start.removeprefix(b"\xef\xbb\xbf").startswith(first):
            raise BertwrightError("BW215", file=path, kind=kind, way_out=way_out)
    if start.removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith(_PAGES):
        way_out = Phrase("download the file itself; this is the page about it, or an error page")
        raise BertwrightError("BW215", file=path, kind=Phrase("a web page"), way_out=way_out)
