"""Whether the files of a download are those that the hub holds: by the digests that it states for them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from huggingface_hub.hf_api import RepoSibling


def remove_differing(folder: Path, stated: Iterable[RepoSibling]) -> list[str]:
    """Remove the files of a snapshot whose content is not what the hub states, so that nobody takes them for whole.

    Args:
        folder: `models--OWNER--NAME/snapshots/REVISION`: files, or links into `blobs`.
        stated: the files of the hub with SHA-256 (large files) or git's SHA-1 (small ones); a mirror that states
            neither is believed.

    Returns:
        The names of the removed files.
    """
    by_name = {entry.rfilename: entry for entry in stated}
    differing = []
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        entry = by_name.get(file.relative_to(folder).as_posix())
        if entry is None or _is_as_stated(file, entry):
            continue
        target = file.resolve()
        file.unlink()
        if target.is_relative_to(folder.parents[1].resolve()):
            target.unlink(missing_ok=True)
        differing.append(entry.rfilename)
    return differing


def _is_as_stated(file: Path, entry: RepoSibling) -> bool:
    with file.open("rb") as stream:
        if entry.lfs is not None:
            return hashlib.file_digest(stream, "sha256").hexdigest() == entry.lfs.sha256
        if entry.blob_id is None:
            return True
        header = f"blob {file.stat().st_size}\0".encode()  # git's digest is of this and the content
        return hashlib.sha1(header + stream.read(), usedforsecurity=False).hexdigest() == entry.blob_id
