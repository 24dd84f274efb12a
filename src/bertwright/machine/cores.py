"""Cores: how many this process may use."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass

from bertwright.machine.cgroups import container_limits


@dataclass(frozen=True, slots=True)
class Cores:
    """How many cores there are; None where this system does not tell.

    Attributes:
        logical: with those that share a core (hyper-threads).
        affinity: on which this process may run.
        container: how many a container may keep busy, in parts of one; None: no limit.
    """

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
    return Cores(os.cpu_count(), affinity, container_limits().cores)
