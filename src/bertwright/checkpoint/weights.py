"""The tensors of a model folder: which file holds them, what becomes of each, and how ours are written."""

from __future__ import annotations

import json
import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from bertwright.checkpoint import names
from bertwright.checkpoint.hub import WEIGHT_FILES
from bertwright.errors import BertwrightError, shown


@dataclass(slots=True)
class LoadReport:
    """What became of every tensor: those of the file, and those that the model wanted.

    Attributes:
        file: where the tensors came from.
        loaded: tensors of the model that the file gave.
        renamed: tensors of the file that stood under an old name (`gamma`, `beta`, a wrapper's prefix).
        missing: tensors of the model that the file lacks (our names).
        unused: tensors of the file that the model has no place for.
        misshapen: tensors of the model whose shape in the file differs: name, shape there, shape wanted.
        empty: tensors of the file that carry nothing (counters, copies of tied weights).
    """

    file: Path
    loaded: list[str] = field(default_factory=list)
    renamed: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
    misshapen: list[tuple[str, list[int], list[int]]] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)

    @property
    def fresh(self) -> list[str]:
        """Tensors of the model that the file did not fill."""
        return self.missing + [name for name, _, _ in self.misshapen]

    def summary(self) -> str:
        """One calm line."""
        encoder = [name for name in self.loaded if not names.is_head(name)]
        parts = [f"encoder {len(encoder)}/{len(encoder)} tensors loaded from {self.file}"]
        if heads := sorted({_module(name) for name in self.loaded if names.is_head(name)}):
            parts.append(f"heads loaded: {shown(heads)}")
        if fresh := sorted({_module(name) for name in self.fresh}):
            parts.append(f"new and untrained: {shown(fresh)}")
        if self.renamed:
            parts.append(f"{len(self.renamed)} old names understood")
        if self.unused:
            parts.append(f"not used: {shown(sorted({_module(name) for name in self.unused}))}")
        return "; ".join(parts)


def _module(name: str) -> str:
    return name.removeprefix(names.PREFIX).rpartition(".")[0] or name


def weight_file(folder: Path) -> Path:
    """The file (or the index of the files) that holds the weights of `folder`; safetensors before pickles.

    Raises:
        BertwrightError: BW302 where there is none.
    """
    for name in WEIGHT_FILES:
        if (folder / name).is_file():
            return folder / name
    raise BertwrightError("BW302", folder=folder, file=" / ".join(WEIGHT_FILES))


def read_tensors(file: Path) -> dict[str, Tensor]:
    """All tensors of a weight file, or of the shards that an index names, on the CPU.

    Raises:
        BertwrightError: BW302 a shard is missing, BW320 a damaged file, BW321 a pickle that holds more than
            tensors (it is not executed).
    """
    if file.suffix != ".json":
        return _read_one(file)
    try:
        shards = sorted(set(json.loads(file.read_text(encoding="utf-8"))["weight_map"].values()))
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise BertwrightError("BW320", file=file, reason=error) from error
    tensors: dict[str, Tensor] = {}
    for shard in shards:
        path = file.parent / Path(shard).name  # a name, never a path that leads elsewhere
        if not path.is_file():
            raise BertwrightError("BW302", folder=file.parent, file=shard)
        tensors |= _read_one(path)
    return tensors


def _read_one(file: Path) -> dict[str, Tensor]:
    try:
        if file.suffix == ".safetensors":
            return dict(load_file(file))
        loaded = torch.load(file, map_location="cpu", weights_only=True)
    except SafetensorError as error:
        raise BertwrightError("BW320", file=file, reason=error) from error
    except pickle.UnpicklingError as error:
        raise BertwrightError("BW321", file=file) from error
    except (RuntimeError, EOFError, OSError) as error:
        raise BertwrightError("BW320", file=file, reason=str(error).splitlines()[0]) from error
    if not isinstance(loaded, dict):
        raise BertwrightError("BW320", file=file, reason=f"holds a {type(loaded).__name__}, not named tensors")
    return {name: tensor for name, tensor in loaded.items() if isinstance(tensor, Tensor)}


def match(
    tensors: Mapping[str, Tensor], wanted: Mapping[str, torch.Size], file: Path
) -> tuple[dict[str, Tensor], LoadReport]:
    """Our tensors, made from those of a file, and what became of every one.

    Args:
        tensors: by the names in the file (theirs, of any release).
        wanted: the shape of every tensor of the model, by our names.
        file: for the report.
    """
    report = LoadReport(file)
    there: dict[str, str] = {}
    for name in tensors:
        plain = names.canonical(name)
        there[plain] = name
        if plain != name.removeprefix(names.PREFIX):
            report.renamed.append(name)
    found: dict[str, Tensor] = {}
    used: set[str] = set()
    for ours, shape in wanted.items():
        parts = [names.canonical(name) for name in names.theirs(ours)]
        if not all(part in there for part in parts):
            report.missing.append(ours)
            continue
        used.update(parts)
        pieces = [tensors[there[part]] for part in parts]
        tensor = pieces[0] if len(pieces) == 1 else _stack(pieces)
        if tensor is None or tensor.shape != shape:
            report.misshapen.append((ours, list(pieces[0].shape), list(shape)))
            continue
        found[ours] = tensor
        report.loaded.append(ours)
    for plain, name in there.items():
        if plain not in used:
            (report.empty if names.is_empty(plain, wanted) else report.unused).append(name)
    return found, report


def _stack(pieces: list[Tensor]) -> Tensor | None:
    fits = len({piece.shape[1:] for piece in pieces}) == 1
    return torch.cat(pieces) if fits else None


def to_theirs(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Our tensors under Hugging Face's names, each whole and contiguous."""
    renamed: dict[str, Tensor] = {}
    for ours, tensor in state.items():
        parts = names.theirs(ours)
        for name, piece in zip(parts, tensor.detach().chunk(len(parts))):
            renamed[name] = piece.cpu().contiguous()
    return renamed


def write_tensors(state: Mapping[str, Tensor], file: Path) -> None:
    """Write our tensors under Hugging Face's names as one safetensors file."""
    # Chunks of one stacked tensor share its memory, which the format refuses.
    save_file({name: tensor.clone() for name, tensor in to_theirs(state).items()}, file, metadata={"format": "pt"})
