"""`pad`: inputs that were made before, brought to one width, as the collators of `transformers` ask for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bertwright.errors import BertwrightError
from bertwright.text.tokenizer.batch_encoding import BatchEncoding, Width, filled
from bertwright.text.tokenizer.token_table import as_python
from bertwright.text.tokenizer.tokenizer_files import Side

_IDS, _MASK = "input_ids", "attention_mask"


@dataclass(frozen=True, slots=True)
class Padding:
    """How inputs are padded.

    Attributes:
        width: to the longest, to `limit`, or not at all.
        limit: in places.
        multiple: what the width is rounded up to a multiple of.
        side: where the pads go.
        pad_id: the id of [PAD].
        adds_mask: whether inputs without an attention mask get one.
        masks_nothing: whether even inputs without any id get one.
    """

    width: Width
    limit: int
    multiple: int
    side: Side
    pad_id: int
    adds_mask: bool
    masks_nothing: bool

    @property
    def fills(self) -> dict[str, int]:
        """What a pad has in the values of each name; those of other names get no pads."""
        return {_IDS: self.pad_id, "token_type_ids": 0, _MASK: 0, "special_tokens_mask": 1}


def pad_inputs(given: Any, padding: Padding, return_tensors: str | None) -> BatchEncoding:
    """Pad one input or several.

    Args:
        given: values by name, of one input or of B; or a list of B such dictionaries. Values are lists, arrays or
            tensors. Nothing of it is changed.
        padding: how.
        return_tensors: `pt`, `np`, or `None`: as the ids are given.

    Raises:
        BertwrightError: BW411 another kind of tensors; BW442 values that cannot stand in a tensor; BW443 values that
            one of the inputs lacks.
    """
    values = _by_name(given)
    kind = _kind_of(values[_IDS])
    if kind is not None:
        values = {name: as_python(value) for name, value in values.items()}
    ids = values[_IDS] = as_python(values[_IDS])
    if not ids:
        return BatchEncoding(values | ({_MASK: []} if padding.masks_nothing else {}))
    if single := not isinstance(ids[0], list):
        values = {name: [value] for name, value in values.items()}
    padded = _padded(values, padding)
    if single:
        padded = {name: value[0] for name, value in padded.items()}
    return BatchEncoding(padded, tensor_type=return_tensors or kind)


def _padded(values: dict[str, Sequence[Any]], padding: Padding) -> dict[str, list[Any]]:
    ids = values[_IDS]
    if padding.adds_mask and _MASK not in values:
        values = values | {_MASK: [[1] * len(row) for row in ids]}
    for name, column in values.items():
        if len(column) != len(ids):
            raise BertwrightError("BW442", name=name, reason=f"{len(column)} ≠ {len(ids)}")
    lengths = [len(row) for row in ids]
    missing = [width - length for width, length in zip(_widths(lengths, padding), lengths)]
    fills = padding.fills
    return {
        name: [_filled_up(row, [fills[name]] * count, padding.side) for row, count in zip(column, missing)]
        if name in fills
        else list(column)
        for name, column in values.items()
    }


def _widths(lengths: list[int], padding: Padding) -> list[int]:
    return filled(lengths, padding.width, padding.limit, padding.multiple)


def _filled_up(row: Any, pads: list[int], side: Side) -> list[Any]:
    values: list[Any] = as_python(row)
    return pads + values if side == "left" else values + pads


def _by_name(given: Any) -> dict[str, Any]:
    """The values of each name: of one input, or lists of those of all."""
    if isinstance(given, Mapping):
        _require_ids(given, "pad")
        return dict(given)
    inputs = list(given)
    for at, one in enumerate(inputs):
        if not isinstance(one, Mapping):
            raise BertwrightError("BW443", where=f"inputs[{at}]", name=_IDS, keys=type(one).__name__)
        _require_ids(one, f"inputs[{at}]")
        _require_same(inputs[0], one, at)
    if not inputs:
        raise BertwrightError("BW443", where="pad", name=_IDS, keys="[]")
    return {name: [one[name] for one in inputs] for name in inputs[0]}


def _require_ids(one: Mapping[str, Any], where: str) -> None:
    if _IDS not in one or one[_IDS] is None:
        raise BertwrightError("BW443", where=where, name=_IDS, keys=", ".join(map(str, one.keys())))


def _require_same(first: Mapping[str, Any], one: Mapping[str, Any], at: int) -> None:
    """No value of any input may get lost: all have what the first has, and nothing else."""
    for lacking, other, where in ((one, first, f"inputs[{at}]"), (first, one, "inputs[0]")):
        for name in other:
            if name not in lacking:
                raise BertwrightError("BW443", where=where, name=name, keys=", ".join(map(str, lacking.keys())))


def _kind_of(ids: Any) -> str | None:
    """Of which kind the ids are: `pt`, `np`, or plain lists."""
    if isinstance(ids, list | tuple):
        ids = next((row for row in ids if not isinstance(row, list | tuple) or row), None)
        if isinstance(ids, list | tuple):
            ids = ids[0]
    if isinstance(ids, np.ndarray | np.generic):
        return "np"
    return "pt" if hasattr(ids, "tolist") else None
