"""Folders that are whole or not there: written beside, flushed, renamed, with a manifest that a load checks."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bertwright.errors import BertwrightError

MANIFEST = "manifest.json"
SCHEMA_VERSION = 1


@contextmanager
def publishing(folder: Path) -> Iterator[Path]:
    """A staging folder that takes the place of `folder` when the block ends well.

    Until then, and if the block fails or the process dies, `folder` stays as it was. The manifest with the
    size and the SHA-256 of every file is written last.

    Raises:
        BertwrightError: BW501 where the disk or the permissions do not allow it.
    """
    staging = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    previous = folder.with_name(f".{folder.name}.previous")
    try:
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(parents=True)
        yield staging
        _write_manifest(staging)
        _flush(staging)
        shutil.rmtree(previous, ignore_errors=True)
        if folder.exists():
            folder.rename(previous)
        staging.rename(folder)
        _flush_one(folder.parent)
        shutil.rmtree(previous, ignore_errors=True)
    except OSError as error:
        raise BertwrightError("BW501", folder=folder, reason=error.strerror or error) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def whole_folder(folder: Path) -> Path:
    """`folder`, or the one before it where a save was interrupted between its two renames; verified.

    Raises:
        BertwrightError: BW324 for a file that does not agree with the manifest.
    """
    previous = folder.with_name(f".{folder.name}.previous")
    if not folder.exists() and previous.exists():
        folder = previous
    verify(folder)
    return folder


def verify(folder: Path) -> None:
    """Check every file of the manifest; a folder without one (a plain checkpoint) is taken as it is.

    Raises:
        BertwrightError: BW324 for a file that is missing or differs.
    """
    manifest = folder / MANIFEST
    if not manifest.is_file():
        return
    try:
        entries = json.loads(manifest.read_text(encoding="utf-8"))["files"]
        for name, entry in entries.items():
            file = folder / name
            if not file.is_file():
                raise BertwrightError("BW324", file=file, reason="missing")
            if file.stat().st_size != entry["size"]:
                raise BertwrightError("BW324", file=file, reason=f"{file.stat().st_size} of {entry['size']} bytes")
            if _digest(file) != entry["sha256"]:
                raise BertwrightError("BW324", file=file, reason="SHA-256")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BertwrightError("BW324", file=manifest, reason=error) from error


def write_text(file: Path, text: str) -> None:
    """Replace `file` by `text`, whole or not at all.

    Raises:
        BertwrightError: BW501 where the disk or the permissions do not allow it.
    """
    staging = file.with_name(f".{file.name}.tmp")
    try:
        staging.write_text(text, encoding="utf-8")
        _flush_one(staging)
        staging.replace(file)
    except OSError as error:
        staging.unlink(missing_ok=True)
        raise BertwrightError("BW501", folder=file, reason=error.strerror or error) from error


def _write_manifest(folder: Path) -> None:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    entries = {
        path.relative_to(folder).as_posix(): {"size": path.stat().st_size, "sha256": _digest(path)} for path in files
    }
    text = json.dumps({"schema_version": SCHEMA_VERSION, "files": entries}, indent=2) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8")


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _flush(folder: Path) -> None:
    for path in [*folder.rglob("*"), folder]:
        _flush_one(path)


def _flush_one(path: Path) -> None:
    """Wait until the disk has it: a rename that outlives a power cut must not outlive its content."""
    if path.is_dir() and os.name == "nt":
        return  # Windows cannot open a folder
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
