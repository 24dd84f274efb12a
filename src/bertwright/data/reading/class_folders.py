"""A folder whose sub-folders are the classes, with a text in each of their files, to rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bertwright.data.examples import Where
from bertwright.data.reading.opened_source import OpenedSource
from bertwright.data.reading.rows import Row, Rows
from bertwright.errors import BertwrightError
from bertwright.text.files import plain_suffix
from bertwright.text.lines import LONGEST_LINE, refuse_endless
from bertwright.wording import Phrase, quantity, said, shown


def read_class_folders(source: OpenedSource) -> Rows:
    """One row a file, in the order of names; the encoding is found for every file by itself.

    Raises:
        BertwrightError: BW229 no sub-folder holds a text file; while reading BW202, BW203, BW234.
    """
    files = {inside.name: texts for inside in sorted(source.path.iterdir()) if (texts := _texts_in(inside))}
    if not files:
        raise BertwrightError("BW229", folder=source)
    remarks = [said("{n} sub-folders are the classes: {listed}", n=len(files), listed=shown(files))]
    passed_over = sum(1 for file in source.path.rglob("*") if file.is_file()) - sum(map(len, files.values()))
    if passed_over:
        remarks.append(
            said(
                "{files} passed over (only .txt files in the sub-folders are read)",
                files=quantity(passed_over, "other file"),
            )
        )
    names = ("text", "label")
    return Rows(str(source), "class folders", _rows(files, source.wished), names, remarks=tuple(remarks))


def _texts_in(folder: Path) -> list[Path]:
    is_class = folder.is_dir() and not folder.name.startswith(".")
    return [file for file in sorted(folder.iterdir()) if _is_text(file)] if is_class else []


def _is_text(file: Path) -> bool:
    # Older collections give their files numbers for names, and those may have a dot.
    named = plain_suffix(file) in (".txt", "") or file.name.replace(".", "").isdigit()
    return named and file.is_file() and not file.name.startswith(".")


def _rows(files: dict[str, list[Path]], encoding: str | None) -> Iterator[Row]:
    for label, texts in files.items():
        for file in texts:
            yield Where(str(file), 1), [_whole_text(OpenedSource(file, encoding)).strip(), label]


def _whole_text(source: OpenedSource) -> str:
    blocks: list[str] = []
    size = 0
    for block in source.blocks():
        blocks.append(block)
        size += len(block)
        if size > LONGEST_LINE:
            refuse_endless(source, Phrase("the text"), LONGEST_LINE)
    return "".join(blocks)
