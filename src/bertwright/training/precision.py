"""In which numbers a run computes."""

from __future__ import annotations

import torch


def resolve_precision(wished: str, device: torch.device) -> str:
    """`fp32` or `bf16`; `auto` is bf16 where the device has instructions for it, and fp32 elsewhere."""
    if wished != "auto":
        return wished
    if device.type == "cuda":
        return "bf16" if torch.cuda.get_device_capability(device) >= (8, 0) else "fp32"
    if device.type == "cpu":
        features: dict[str, bool] = getattr(torch.cpu, "get_capabilities", dict)()  # not there before torch 2.12
        return "bf16" if any(features.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16")) else "fp32"
    return "fp32"


def autocast(precision: str, device: torch.device) -> torch.autocast:
    """A context in which matrix products are computed in bf16, or one that changes nothing."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")
