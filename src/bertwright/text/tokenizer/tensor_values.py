"""Lists of numbers as the tensors or arrays that a caller asks for."""

from __future__ import annotations

from collections.abc import Sized
from typing import Any

import numpy as np

from bertwright.errors import BertwrightError

_KINDS = ("pt", "np")


def as_tensor(name: str, value: Any, kind: str) -> Any:
    """`value` as a torch tensor (`pt`) or an array (`np`); one that is a tensor already stays as it is.

    Args:
        name: what the values are called, for messages.
        value: a number or lists of numbers, lists of arrays included; for arrays texts, too.
        kind: `pt` or `np`.

    Raises:
        BertwrightError: BW411 for another kind; BW442 for what cannot stand in a tensor, such as lists of unequal
            lengths.
    """
    known_kind(kind)
    if hasattr(value, "ndim") and isinstance(value, np.ndarray) == (kind == "np"):
        return value
    try:
        return _array(value) if kind == "np" else _torch_tensor(value)
    except (ValueError, TypeError, RuntimeError) as error:
        raise BertwrightError("BW442", name=name, reason=_unequal(value) or error) from error


def known_kind(kind: Any) -> None:
    """Refuse what is no kind of tensors.

    Raises:
        BertwrightError: BW411.
    """
    if kind not in _KINDS:
        raise BertwrightError("BW411", option="return_tensors", value=kind, known=", ".join(_KINDS))


def _array(value: Any) -> Any:
    array = np.asarray(value)
    if array.dtype.kind not in "biufcU":
        raise TypeError(f"dtype {array.dtype}")
    return array.astype(np.int64) if not array.size else array


def _torch_tensor(value: Any) -> Any:
    import torch  # only those who ask for tensors wait for it

    if isinstance(value, list) and value and isinstance(value[0], torch.Tensor):
        return torch.stack(value)
    if isinstance(value, np.ndarray) or (isinstance(value, list) and value and isinstance(value[0], np.ndarray)):
        return torch.from_numpy(np.array(value))
    tensor = torch.tensor(value)
    return tensor if tensor.numel() else tensor.to(torch.int64)


def _unequal(value: Any) -> str:
    """The lengths of lists that cannot stand in one tensor."""
    lengths = sorted({len(one) for one in value if isinstance(one, Sized)}) if isinstance(value, list) else []
    return f"{lengths[0]} ≠ {lengths[-1]}" if len(lengths) > 1 else ""
