"""Memory that can be taken now."""

from __future__ import annotations

import os
from pathlib import Path

import torch

from bertwright.machine.cgroups import container_limits


def free_memory(device: torch.device) -> int | None:
    """Bytes that can be taken on `device` now; None where it cannot be found out.

    For a CPU: what the machine has free, or what the container may still take where that is less.
    """
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    if device.type != "cpu":
        return None
    known = (_free_on_host(), container_limits().memory_left)
    return min((size for size in known if size is not None), default=None)


def _free_on_host() -> int | None:
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except OSError:
        names = getattr(os, "sysconf_names", {})
        if "SC_PHYS_PAGES" in names:
            return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    return None
