"""How a hub is asked for a model, in the words of its own library."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

# Older words of the same library: they ask for what is done anyway.
_DONE_ANYWAY = ("resume_download", "_commit_hash", "_from_auto", "_from_pipeline")


@dataclass(frozen=True, slots=True)
class HubRequest:
    """What a caller may say of a download.

    Attributes:
        cache_dir: the folder of the cache; None: where the hub's library has it.
        local_files_only: whether the network must not be asked.
        token: of an account that may have the files; True: the one that this machine is logged in with; None: nobody
            is told who asks.
        revision: a branch, a tag or a commit; None: the newest, or what the cache has of it.
        force_download: whether to fetch what is there already.
        subfolder: of the model's folder, in which its files lie.
    """

    cache_dir: Path | None = None
    local_files_only: bool = False
    token: str | bool | None = None
    revision: str | None = None
    force_download: bool = False
    subfolder: str = ""

    @classmethod
    def taken_from(cls, arguments: dict[str, Any]) -> Self:
        """What the keyword `arguments` of a `from_pretrained` say of it; they are taken out of these."""
        for word in _DONE_ANYWAY:
            arguments.pop(word, None)
        token = arguments.pop("use_auth_token", None)
        token = arguments.pop("token", None) or token
        folder = arguments.pop("cache_dir", None)
        return cls(
            cache_dir=None if folder is None else Path(os.path.expandvars(folder)).expanduser(),
            local_files_only=bool(arguments.pop("local_files_only", False)),
            token=token,
            revision=arguments.pop("revision", None),
            force_download=bool(arguments.pop("force_download", False)),
            subfolder=arguments.pop("subfolder", None) or "",
        )


AS_USUAL = HubRequest()
