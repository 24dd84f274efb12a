"""How fast this machine multiplies matrices, so that people can compare machines."""

from __future__ import annotations

import itertools
import math
import os
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from bertwright.inference.doctor.cores import count_cores
from bertwright.inference.doctor.devices import usable_devices
from bertwright.inference.doctor.findings import Finding, Mark, reason

if TYPE_CHECKING:
    import torch

SECTION = "speed"
_SECONDS = 0.15  # for each kind of number
_LARGEST = {"cpu": 2048}  # an accelerator needs larger ones to be busy
_LARGEST_ELSEWHERE = 8192


def matrix_products() -> Iterator[Finding]:
    """Billions of operations a second in fp32 and in bf16, on each device."""
    import torch

    for name in usable_devices():
        for label, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
            what = f"{label} on {name}"
            try:
                rate, width = matrix_rate(torch.device(name), dtype)
            except Exception as error:  # a device without these numbers
                yield Finding(SECTION, what, f"does not work: {reason(error)}", Mark.NOTE)
                continue
            yield Finding(SECTION, what, f"{rate:,.0f} GFLOP/s ({width} x {width} matrices)")


def load() -> Iterator[Finding]:
    """Whether other programs are busy, which makes every rate lower than it could be; Windows does not tell."""
    if not hasattr(os, "getloadavg"):
        return
    busy, allowed = os.getloadavg()[0], count_cores().allowed
    value = f"{busy:.1f} in the last minute, for {allowed} cores"
    if busy > 0.5 * allowed:
        hint = "other programs are busy: the rates above are lower than this machine can reach"
        yield Finding(SECTION, "load", value, Mark.NOTE, hint)
    else:
        yield Finding(SECTION, "load", value)


def matrix_rate(device: torch.device, dtype: torch.dtype, seconds: float = _SECONDS) -> tuple[float, int]:
    """The best rate of a product, in 1e9 operations a second, and the width of its matrices.

    Matrices grow as long as products are quick, so that slow machines are done as soon as fast ones. A product is
    repeated until the time is used up, so that one that another program disturbed does not decide.
    """
    best, best_width, width, spent = 0.0, 0, 256, 0.0
    while True:
        times = _product_times(device, dtype, width)
        quickest = math.inf
        for taken in itertools.islice(times, 3):
            quickest, spent = min(quickest, taken), spent + taken
        larger = width < _LARGEST.get(device.type, _LARGEST_ELSEWHERE) and spent + 32 * quickest < seconds
        while not larger and spent < seconds:
            taken = next(times)
            quickest, spent = min(quickest, taken), spent + taken
        rate = 2 * width**3 / quickest / 1e9
        if rate > best:
            best, best_width = rate, width
        if not larger:
            return best, best_width
        width *= 2


def _product_times(device: torch.device, dtype: torch.dtype, width: int) -> Iterator[float]:
    """Seconds of one product after the other."""
    import torch

    matrix = torch.randn(width, width, device=device).to(dtype)
    _ = matrix @ matrix  # the first product of a shape prepares itself
    while True:
        _wait(device)
        started = time.perf_counter()
        _ = matrix @ matrix
        _wait(device)
        yield max(time.perf_counter() - started, 1e-9)


def _wait(device: torch.device) -> None:
    """Until the device has done what it was asked to."""
    import torch

    if device.type != "cpu":
        torch.accelerator.synchronize(device)
