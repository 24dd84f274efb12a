"""How fast this machine multiplies matrices, so that people can compare machines."""

from __future__ import annotations

import os
from collections.abc import Iterator

from bertwright.doctor.devices import usable_devices
from bertwright.doctor.probe import Finding, Mark, reason
from bertwright.machine.cores import count_cores

SECTION = "speed"


def matrix_products() -> Iterator[Finding]:
    """Billions of operations a second in fp32 and in bf16, on each device."""
    import torch

    from bertwright.machine.matrix_rate import matrix_rate

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
