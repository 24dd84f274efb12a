"""The tensors of a file to those of a model: where each comes from, and what is left over."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from bertwright.checkpoint import names
from bertwright.checkpoint.encoder_decoder_names import has_decoder
from bertwright.checkpoint.load_report import LoadReport
from bertwright.errors import BertwrightError


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
    there = _by_canonical_name(tensors, report)
    of_two_parts = has_decoder(there)
    found: dict[str, Tensor] = {}
    left = set(there)
    for ours, shape in wanted.items():
        places = names.places(ours, wanted, of_two_parts)
        parts = next((place for place in places if place.keys() <= there.keys()), None)
        if parts is None:
            report.lack(ours, there)
            continue
        if not of_two_parts and has_decoder([names.canonical(ours)]):
            report.borrowed.append(ours)
        left.difference_update(parts)
        pieces = {name: tensors[there[part]] for part, name in parts.items()}
        if (tensor := _joined(pieces, ours, shape, report)) is not None:
            found[ours] = tensor
            report.loaded.append(ours)
    _sort_out(left, tensors, there, report)
    return found, report


def take_theirs(model: nn.Module, state: dict[str, Any], prefix: str, *_: Any) -> None:
    """Let `load_state_dict` take the state of a peer: what ours has in one is stacked, what only repeats is left out.

    A hook of `nn.Module.register_load_state_dict_pre_hook`; `state` is changed in place, and what has no place in the
    model stays in it, for the library to report.
    """
    wanted = dict(model.named_parameters())
    there = {names.canonical(name.removeprefix(prefix)): name for name in state if name.startswith(prefix)}
    tensors = {canonical: state[name] for canonical, name in there.items()}
    made: dict[str, Tensor] = {}
    for ours in wanted:
        places = names.places(ours, wanted, of_two_parts=True)
        if (parts := next((place for place in places if place.keys() <= there.keys()), None)) is not None:
            pieces = [tensors[part] for part in parts]
            made[prefix + ours] = pieces[0] if len(pieces) == 1 else torch.cat(pieces)
            for part in parts:
                state.pop(there[part], None)
    for canonical, name in there.items():
        if name in state and _carries_nothing(canonical, tensors, has_decoder(there)):
            del state[name]
    state |= made


def _by_canonical_name(tensors: Mapping[str, Tensor], report: LoadReport) -> dict[str, str]:
    """The names in the file by what they are in every release; of two spellings of one the first counts."""
    there: dict[str, str] = {}
    for name in tensors:
        canonical = names.canonical(name)
        if canonical in there:
            report.unused.append(name)
            continue
        there[canonical] = name
        if canonical != names.bare(name):
            report.renamed.append(name)
    return there


def _joined(pieces: Mapping[str, Tensor], ours: str, shape: torch.Size, report: LoadReport) -> Tensor | None:
    """The pieces, by what messages call them, as one tensor of this shape; None where one of them has another."""
    want = [shape[0] // len(pieces), *shape[1:]]
    for name, piece in pieces.items():
        if not piece.is_floating_point() or piece.itemsize < 2:
            dtype = str(piece.dtype).removeprefix("torch.")
            raise BertwrightError("BW341", file=report.file, name=name, dtype=dtype)
        if list(piece.shape) != want:
            report.misshapen.append((ours, name, list(piece.shape), want))
            return None
    return next(iter(pieces.values())) if len(pieces) == 1 else torch.cat(list(pieces.values()))


def _sort_out(left: set[str], tensors: Mapping[str, Tensor], there: Mapping[str, str], report: LoadReport) -> None:
    """What is `left` in the file: some of it carries nothing, the rest is not used."""
    by_name = {canonical: tensors[name] for canonical, name in there.items()}
    empty = {canonical for canonical in left if _carries_nothing(canonical, by_name, has_decoder(there))}
    report.empty += [name for canonical, name in there.items() if canonical in empty]
    report.unused += [name for canonical, name in there.items() if canonical in left - empty]


def _carries_nothing(canonical: str, tensors: Mapping[str, Tensor], of_two_parts: bool) -> bool:
    if names.is_counter(canonical):
        return True
    original = tensors.get(names.repeated(canonical, of_two_parts) or "")
    copy = tensors[canonical]
    return original is not None and copy.dtype == original.dtype and torch.equal(copy, original)
