"""The tensors of a model folder: which file holds them, what becomes of each, and how ours are written."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from bertwright.checkpoint import names
from bertwright.checkpoint.hub import WEIGHT_FILES, shard_names
from bertwright.errors import BertwrightError, shown

_LFS_POINTER = b"version https://git-lfs"
_PICKLES = (b"PK", b"\x80")  # how a checkpoint of torch begins: the zip of today, the bare pickle of old


@dataclass(slots=True)
class LoadReport:
    """What became of every tensor: those of the file, and those that the model wanted.

    Attributes:
        file: where the tensors came from.
        loaded: tensors of the model that the file gave.
        renamed: tensors of the file that stood under an old name (`gamma`, `beta`, a wrapper's prefix).
        missing: tensors of the model that the file lacks (our names).
        absent: what the file would have to hold for them (their names; a stacked tensor of ours needs three).
        unused: tensors of the file that the model has no place for.
        misshapen: tensors of the model whose shape in the file differs: our name, theirs, shape there, shape
            wanted.
        empty: tensors of the file that carry nothing (counters, copies of tied weights).
        borrowed: tensors of a decoder that were taken from the encoder, as the file has no decoder.
        foreign: tensors of the model that the file has for other classes; they were not taken.
        classes: the names of those.
    """

    file: Path
    loaded: list[str] = field(default_factory=list)
    renamed: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
    misshapen: list[tuple[str, str, list[int], list[int]]] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    borrowed: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)

    @property
    def fresh(self) -> list[str]:
        """Tensors of the model that the file did not fill."""
        return self.missing + [ours for ours, *_ in self.misshapen] + self.foreign

    def started_afresh(self, ours: Iterable[str], classes: Iterable[str]) -> None:
        """Tensors that were loaded were of other `classes`, and have fresh values now."""
        self.foreign = list(ours)
        self.loaded = [name for name in self.loaded if name not in self.foreign]
        self.classes = list(classes)

    def summary(self) -> str:
        """One calm line."""
        loaded = sum(not names.is_head(name) for name in self.loaded)
        wanted = loaded + sum(not names.is_head(name) for name in self.fresh)
        parts = [f"encoder {loaded}/{wanted} tensors loaded from {self.file}"]
        if self.borrowed:
            parts.append("the decoder begins as a copy of the encoder")
        if heads := sorted(
            {_module(name) for name in self.loaded if names.is_head(name) and name not in self.borrowed}
        ):
            parts.append(f"heads loaded: {shown(heads)}")
        foreign = {_module(name) for name in self.foreign}
        if fresh := [*sorted({_module(name) for name in self.fresh} - foreign), *sorted(foreign)]:
            were = f", whose classes were {shown(self.classes)}" if foreign else ""
            parts.append(f"new and untrained: {shown(fresh)}{were}")
        if self.renamed:
            parts.append(f"{len(self.renamed)} old names understood")
        if self.unused:
            parts.append(f"not used: {shown(sorted({_module(name) for name in self.unused}))}")
        return "; ".join(parts)


def _module(name: str) -> str:
    if name.startswith(names.DECODER):
        return "cross-attention" if "cross_attention" in name else "decoder"
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
        with file.open("rb") as stream:
            start = stream.read(len(_LFS_POINTER))
        if file.suffix == ".safetensors":
            return dict(load_file(file))
        loaded = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # damaged bytes meet a parser: it may raise anything
        if isinstance(error, pickle.UnpicklingError) and start.startswith(_PICKLES):
            raise BertwrightError("BW321", file=file) from error
        reason = next(iter(str(error).splitlines()), "") or type(error).__name__
        if start == _LFS_POINTER:
            reason = "it is a Git LFS pointer, not the weights"
        raise BertwrightError("BW320", file=file, reason=reason) from error
    if not isinstance(loaded, dict):
        raise BertwrightError("BW320", file=file, reason=f"holds a {type(loaded).__name__}, not named tensors")
    named = {name: tensor for name, tensor in loaded.items() if isinstance(name, str) and isinstance(tensor, Tensor)}
    return {name: tensor.detach() for name, tensor in named.items()}


def match(
    tensors: Mapping[str, Tensor], wanted: Mapping[str, torch.Size], file: Path
) -> tuple[dict[str, Tensor], LoadReport]:
    """Our tensors, made from those of a file, and what became of every one.

    Args:
        tensors: by the names in the file (theirs, of any release).
        wanted: the shape of every tensor of the model, by our names.
        file: for the report.

    Raises:
        BertwrightError: BW341 for a tensor of quantised numbers.
    """
    report = LoadReport(file)
    there: dict[str, str] = {}
    for name in tensors:
        plain = names.canonical(name)
        if plain in there:  # the same tensor under two spellings: the first one counts
            report.unused.append(name)
            continue
        there[plain] = name
        if plain != names.bare(name):
            report.renamed.append(name)
    found: dict[str, Tensor] = {}
    used: set[str] = set()
    has_decoder = any(plain.startswith(names.DECODER) for plain in there)
    for ours, shape in wanted.items():
        parts = {names.canonical(name): name for name in names.theirs(ours)}
        if (second := names.second(ours, wanted)) in there:
            parts = {second: second}
        for part in [part for part in parts if part not in there]:
            if (other := names.stand_in(part, wanted)) in there:
                parts[other] = parts.pop(part)
        if not has_decoder:  # the checkpoint of a BERT: a decoder begins as its encoder
            taken = {names.of_the_encoder(part) or part: name for part, name in parts.items()}
            if taken != parts and all(part in there for part in taken):
                report.borrowed.append(ours)
                parts = taken
        if absent := [name for part, name in parts.items() if part not in there]:
            report.missing.append(ours)
            report.absent += absent
            continue
        used.update(parts)
        want = [shape[0] // len(parts), *shape[1:]]
        for part, name in parts.items():
            piece = tensors[there[part]]
            if not piece.is_floating_point() or piece.itemsize < 2:
                raise BertwrightError("BW341", file=file, name=name, dtype=str(piece.dtype).removeprefix("torch."))
            if list(piece.shape) != want:
                report.misshapen.append((ours, name, list(piece.shape), want))
                break
        else:
            pieces = [tensors[there[part]] for part in parts]
            found[ours] = pieces[0] if len(pieces) == 1 else torch.cat(pieces)
            report.loaded.append(ours)
    plain_tensors = {plain: tensors[name] for plain, name in there.items()}
    for plain, name in there.items():
        if plain not in used:
            (report.empty if _carries_nothing(plain, plain_tensors, has_decoder) else report.unused).append(name)
    return found, report


def _carries_nothing(plain: str, tensors: Mapping[str, Tensor], has_decoder: bool) -> bool:
    if names.is_counter(plain):
        return True
    original = tensors.get(names.repeated(plain, has_decoder) or "")
    copy = tensors[plain]
    return original is not None and copy.dtype == original.dtype and torch.equal(copy, original)


def to_theirs(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Our tensors under Hugging Face's names, each whole and contiguous."""
    renamed: dict[str, Tensor] = {}
    two_parts = any(ours.startswith(names.DECODER) for ours in state)
    for ours, tensor in state.items():
        parts = names.theirs(ours)
        for name, piece in zip(parts, tensor.detach().chunk(len(parts))):
            renamed[name] = piece.cpu().contiguous()
        if second := names.second(ours, state):
            renamed[second] = renamed[parts[0]].clone()
    return {names.published(name): tensor for name, tensor in renamed.items()} if two_parts else renamed


def write_tensors(state: Mapping[str, Tensor], file: Path) -> None:
    """Write our tensors under Hugging Face's names as one safetensors file; see `write_named`."""
    write_named(to_theirs(state), file)


def write_named(tensors: Mapping[str, Tensor], file: Path) -> None:
    """Write tensors as one safetensors file, whole or not at all.

    Raises:
        BertwrightError: BW501 where the disk or the permissions do not allow it.
    """
    # Beside first: the tensors may be mapped from the very file that is replaced.
    staging = file.with_name(f".{file.name}.tmp")
    try:
        staging.touch()
        mode = staging.stat().st_mode  # as of any new file; safetensors would let nobody but its owner read it
        save_file(dict(tensors), staging, metadata={"format": "pt"})
        staging.chmod(mode)
        staging.replace(file)
    except (SafetensorError, OSError) as error:
        staging.unlink(missing_ok=True)
        raise BertwrightError("BW501", folder=file.parent, reason=error) from error
