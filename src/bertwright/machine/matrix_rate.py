"""How fast this machine multiplies matrices: what the speed of a model is compared with."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Iterator

import torch

_SECONDS = 0.15  # for each kind of number
_LARGEST = {"cpu": 2048}  # an accelerator needs larger ones to be busy
_LARGEST_ELSEWHERE = 8192


def matrix_rate(device: torch.device, dtype: torch.dtype, seconds: float = _SECONDS) -> tuple[float, int]:
    """The best rate of a product, in 1e9 operations a second, and the width of its matrices.

    Matrices grow as long as products are quick, so that slow machines are done as soon as fast ones. A product is
    repeated until the time is used up, so that one that another program disturbed does not decide.
    """
    best, best_width, width, spent = 0.0, 0, 256, 0.0
    while True:
        times = product_times(device, dtype, width)
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


def product_times(device: torch.device, dtype: torch.dtype, width: int) -> Iterator[float]:
    """Seconds of one product after the other."""
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
    if device.type != "cpu":
        torch.accelerator.synchronize(device)
