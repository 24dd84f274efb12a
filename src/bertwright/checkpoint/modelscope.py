"""Models from ModelScope (modelscope.cn), by its own HTTP interface, into the cache in which every command looks.

`/api/v1/models/OWNER/NAME/repo/files?Revision=…&Recursive=true` lists the files with sizes and SHA-256, and
`/api/v1/models/OWNER/NAME/repo?Revision=…&FilePath=…` gives one, from any byte on (`Range`).
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from bertwright.checkpoint.hub import (
    TEXT_FILES,
    cache_entry,
    require_bert,
    unfinished_mark,
    weight_patterns,
)
from bertwright.errors import BertwrightError
from bertwright.wording import Phrase

ENDPOINT = "https://modelscope.cn"
_TIMEOUT = 20  # seconds until a server that does not answer counts as out of reach
_AT_ONCE = 1 << 20  # bytes
_CLOSED = (http.client.UNAUTHORIZED, http.client.FORBIDDEN)


@dataclass(frozen=True, slots=True)
class _File:
    path: str
    size: int
    sha256: str  # empty where the hub states none


@dataclass(frozen=True, slots=True)
class _Repository:
    address: str
    revision: str
    token: str | None

    def open(self, what: str, *, begin: int = 0, **query: str) -> http.client.HTTPResponse:
        """The answer of the server; an HTTPError where it refuses."""
        headers = {"User-Agent": "bertwright"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if begin:
            headers["Range"] = f"bytes={begin}-"
        request = Request(f"{self.address}{what}?{urlencode({'Revision': self.revision, **query})}", headers=headers)
        answer: http.client.HTTPResponse = urlopen(request, timeout=_TIMEOUT)
        return answer

    def files(self) -> list[_File]:
        """What it holds; a ValueError where the answer is none of this interface."""
        with self.open("/files", Recursive="true") as answer:
            read = json.load(answer)
        try:
            entries = [one for one in read["Data"]["Files"] if one.get("Type") != "tree"]
            return [_File(one["Path"], int(one["Size"]), one.get("Sha256") or "") for one in entries]
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(Phrase("the answer is not that of ModelScope")) from error

    def fetch(self, file: _File, part: Path) -> None:
        """Write a file, going on where `part` ends; a ValueError where the connection broke before its end."""
        begin = part.stat().st_size if part.is_file() else 0
        if begin < file.size or not file.size:
            with self.open("", begin=begin, FilePath=file.path) as answer:
                goes_on = answer.status == http.client.PARTIAL_CONTENT
                with part.open("ab" if goes_on else "wb") as kept:
                    while block := answer.read(_AT_ONCE):
                        kept.write(block)
        if (size := part.stat().st_size) < file.size:
            raise ValueError(Phrase("{have} of {want} bytes", have=size, want=file.size))


def fetch_from_modelscope(
    name: str, *, endpoint: str | None = None, revision: str | None = None, token: str | None = None
) -> Path:
    """Download the files of `name` that a model needs, as `hub.fetch` does from its hub.

    Files that are there stay, a broken connection is taken up where it broke, and the SHA-256 that ModelScope states
    is compared.

    Args:
        name: on ModelScope: OWNER/NAME.
        endpoint: the address; None: `MODELSCOPE_ENDPOINT`, else modelscope.cn.
        revision: a branch, a tag or a commit; None: `master`.
        token: of an account that may have the files.

    Returns:
        The folder in the cache, where every command finds it under its name.

    Raises:
        BertwrightError: BW303 the download failed, BW308 files came with other content, BW311 no BERT, BW563 the files
            are given to some accounts only, BW564 there is no such public model.
    """
    endpoint = (endpoint or os.environ.get("MODELSCOPE_ENDPOINT", "") or ENDPOINT).rstrip("/")
    there = _Repository(f"{endpoint}/api/v1/models/{name}/repo", revision or "master", token)
    try:
        return _fetch(there, name)
    except HTTPError as error:
        if error.code in _CLOSED:
            raise BertwrightError("BW563", name=name) from error
        if error.code == http.client.NOT_FOUND:
            raise BertwrightError("BW564", name=name) from error
        raise _failed(name, error) from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise _failed(name, error) from error


def _failed(name: str, error: Exception) -> BertwrightError:
    reason = getattr(error, "reason", None) or (error.args[0] if isinstance(error, ValueError) else error)
    return BertwrightError("BW303", name=name, reason=reason, files=", ".join(TEXT_FILES[:3]))


def _fetch(there: _Repository, name: str) -> Path:
    listed = there.files()
    patterns = [*TEXT_FILES, *weight_patterns({file.path for file in listed})]
    wanted = [file for file in listed if "/" not in file.path and any(fnmatch(file.path, one) for one in patterns)]
    wanted.sort(key=lambda file: file.path != "config.json")
    entry, mark = cache_entry(name), unfinished_mark(name)
    folder = entry / "snapshots" / _digest(wanted)
    folder.mkdir(parents=True, exist_ok=True)
    mark.touch()
    for file in wanted:
        target, part = folder / file.path, folder / f".{file.path}.part"
        if not (target.is_file() and _is_as_stated(target, file)):
            there.fetch(file, part)
            if not _is_as_stated(part, file):
                part.unlink()
                raise BertwrightError("BW308", name=name, files=file.path)
            part.replace(target)
        if file.path == "config.json":
            require_bert(target, mark)
    mark.unlink(missing_ok=True)
    return folder


def _digest(files: Sequence[_File]) -> str:
    """A name for a snapshot that is the same for the same files: the hub states no commit for all of them."""
    lines = "".join(f"{file.path} {file.size} {file.sha256}\n" for file in files)
    return hashlib.sha256(lines.encode()).hexdigest()[:40]


def _is_as_stated(path: Path, file: _File) -> bool:
    if path.stat().st_size != file.size:
        return False
    with path.open("rb") as stream:
        return not file.sha256 or hashlib.file_digest(stream, "sha256").hexdigest() == file.sha256.lower()
