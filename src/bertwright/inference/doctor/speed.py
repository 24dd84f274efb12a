"""How fast this machine multiplies matrices, so that people can compare machines."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

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


def matrix_rate(device: torch.device, dtype: torch.dtype, seconds: float = _SECONDS) -> tuple[float, int]:
    """The best rate of a product, in 1e9 operations a second, and the width of its matrices.

    Matrices grow until the time is used up, so that slow machines are done as quickly as fast ones.
    """
    import torch

    best, best_width, width, taken = 0.0, 0, 256, 0.0
    spent = 0.0
    while width <= _LARGEST.get(device.type, _LARGEST_ELSEWHERE) and spent + 32 * taken < 2 * seconds:
        left = torch.randn(width, width, device=device).to(dtype)
        _ = left @ left  # the first product of a shape prepares itself
        for _ in range(3):
            _wait(device)
            started = time.perf_counter()
            _ = left @ left
            _wait(device)
            taken = max(time.perf_counter() - started, 1e-9)
            spent += taken
            rate = 2 * width**3 / taken / 1e9
            if rate > best:
                best, best_width = rate, width
        width *= 2  # the next four products take eight times as long each
    return best, best_width


def _wait(device: torch.device) -> None:
    """Until the device has done what it was asked to."""
    import torch

    if device.type != "cpu":
        torch.accelerator.synchronize(device)
