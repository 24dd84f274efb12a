"""Folders that are whole or not there: written beside, flushed, renamed, with a manifest that a load checks."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bertwright.checkpoint.hub_cache import WEIGHT_FILES
from bertwright.checkpoint.json_files import read_json_file
from bertwright.checkpoint.replacing import flush, require_path, write_text
from bertwright.errors import BertwrightError
from bertwright.wording import Phrase, shown

MANIFEST = "manifest.json"
SCHEMA_VERSION = 1


@contextmanager
def publishing(folder: Path, *, keep_previous: bool = False) -> Iterator[Path]:
    """A staging folder that takes the place of `folder` when the block ends well.

    Until then, and if the block fails or the process dies, `folder` stays as it was (or, for a moment between
    two renames, stands beside as `.NAME.previous`, where `whole_folder` finds it). The manifest with the size
    and the SHA-256 of every file is written last. What processes that died left behind is cleared away; one
    process at a time writes a folder.

    With `keep_previous` the folder that was there before stays as `.NAME.previous` until the next one is whole, for
    `generations` to fall back on.

    Of a link what it leads to is replaced, beside itself.

    Raises:
        BertwrightError: BW501 where the disk or the permissions do not allow it, or for `.` and `..`; BW503 for what is
            no folder, BW644 for a NUL in the path.
    """
    require_path(folder)
    folder = _meant(folder)
    if folder.exists() and not folder.is_dir():
        raise BertwrightError("BW503", folder=folder)
    if folder.name in ("", ".."):  # what stands beside has its name
        reason = Phrase("a folder that is replaced must be called by its name")
        raise BertwrightError("BW501", folder=folder, reason=reason)
    staging = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    try:
        _clear_leftovers(folder)
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(parents=True)
        yield staging
        _write_manifest(staging)
        _flush(staging)
        _replace(folder, staging, keep_previous)
    except BertwrightError as error:
        if error.code != "BW501":
            raise
        raise BertwrightError("BW501", folder=folder, reason=error.fields["reason"]) from error
    except OSError as error:
        raise BertwrightError("BW501", folder=folder, reason=error.strerror or error) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def whole_folder(folder: Path) -> Path:
    """`folder`, or the one before it where a save was interrupted between its two renames; verified.

    Raises:
        BertwrightError: BW324 for a file that does not agree with the manifest.
    """
    folder = _meant(folder)
    if not folder.exists() and _previous(folder).exists():
        folder = _previous(folder)
    verify(folder)
    return folder


def generations(folder: Path) -> list[Path]:
    """What `publishing` left of `folder`, the newest first; not verified."""
    return [path for path in (folder, _previous(_meant(folder))) if path.is_dir()]


def prune(folder: Path) -> None:
    """Remove what `keep_previous` kept."""
    shutil.rmtree(_previous(_meant(folder)), ignore_errors=True)


def unseal(folder: Path) -> None:
    """Take the manifest away from a folder whose files are about to change; that of another program stays.

    Raises:
        BertwrightError: BW501 where that is not allowed, or the folder is a file.
    """
    manifest = folder / MANIFEST
    try:
        if not (manifest.is_file() and _is_of_others(_read_json(manifest))):
            manifest.unlink(missing_ok=True)
    except OSError as error:
        raise BertwrightError("BW501", folder=folder, reason=error.strerror or error) from error


def verify(folder: Path) -> None:
    """Check every file of the manifest; a folder without one (a plain checkpoint) is taken as it is.

    Raises:
        BertwrightError: BW324 for a file that is missing or differs, BW332 for a manifest of a newer program, BW333 for
            one that names what is not in the folder, BW334 for one that leaves the weights out.
    """
    manifest = folder / MANIFEST
    if not manifest.is_file():
        return
    try:
        content = read_json_file(manifest)
        if _is_of_others(content):
            return
        if (version := content["schema_version"]) > SCHEMA_VERSION:
            raise BertwrightError("BW332", file=manifest, version=version, known=SCHEMA_VERSION)
        _require_weights(folder, content["files"])
        for name, entry in content["files"].items():
            file = _inside(folder, name)
            if not file.is_file():
                raise BertwrightError("BW324", file=file, reason=Phrase("missing"))
            if (size := file.stat().st_size) != entry["size"]:
                reason = Phrase("{have} of {want} bytes", have=size, want=entry["size"])
                raise BertwrightError("BW324", file=file, reason=reason)
            if _digest(file) != entry["sha256"]:
                raise BertwrightError("BW324", file=file, reason="SHA-256")
    except BertwrightError:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BertwrightError("BW324", file=manifest, reason=error) from error


def _inside(folder: Path, name: str) -> Path:
    """The file of a manifest's entry, which must lie in the folder, also where links lead: in the hub's cache they lead
    to where it keeps the contents.
    """
    file, real = folder / name, Path(os.path.realpath(folder))
    roots = [real, real.parents[1] / "blobs"] if real.parent.name == "snapshots" else [real]
    there = Path(os.path.realpath(file))
    if Path(name).is_absolute() or ".." in Path(name).parts or not any(map(there.is_relative_to, roots)):
        raise BertwrightError("BW333", file=folder / MANIFEST, name=name)
    return file


def _require_weights(folder: Path, entries: Mapping[str, Any]) -> None:
    """Weights that nobody has checked are not loaded from a folder that says it is whole."""
    there = [name for name in WEIGHT_FILES if (folder / name).is_file()]
    left_out = [name for name in there[:1] if name not in entries]
    if there and there[0].endswith(".index.json") and not left_out:
        shards = _read_json(folder / there[0])
        named = shards.get("weight_map") if isinstance(shards, dict) else None
        left_out = sorted({str(one) for one in named.values()} - set(entries)) if isinstance(named, dict) else []
    if left_out:
        raise BertwrightError("BW334", file=folder / MANIFEST, names=shown(left_out, 3))


def _is_of_others(manifest: Any) -> bool:
    """Whether another program wrote it: many call a file so."""
    return isinstance(manifest, dict) and not manifest.keys() & {"schema_version", "files"}


def _read_json(file: Path) -> Any:
    """What stands in a file; None where that is no JSON."""
    try:
        return read_json_file(file)
    except ValueError:
        return None


def read_object(file: Path) -> dict[str, Any]:
    """The JSON object in `file`.

    Raises:
        BertwrightError: BW415 for what is no JSON, or no object.
    """
    try:
        content = read_json_file(file)
    except (OSError, ValueError) as error:
        raise BertwrightError("BW415", file=file, reason=error) from error
    if not isinstance(content, dict):
        raise BertwrightError("BW415", file=file, reason=f"{type(content).__name__} ≠ object")
    return content


def unlisted(folder: Path) -> list[str]:
    """The files of a folder that its manifest does not name: what `publishing` did not write there."""
    try:
        listed = {MANIFEST, *read_json_file(folder / MANIFEST)["files"]}
    except (OSError, ValueError, KeyError, TypeError):
        listed = set()
    files = (
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()
    )
    return sorted(set(files) - listed)


def delete(path: Path) -> None:
    """Remove a file, a link (not what it leads to), or a folder with all that is in it."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _replace(folder: Path, staging: Path, keep_previous: bool) -> None:
    """At every moment `folder` or the previous one is there, whole."""
    previous = _previous(folder)
    if folder.exists():
        shutil.rmtree(previous, ignore_errors=True)
        folder.rename(previous)
    try:
        staging.rename(folder)
    except OSError:
        if previous.exists():
            previous.rename(folder)
        raise
    flush(folder.parent)
    if not keep_previous:
        shutil.rmtree(previous, ignore_errors=True)


def _meant(folder: Path) -> Path:
    """What a link leads to, so that the link stays one; every other folder as it was named."""
    return Path(os.path.realpath(folder)) if folder.is_symlink() else folder


def _previous(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.previous")


def _clear_leftovers(folder: Path) -> None:
    """Remove the staging folders of processes that are no more."""
    pattern = re.compile(rf"\.{re.escape(folder.name)}\.(\d+)\.tmp")
    for path in folder.parent.iterdir() if folder.parent.is_dir() else ():
        match = pattern.fullmatch(path.name)
        if match and not _is_alive(int(match[1])):
            shutil.rmtree(path, ignore_errors=True)


def _is_alive(pid: int) -> bool:
    if os.name == "nt":
        return True  # there, the question below would end the process
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _write_manifest(folder: Path) -> None:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    entries = {
        path.relative_to(folder).as_posix(): {"size": path.stat().st_size, "sha256": _digest(path)} for path in files
    }
    text = json.dumps({"schema_version": SCHEMA_VERSION, "files": entries}, indent=2) + "\n"
    write_text(folder / MANIFEST, text)


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _flush(folder: Path) -> None:
    for path in [*folder.rglob("*"), folder]:
        flush(path)
