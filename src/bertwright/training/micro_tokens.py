"""How many tokens are computed at once: the step stays the same, its parts are chosen to fit memory."""

from __future__ import annotations

import os
from pathlib import Path

import torch

from bertwright.machine.cgroups import container_limits
from bertwright.model.config import BertConfig

_MOST = 16384
_LEAST = 512
_SHARE = 0.5  # of what is free now: the rest is left to gradients, the optimizer and everybody else


def choose_micro_tokens(config: BertConfig, device: torch.device, *, max_length: int, checkpointing: bool) -> int:
    """Tokens that a forward and a backward pass can hold in memory at once, between 512 and 16,384."""
    free = free_memory(device)
    if free is None:
        return 4096
    return int(min(max(_SHARE * free / config.kept_per_token(max_length, checkpointing), _LEAST, max_length), _MOST))


def free_memory(device: torch.device) -> int | None:
    """Bytes that can be taken on `device` now; None where it cannot be found out."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    if device.type == "cpu":
        return _free_host_memory()
    return None


def _free_host_memory() -> int | None:
    """What the machine has free, or what the container may still take where that is less."""
    free = None
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                free = int(line.split()[1]) * 1024
    except OSError:
        names = getattr(os, "sysconf_names", {})
        if "SC_PHYS_PAGES" in names:
            free = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    left = container_limits().memory_left
    known = [size for size in (free, left) if size is not None]
    return min(known, default=None)
