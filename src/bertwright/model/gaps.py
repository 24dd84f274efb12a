"""What of a model a weight file does not hold, where that is more than a head."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import chain
from pathlib import Path

import torch
from torch import Tensor

from bertwright.checkpoint import names
from bertwright.checkpoint.load_report import LoadReport
from bertwright.errors import BertwrightError
from bertwright.model.config import BertConfig
from bertwright.wording import shown

_LAYER = re.compile(r"\blayer\.(\d{1,9})\.")
_LAYERS_BUILT_AT_ONCE = 100
_TENSORS_OF_A_LAYER = 16
_MOST_FRESH = 1 << 27  # numbers, 512 MiB: a head of 100,000 classes on the widest BERT takes less


def refuse_layers_without_weights(config: BertConfig, tensors: Iterable[str], file: Path) -> None:
    """Raise BW322 for layers far beyond those of the file: building so many takes long."""
    names_there = list(tensors)
    there = 1 + max((int(found[1]) for name in names_there for found in _LAYER.finditer(name)), default=-1)
    asked = config.most_layers
    if asked > there + _LAYERS_BUILT_AT_ONCE:
        missing = f"encoder.layer.{there} … encoder.layer.{asked - 1}"
        unused = shown(names_there, 4) if not there else "-"
        count = (asked - there) * _TENSORS_OF_A_LAYER
        raise BertwrightError("BW322", file=file, count=count, missing=missing, unused=unused)


def refuse_too_much(
    fresh: Iterable[str], wanted: Mapping[str, torch.Size], found: Mapping[str, Tensor], file: Path
) -> None:
    """Raise BW347 where new tensors would take far more memory than the weights that there are."""
    new = sum(wanted[name].numel() for name in fresh)
    there = sum(tensor.numel() for tensor in found.values())
    if new > _MOST_FRESH + 4 * there:
        raise BertwrightError("BW347", file=file, new=new, there=there)


def refuse_gaps(report: LoadReport, ignore_mismatched_sizes: bool) -> None:
    """Raise BW323 for tensors of another shape, unless they are of a head and may be, and BW322 for missing ones."""
    for ours, theirs, have, want in report.misshapen:
        if not (ignore_mismatched_sizes and names.is_head(ours)):
            raise BertwrightError("BW323", file=report.file, name=theirs, have=have, want=want)
    of_encoder = chain(*(names.theirs(ours) for ours in report.missing if not names.is_head(ours)))
    if gaps := [theirs for theirs in of_encoder if theirs in report.absent]:
        unused = shown(report.unused, 4) or "-"
        raise BertwrightError("BW322", file=report.file, count=len(gaps), missing=shown(gaps, 4), unused=unused)
