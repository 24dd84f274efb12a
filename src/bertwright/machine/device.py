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
    try:
        device = torch.device(name)
    except RuntimeError as error:  # it lists what torch may be built for, which is no help here
        is_card = name.lower().startswith("gpu")
        reason = Phrase(
            "a graphics card is called cuda, a second one cuda:1" if is_card else "no kind of device is called so"
        )
        raise BertwrightError("BW130", device=name, reason=reason) from error
    try:
        torch.ones(1, device=device).item()  # `meta` makes tensors, and cannot tell what is in them
    except (RuntimeError, AssertionError, NotImplementedError, ImportError) as error:
        told = next(iter(str(error).splitlines()), "") or type(error).__name__
        raise BertwrightError("BW130", device=name, reason=told[:200]) from error
    return device
