"""A folder whose sub-folders are the classes, with a text in each of their files, to rows."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from bertwright.data.examples import Where
from bertwright.data.reading.opened_source import OpenedSource
from bertwright.data.reading.rows import Row, Rows
from bertwright.errors import BertwrightError
from bertwright.text.files import plain_suffix
from bertwright.text.lines import LONGEST_LINE, refuse_endless
from bertwright.wording import Phrase, filled, quantity, said, shown


def read_class_folders(source: OpenedSource, endings: Collection[str] = ()) -> Rows:
    """One row a file, in the order of names; the encoding is found for every file by itself.

    `endings`: of files that are data by themselves.

    Raises:
        BertwrightError: BW229 no sub-folder holds a text file, BW271 the folder holds tables; while reading BW202,
            BW203, BW234.
    """
    files = {inside.name: texts for inside in sorted(source.path.iterdir()) if (texts := _texts_in(inside))}
    if not files:
        _refuse_files_of_data(source.path, endings)
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


def _refuse_files_of_data(folder: Path, endings: Collection[str]) -> None:
    """Raise BW271 for a folder with tables or tagged texts in it, saying how they are given."""
    tables = [one for one in sorted(folder.iterdir()) if one.is_file() and plain_suffix(one) in endings]
    if not tables:
        return
    parts = {part: one for one in tables for part in ("train", "dev", "valid", "test") if part in one.name.lower()}
    dev = parts.get("dev") or parts.get("valid")
    suffixes = {"".join(one.suffixes) for one in tables}
    command = "bertwright finetune {file!q}"
    if "train" in parts and len(tables) > 1:
        command += " --dev {dev!q}" if dev else ""
        way_out = Phrase("give them one by one: {command}", command=_command(command, file=parts["train"], dev=dev))
    elif len(tables) > 1 and suffixes <= {".csv", ".tsv"} and len(suffixes) == 1:
        together = f"all{tables[0].suffix}"
        join = f"awk 'NR == 1 || FNR > 1' {{folder!q}}/*{tables[0].suffix} > {together}"
        way_out = Phrase(
            "put them together, where each has a header line: {command}", command=_command(join, folder=folder)
        )
    elif len(tables) > 1 and suffixes == {".jsonl"}:
        way_out = Phrase(
            "put them together: {command}", command=_command("cat {folder!q}/*.jsonl > all.jsonl", folder=folder)
        )
    else:
        way_out = Phrase("give one file: {command}", command=_command(command, file=tables[0]))
    files = shown((one.name for one in tables), 4)
    raise BertwrightError(
        "BW271",
        folder=folder,
        count=quantity(len(tables), "file of data", "files of data"),
        files=files,
        way_out=way_out,
    )


def _command(text: str, **words: object) -> str:
    return filled(text, words, "en")


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
            refuse_endless(source, Phrase("the whole text"), LONGEST_LINE)
    return "".join(blocks)
