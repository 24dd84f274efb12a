"""Cores: how many there are, and how many this process may use."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path

from bertwright.machine.cgroups import container_limits
from bertwright.machine.processor import sysctl, torch_capabilities


@dataclass(frozen=True, slots=True)
class Cores:
    """How many cores there are; None where this system does not tell.

    Attributes:
        physical: whole cores.
        logical: with those that share a core (hyper-threads).
        affinity: on which this process may run.
        container: how many a container may keep busy, in parts of one; None: no limit.
    """

    physical: int | None
    logical: int | None
    affinity: int | None
    container: float | None

    @property
    def allowed(self) -> int:
        """How many threads can really run at once."""
        here = self.affinity or self.logical or 1
        return min(here, math.ceil(self.container)) if self.container else here


def count_cores() -> Cores:
    """Of this machine, for this process."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    return Cores(_physical(), os.cpu_count(), affinity, container_limits().cores)


def _physical() -> int | None:
    told = torch_capabilities().get("num_physical_cores")
    if isinstance(told, int) and told > 0:
        return told
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    pairs = set()
    for block in text.split("\n\n"):
        values = {
            name.strip(): value.strip() for name, _, value in (line.partition(":") for line in block.splitlines())
        }
        if "core id" in values:
            pairs.add((values.get("physical id", "0"), values["core id"]))
    on_mac = sysctl("hw.physicalcpu")
    return len(pairs) or (int(on_mac) if on_mac.isdecimal() else None)
