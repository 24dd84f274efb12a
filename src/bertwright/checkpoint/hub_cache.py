"""The local cache of a hub, as its own library keeps it: what it holds of a name, whole models only."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from bertwright.checkpoint.hub_request import HubRequest
from bertwright.checkpoint.json_files import read_json_file
from bertwright.wording import Phrase

WEIGHT_FILES = (
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
)


def cache_folder() -> Path:
    """Where the hub keeps what it downloaded, by the variables that its own library reads (at its import)."""
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    home = os.environ.get("HF_HOME") or f"{home}/huggingface"
    folder = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE") or f"{home}/hub"
    return Path(os.path.expandvars(folder)).expanduser()


def cache_entry(name: str, cache: Path | None = None) -> Path:
    """Where a cache (None: the hub's own) keeps what belongs to a name on a hub."""
    return (cache or cache_folder()) / f"models--{name.replace('/', '--')}"


def shard_names(index: Path) -> list[str]:
    """The files that the index of a sharded checkpoint names: names only, never a path that leads elsewhere.

    Raises:
        ValueError: where the index is damaged.
    """
    try:
        shards = set(read_json_file(index)["weight_map"].values())
        return sorted({Path(shard).name for shard in shards})
    except (KeyError, AttributeError, TypeError) as error:
        raise ValueError(Phrase("no weight_map that names files: {error}", error=error)) from error


def unfinished_mark(name: str, cache: Path | None = None) -> Path:
    """A file in the cache while `name` is downloaded: one of the small files may fail where the others came."""
    return cache_entry(name, cache) / ".bertwright-unfinished"


def cached_snapshots(name: str, request: HubRequest) -> Iterator[Path]:
    """The snapshots of `name` in the hub's cache that hold a model: the one that `main` points to, then the newest;
    where a revision is asked for, only this one.

    The look-ups of the hub's own library know no revision but `main` without being told its hash, take one without
    weights for whole, and cost half a second of imports.
    """
    entry = cache_entry(name, request.cache_dir)
    snapshots = entry / "snapshots"
    pointer = entry / "refs" / (request.revision or "main")
    revisions = [pointer.read_text(encoding="utf-8").strip()] if pointer.is_file() else []
    if request.revision is not None:
        revisions.append(request.revision)
    elif snapshots.is_dir():
        newest_first = sorted(snapshots.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
        revisions += [path.name for path in newest_first]
    found = (snapshots / revision for revision in revisions)
    return (snapshot for snapshot in found if _is_whole(snapshot / request.subfolder))


def _is_whole(snapshot: Path) -> bool:
    """Whether config and weights are there: a download that came to its end, or that of a model without vocabulary."""
    if not (snapshot / "config.json").is_file():
        return False
    weights = next((snapshot / name for name in WEIGHT_FILES if (snapshot / name).is_file()), None)
    if weights is None or weights.suffix != ".json":
        return weights is not None
    try:
        return all((snapshot / shard).is_file() for shard in shard_names(weights))
    except (OSError, ValueError):
        return False
