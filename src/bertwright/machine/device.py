"""A device by its name, if this machine can compute on it."""

from __future__ import annotations

import torch

from bertwright.errors import BertwrightError


def usable_device(name: str) -> torch.device:
    """The device called `name`, such as `cpu`, `cuda:1`, `mps` or `npu:0`.

    Raises:
        BertwrightError: BW130 for a name that is none, or a device that is not there or has no driver.
    """
    try:
        device = torch.device(name)
        torch.ones(1, device=device).item()  # `meta` makes tensors, and cannot tell what is in them
    except (RuntimeError, AssertionError, NotImplementedError, ImportError) as error:
        reason = next(iter(str(error).splitlines()), "") or type(error).__name__
        raise BertwrightError("BW130", device=name, reason=reason[:200]) from error
    return device
