"""A device by its name, if this machine can compute on it."""

from __future__ import annotations

import torch

from bertwright.errors import BertwrightError
from bertwright.wording import Phrase


def usable_device(name: str) -> torch.device:
    """The device called `name`, such as `cpu`, `cuda:1`, `mps` or `npu:0`.

    Raises:
        BertwrightError: BW130 for a name that is none, or a device that is not there or has no driver.
    """
    called = "cuda" if name.lower() == "gpu" else name
    try:
        device = torch.device(called)
        torch.ones(1, device=device).item()  # `meta` makes tensors, and cannot tell what is in them
    except (RuntimeError, AssertionError, NotImplementedError, ImportError) as error:
        raise BertwrightError("BW130", device=name, reason=_reason(called, error)) from error
    return device


def _reason(name: str, error: Exception) -> object:
    """Why there is no such device, without the inside of the library."""
    if name.partition(":")[0] == "cuda" and not torch.cuda.is_available():
        return Phrase("this machine, or the torch installed on it, has no CUDA")
    if name.partition(":")[0] == "mps" and not torch.backends.mps.is_available():
        return Phrase("this machine has no Metal device")
    if "device string" in str(error) or "Expected one of" in str(error):
        return Phrase("no device is called so")
    return (next(iter(str(error).splitlines()), "") or type(error).__name__)[:200]
