"""From the name of a model to the folder that holds it.

A name is a folder, or a name on a model hub that the hub's local cache holds
(`~/.cache/huggingface/hub/models--OWNER--NAME/snapshots/REVISION`, moved by `HF_HOME` and `HF_HUB_CACHE`).
The network is asked only where the caller allows it.
"""

from __future__ import annotations

import re
from pathlib import Path

from bertwright.errors import BertwrightError

# Hubs moved the first models under their owner's name; both spellings are in use and in people's caches.
_FIRST_OWNER = "google-bert"
_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")

WEIGHT_FILES = (
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
)
TEXT_FILES = (
    "config.json",
    "vocab.txt",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
)


def model_folder(name: str | Path, *, download: bool = False) -> Path:
    """The folder of the model called `name`.

    Args:
        name: a folder (absolute, relative or with `~`), or a hub name such as `bert-base-uncased` or
            `google-bert/bert-base-uncased`; each of these two finds the other's cache entry too.
        download: fetch a hub name that the local cache lacks.

    Raises:
        BertwrightError: BW301, where there is neither such a folder nor such a cache entry.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        return folder
    spellings = _spellings(str(name))
    for spelling in spellings:
        cached = _cached(spelling)
        if cached is not None:
            return cached
    if download and spellings:
        return _fetch(spellings[-1])
    raise BertwrightError("BW301", name=name, tried=" / ".join(spellings) or name)


def _spellings(name: str) -> list[str]:
    if not _HUB_NAME.fullmatch(name):
        return []
    owner, _, rest = name.rpartition("/")
    if owner == _FIRST_OWNER:
        return [rest, name]
    return [name] if owner else [name, f"{_FIRST_OWNER}/{name}"]


def _cached(name: str) -> Path | None:
    """The newest whole snapshot of `name` in the hub's cache: the one that `main` points to, else any."""
    from huggingface_hub.constants import HF_HUB_CACHE  # imported late: the library takes its time

    entry = Path(HF_HUB_CACHE) / f"models--{name.replace('/', '--')}"
    main = entry / "refs" / "main"
    revisions = [main.read_text(encoding="utf-8").strip()] if main.is_file() else []
    snapshots = entry / "snapshots"
    if snapshots.is_dir():
        newest_first = sorted(snapshots.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
        revisions += [path.name for path in newest_first]
    for revision in revisions:
        if (snapshots / revision / "config.json").is_file():
            return snapshots / revision
    return None


def _fetch(name: str) -> Path:
    """Download the files of `name` that a model needs: one form of the weights, safetensors before .bin."""
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled, RepositoryNotFoundError

    try:
        there = set(HfApi().list_repo_files(name))
        patterns = [*TEXT_FILES, *_weight_patterns(there)]
        return Path(snapshot_download(name, allow_patterns=patterns))
    except RepositoryNotFoundError as error:
        raise BertwrightError("BW301", name=name, tried=name) from error
    except (HfHubHTTPError, OfflineModeIsEnabled, OSError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise BertwrightError("BW303", name=name, reason=reason, files=", ".join(TEXT_FILES[:3])) from error


def _weight_patterns(there: set[str]) -> list[str]:
    if any(file.endswith(".safetensors") for file in there):
        return ["model*.safetensors", "model.safetensors.index.json"]
    return ["pytorch_model*.bin", "pytorch_model.bin.index.json"]
