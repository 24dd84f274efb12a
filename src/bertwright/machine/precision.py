"""In which numbers a run computes."""

from __future__ import annotations

import logging
from pathlib import Path

import torch

log = logging.getLogger("bertwright")

_BF16_FEATURES = ("avx512_bf16", "amx_bf16", "bf16")  # x86 with and without tiles; ARM


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
            "this processor has no instructions for bf16: a step may take a hundred times as long as in fp32 "
            "(precision=auto would choose fp32)"
        )
    if wished != "auto":
        return wished
    return "bf16" if able else "fp32"


def cpu_features() -> set[str]:
    """Names of the instruction sets of this processor, as torch says, or before torch 2.12 the operating system."""
    if (ask := getattr(torch.cpu, "get_capabilities", None)) is not None:
        return {name for name, value in ask().items() if value is True}
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return set()
    for line in text.splitlines():
        name, _, value = line.partition(":")
        if name.strip() in ("flags", "Features"):
            return set(value.split())
    return set()


def autocast(precision: str, device: torch.device) -> torch.autocast:
    """A context in which matrix products are computed in bf16, or one that changes nothing."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")
