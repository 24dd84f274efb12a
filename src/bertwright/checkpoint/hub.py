"""From the name of a model to the folder that holds it.

A name is `mini`, the model that comes with this package, or a folder, or a name on a model hub that the hub's local
cache holds (`~/.cache/huggingface/hub/models--OWNER--NAME/snapshots/REVISION`, moved by `HF_HOME` and `HF_HUB_CACHE`).
The network is asked only where the caller allows it.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import Any

from bertwright.checkpoint.digests import remove_differing
from bertwright.checkpoint.hub_cache import WEIGHT_FILES, cache_folder, cached_snapshots, unfinished_mark
from bertwright.checkpoint.hub_request import AS_USUAL, HubRequest
from bertwright.checkpoint.json_files import read_json_file
from bertwright.errors import BertwrightError
from bertwright.wording import Phrase, said

log = logging.getLogger("bertwright")

# Hubs moved the first models under their owner's name; both spellings are in use and in people's caches.
_FIRST_OWNER = "google-bert"
_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}(/[A-Za-z0-9][\w.-]{0,95})?", re.ASCII)
BUILT_IN = {"mini": Path(__file__).parents[1] / "mini"}
KINDS = ("bert", "encoder-decoder")  # what `config.json` calls the models that are computed here
_OF_A_MODEL = ("config.json", "run.json", "vocab.txt")  # what lies in a folder that may have been meant
_TIMEOUT = 20  # seconds until a hub that does not answer counts as out of reach

VOCABULARY_FILES = ("vocab.txt", "tokenizer.json")  # either is enough
TEXT_FILES = (
    "config.json",
    "vocab.txt",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
)


def text_digests(folder: Path) -> dict[str, str]:
    """SHA-256 of the files that decide what a text is to the model of `folder`, and what shape that has, by name."""
    there = [folder / name for name in TEXT_FILES if (folder / name).is_file()]
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in there}


def model_folder(
    name: str | os.PathLike[str],
    *,
    download: bool = False,
    vocabulary: bool = False,
    any_kind: bool = False,
    request: HubRequest = AS_USUAL,
) -> Path:
    """The folder of the model called `name`.

    Args:
        name: `mini`, which is the built-in model wherever one stands (the folder of that name is `./mini`, or a
            `Path`), or a folder (absolute, relative or with `~`), or a hub name such as `bert-base-uncased` or
            `google-bert/bert-base-uncased`; each of these two finds the other's cache entry too.
        download: fetch a hub name that the local cache lacks.
        vocabulary: one is needed: download, if that is allowed, where the cache has config and weights only.
        any_kind: of any architecture, since its vocabulary alone is wanted; else a download of what is no BERT ends
            before its weights come.
        request: what else the caller says of a hub name.

    Raises:
        BertwrightError: BW301, where there is neither such a folder nor such a cache entry; BW307, where it can be no
            name on a hub either; BW336, where it is a file; BW303, where a download failed; BW311, where it is no BERT;
            BW563, where the hub gives the files to some accounts only; BW564, where it knows no such public model.
    """
    is_built_in = isinstance(name, str) and name in BUILT_IN
    name = spelt(name)
    folder = _folder(name)
    if is_built_in:
        if folder is not None and _holds_any(folder, _OF_A_MODEL):
            other = f".{os.sep}{name}"
            log.warning(
                said("{name} is the built-in model; for the folder of that name write {other}", name=name, other=other)
            )
        return BUILT_IN[name]
    if folder is not None:
        return folder
    if name in BUILT_IN:
        return BUILT_IN[name]
    _refuse_a_file(name)
    download = download and not request.local_files_only
    return _hub_folder(name, request, download=download, vocabulary=vocabulary, any_kind=any_kind)


def spelt(name: object) -> str:
    """A name or a place as it is written; of what stands for a folder, such as a finished run, that folder."""
    return os.fspath(name) if isinstance(name, os.PathLike) else str(name)


def weights_folder(
    name: str | os.PathLike[str],
    *,
    download: bool = False,
    vocabulary: bool = False,
    any_kind: bool = False,
    request: HubRequest = AS_USUAL,
) -> Path:
    """As `model_folder`; of a run folder its `best/`, which holds the model.

    Raises:
        BertwrightError: BW584 a run without a `best/`, and those of `model_folder`.
    """
    folder = model_folder(name, download=download, vocabulary=vocabulary, any_kind=any_kind, request=request)
    folder /= request.subfolder
    if (folder / "run.json").is_file() and not (folder / "config.json").is_file():
        require_best(folder)
        log.info(said("{name} is a run: its best model is taken", name=spelt(name)))
        return folder / "best"
    return folder


def require_best(run: Path) -> None:
    """Refuse a run folder that has no `best/` yet.

    Raises:
        BertwrightError: BW584, which names `last/` where there is one.
    """
    if (run / "best").is_dir():
        return
    way_out = Phrase("train it: the command that began it, with --resume")
    if (run / "last" / "config.json").is_file():
        way_out = Phrase(
            "go on with it: the command that began it, with --resume; or take the model as it was last saved: {last}",
            last=run / "last",
        )
    raise BertwrightError("BW584", folder=run, way_out=way_out)


def _hub_folder(name: str, request: HubRequest, *, download: bool, vocabulary: bool, any_kind: bool) -> Path:
    """The folder of a model in the hub's cache, downloaded where that is allowed; better one with a `vocabulary`."""
    spellings = _spellings(name)
    cached = list(chain.from_iterable(cached_snapshots(spelling, request) for spelling in spellings))
    found = [snapshot for snapshot in cached if _holds_any(snapshot, VOCABULARY_FILES)]
    if not (download and vocabulary):
        found += cached
    anew = request.force_download or any(unfinished_mark(one, request.cache_dir).exists() for one in spellings)
    if found and not (download and anew):
        return found[0]
    if download and spellings:
        return fetch(spellings[-1], any_kind=any_kind, **_of_a_fetch(request))
    if not spellings or Path(name).exists() or ("/" in name and Path(name).parent.exists()):
        raise BertwrightError("BW307", name=name)
    raise BertwrightError("BW301", name=name, tried=" / ".join(spellings))


def _of_a_fetch(request: HubRequest) -> dict[str, Any]:
    """A request in the words of `fetch`."""
    token = request.token
    if token is True:
        from huggingface_hub import get_token

        token = get_token()
    return {
        "revision": request.revision,
        "token": token or None,
        "cache": request.cache_dir,
        "again": request.force_download,
        "subfolder": request.subfolder,
    }


def _refuse_a_file(name: str) -> None:
    """Raise BW336 for the name of a file: of the weights of a model, or of data."""
    try:
        file = Path(name).expanduser()
        if not file.is_file():
            return
    except (OSError, ValueError, RuntimeError):
        return
    way_out = Phrase("name a model, such as mini, or its folder")
    if _holds_any(file.parent, ("config.json",)):
        way_out = Phrase("give the folder: {folder}", folder=file.parent)
    raise BertwrightError("BW336", name=name, way_out=way_out)


def _folder(name: str) -> Path | None:
    try:
        folder = Path(name).expanduser()
        return folder if name and folder.is_dir() else None
    except (OSError, ValueError, RuntimeError):  # too long, a NUL, the home of nobody: no folder, whatever it is
        return None


def _holds_any(folder: Path, files: Iterable[str]) -> bool:
    return any((folder / file).is_file() for file in files)


def hub_name(name: str) -> str:
    """The name under which a hub keeps a model: the first ones have an owner now.

    Raises:
        BertwrightError: BW305 what cannot be a name on a hub.
    """
    if not (spellings := _spellings(name)):
        raise BertwrightError("BW305", name=name)
    return spellings[-1]


def _spellings(name: str) -> list[str]:
    if not _HUB_NAME.fullmatch(name):
        return []
    owner, _, rest = name.rpartition("/")
    if owner == _FIRST_OWNER:
        return [rest, name]
    return [name] if owner else [name, f"{_FIRST_OWNER}/{name}"]


def fetch(
    name: str,
    *,
    endpoint: str | None = None,
    revision: str | None = None,
    token: str | None = None,
    any_kind: bool = False,
    cache: Path | None = None,
    again: bool = False,
    subfolder: str = "",
) -> Path:
    """Download the files of `name` that a model needs: one form of the weights, safetensors before .bin.

    Files that are there stay, a broken connection is taken up where it broke, and the content is compared with the
    digests that the hub states. Whoever is logged in to a hub stays unknown to it: no token is sent but the one that
    is given.

    Args:
        name: on the hub.
        endpoint: the address of the hub or of a mirror; None: `HF_ENDPOINT`, else the hub itself.
        revision: a branch, a tag or a commit; None: the newest.
        token: of an account that may have the files.
        any_kind: of any architecture; else what is no BERT is refused before its weights come.
        cache: the folder of the cache; None: where the hub's library has it.
        again: fetch what is there already, too.
        subfolder: where the files lie in the repository.

    Returns:
        The folder in the hub's cache, where every command finds it under its name.

    Raises:
        BertwrightError: BW303 the download failed, BW308 files came with other content, BW311 no BERT, BW563 the
            files are given to some accounts only, BW564 there is no such public model.
    """
    from huggingface_hub import HfApi, hf_hub_download, snapshot_download  # imported late: the library takes its time
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    endpoint = endpoint or os.environ.get("HF_ENDPOINT", "").rstrip("/") or None  # as the library itself reads it
    shown_to: str | bool = token or False
    mark, cache = unfinished_mark(name, cache), cache or cache_folder()
    try:
        hub = HfApi(endpoint=endpoint, token=shown_to)
        info = hub.model_info(name, revision=revision, timeout=_TIMEOUT, files_metadata=True)
        there = {entry.rfilename for entry in info.siblings or ()}
        patterns = _patterns(there, subfolder)
        of_config = f"{subfolder.strip('/')}/config.json".removeprefix("/")
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()
        if of_config in there and not any_kind:
            commit = info.sha or revision
            config = hf_hub_download(
                name, of_config, revision=commit, endpoint=endpoint, cache_dir=cache, token=shown_to
            )
            require_bert(Path(config), mark)
        got = snapshot_download(
            name,
            revision=revision,
            allow_patterns=patterns,
            endpoint=endpoint,
            cache_dir=cache,
            token=shown_to,
            force_download=again,
        )
    except BertwrightError:
        raise
    except GatedRepoError as error:  # a kind of the next
        raise BertwrightError("BW563", name=name) from error
    except RepositoryNotFoundError as error:
        raise BertwrightError("BW564", name=name) from error
    except Exception as error:  # each release of the library lets other errors of other HTTP clients through
        reason = next(iter(str(error).strip().splitlines()), "") or type(error).__name__
        raise BertwrightError("BW303", name=name, reason=reason, files=", ".join(TEXT_FILES[:3])) from error
    if differing := remove_differing(Path(got), info.siblings or ()):
        raise BertwrightError("BW308", name=name, files=", ".join(differing))
    mark.unlink(missing_ok=True)
    return Path(got)


def require_bert(config: Path, mark: Path) -> None:
    """Refuse another architecture by its `config.json`, before its weights come; `mark` goes, as nothing is to go on.

    Raises:
        BertwrightError: BW311.
    """
    try:
        read = read_json_file(config)
    except (OSError, ValueError):
        return  # whoever reads it says so
    kind = read.get("model_type", "bert") if isinstance(read, dict) else "bert"
    if kind not in KINDS:
        mark.unlink(missing_ok=True)
        raise BertwrightError("BW311", architecture=kind)


def _patterns(files: Iterable[str], subfolder: str) -> list[str]:
    """Which of the `files` of a repository are fetched."""
    before = f"{subfolder.strip('/')}/" if subfolder else ""
    there = {file.removeprefix(before) for file in files if file.startswith(before)}
    return [before + file for file in (*TEXT_FILES, *weight_patterns(there))]


def weight_patterns(there: set[str]) -> list[str]:
    """One file, or an index and its shards: what `weights.weight_file` will choose from the folder."""
    first = next((name for name in WEIGHT_FILES if name in there), WEIGHT_FILES[0])
    if not first.endswith(".json"):
        return [first]
    stem, ending = first.removesuffix(".index.json").rsplit(".", 1)
    return [first, f"{stem}-*.{ending}"]
