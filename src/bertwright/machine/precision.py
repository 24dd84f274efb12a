"""In which numbers a run computes."""

from __future__ import annotations

import logging

import torch

from bertwright.machine.processor import cpu_features
from bertwright.wording import said

log = logging.getLogger("bertwright")

_BF16_FEATURES = ("avx512_bf16", "amx_bf16", "bf16")  # x86 with and without tiles; ARM


PRECISION_OF_ANSWERS = "fp32"  # whoever answers or is judged: `predict`, `evaluate`, `compare`, the card of a run


def resolve_precision(wished: str, device: torch.device) -> str:
    """`fp32` or `bf16`; `auto` is bf16 where the device has instructions for it, and fp32 elsewhere.

    A wish for bf16 that the processor cannot compute fast is followed, and said.
    """
    if device.type == "cpu":
        able = bool(cpu_features().intersection(_BF16_FEATURES))
    else:
        able = device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0)
    if wished == "bf16" and device.type == "cpu" and not able:
        log.warning(
            said(
                "this processor has no instructions for bf16: a step may take a hundred times as long as in fp32 "
                "(precision=auto would choose fp32)"
            )
        )
    if wished != "auto":
        return wished
    return "bf16" if able else "fp32"


def autocast(precision: str, device: torch.device) -> torch.autocast:
    """A context in which matrix products are computed in bf16, or one that changes nothing."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")
