"""The tensors of a model folder: which file holds them, and how ours are written."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from bertwright.checkpoint import names
from bertwright.checkpoint.hub_cache import WEIGHT_FILES, shard_names
from bertwright.checkpoint.panics import panics_as_errors
from bertwright.checkpoint.replacing import new_file, replacing
from bertwright.errors import BertwrightError
from bertwright.wording import Phrase

_LFS_POINTER = b"version https://git-lfs"
_MOST_SHARED = 4  # times that the tensors of a file may be as large as it: a tied table stands there once or twice
_PICKLES = (b"PK", b"\x80")  # how a checkpoint of torch begins: the zip of today, the bare pickle of old


def weight_file(folder: Path) -> Path:
    """The file (or the index of the files) that holds the weights of `folder`; safetensors before pickles.

    Raises:
        BertwrightError: BW302 where there is none.
    """
    for name in WEIGHT_FILES:
        if (folder / name).is_file():
            return folder / name
    raise BertwrightError("BW302", folder=folder, file=" / ".join(WEIGHT_FILES))


def tensor_names(file: Path) -> list[str]:
    """What the tensors of a weight file, or of the shards that an index names, are called; raises as `read_tensors`."""
    if file.suffix != ".safetensors":
        return list(read_tensors(file))
    try:
        with panics_as_errors(), safe_open(file, "pt") as opened:
            return list(opened.keys())
    except (SafetensorError, OSError, ValueError):
        return list(read_tensors(file))  # which says what is wrong


def read_tensors(file: Path) -> dict[str, Tensor]:
    """All tensors of a weight file, or of the shards that an index names, on the CPU.

    Raises:
        BertwrightError: BW302 a shard is missing, BW320 a damaged file, BW321 a pickle that holds more than
            tensors (it is not executed).
    """
    if file.suffix != ".json":
        return _read_one(file)
    try:
        shards = shard_names(file)
    except (OSError, ValueError) as error:
        raise BertwrightError("BW320", file=file, reason=error) from error
    tensors: dict[str, Tensor] = {}
    for shard in shards:
        if not (file.parent / shard).is_file():
            raise BertwrightError("BW302", folder=file.parent, file=shard)
        tensors |= _read_one(file.parent / shard)
    return tensors


def _read_one(file: Path) -> dict[str, Tensor]:
    start = b""
    try:
        with panics_as_errors(), file.open("rb") as stream:
            start = stream.read(len(_LFS_POINTER))
            loaded = load_file(file) if file.suffix == ".safetensors" else _load_pickle(file)
    except Exception as error:  # damaged bytes meet a parser: it may raise anything
        raise _unreadable(file, start, error) from error
    if not isinstance(loaded, dict):
        raise BertwrightError(
            "BW320", file=file, reason=Phrase("holds a {kind}, not named tensors", kind=type(loaded).__name__)
        )
    named = {name: tensor for name, tensor in loaded.items() if isinstance(name, str) and isinstance(tensor, Tensor)}
    if file.suffix != ".safetensors":
        _refuse_more_than_is_there(file, named)
    return {name: tensor.detach() for name, tensor in named.items()}


def _load_pickle(file: Path) -> Any:
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
                raise ValueError(Phrase("its parts are compressed, which no program does that writes weights"))
    return torch.load(file, map_location="cpu", weights_only=True)


def _refuse_more_than_is_there(file: Path, tensors: Mapping[str, Tensor]) -> None:
    """Raise BW320 where a few bytes stand for many: a tensor that repeats one number, or many that share one part."""
    total = 0
    for name, tensor in tensors.items():
        size = tensor.numel() * tensor.itemsize
        total += size
        if tensor.layout != torch.strided or size > tensor.untyped_storage().nbytes():
            reason = Phrase("{name} claims more numbers than the file holds", name=name[:200])
            raise BertwrightError("BW320", file=file, reason=reason)
    if total > _MOST_SHARED * file.stat().st_size:
        reason = Phrase("its tensors claim {total:,} bytes", total=total)
        raise BertwrightError("BW320", file=file, reason=reason)


def _unreadable(file: Path, start: bytes, error: Exception) -> BertwrightError:
    """What is wrong with a file that begins with the bytes `start`."""
    if isinstance(error, pickle.UnpicklingError) and start.startswith(_PICKLES):
        return BertwrightError("BW321", file=file)
    reason: object = next(iter(str(error).splitlines()), "") or type(error).__name__
    if start == _LFS_POINTER:
        reason = Phrase("it is a Git LFS pointer, not the weights")
    return BertwrightError("BW320", file=file, reason=reason)


def to_theirs(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Our tensors under Hugging Face's names, each whole and contiguous."""
    renamed: dict[str, Tensor] = {}
    for ours, tensor in state.items():
        parts = names.theirs(ours)
        pieces = tensor.detach().chunk(len(parts)) if len(parts) > 1 else [tensor.detach()]
        for name, piece in zip(parts, pieces):
            renamed[name] = piece.cpu().contiguous()
        if second := names.second(ours, state):
            renamed[second] = renamed[parts[0]].clone()
    return renamed


def write_tensors(state: Mapping[str, Tensor], file: Path) -> None:
    """Write our tensors under Hugging Face's names as one safetensors file; see `write_named`."""
    write_named(to_theirs(state), file)


def write_named(tensors: Mapping[str, Tensor], file: Path) -> None:
    """Write tensors as one safetensors file, whole or not at all.

    Raises:
        BertwrightError: BW501 where the disk or the permissions do not allow it.
    """
    try:
        # Beside first: the tensors may be mapped from the very file that is replaced.
        with replacing(file) as staging:
            new_file(staging).close()
            mode = staging.stat().st_mode  # as of any new file; safetensors would let nobody but its owner read it
            save_file(dict(tensors), staging, metadata={"format": "pt"})
            staging.chmod(mode)
    except SafetensorError as error:
        raise BertwrightError("BW501", folder=file, reason=error) from error
