"""The processor: its name, its cores and what it can compute with, by the first source that knows."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path

_CPUINFO = Path("/proc/cpuinfo")


def cpu_features() -> set[str]:
    """Names of the instruction sets of this processor, as torch says, or before torch 2.12 the operating system."""
    if told := _torch_capabilities():
        return {name for name, value in told.items() if value is True}
    info = _cpuinfo()
    return set((info.get("flags") or info.get("Features") or "").split())


def physical_cores() -> int | None:
    """Cores without those that share one (hyper-threads); None where nothing tells."""
    told = _torch_capabilities().get("num_physical_cores") or _sysctl("hw.physicalcpu")
    return int(str(told)) if told else None


def processor_name() -> str:
    """Such as `AMD EPYC 9654`; empty where nothing tells."""
    info = _cpuinfo()
    return (
        info.get("model name")
        or _sysctl("machdep.cpu.brand_string")
        or str(_torch_capabilities().get("cpu_name", ""))
        or os.environ.get("PROCESSOR_IDENTIFIER", "")
    )


def _torch_capabilities() -> dict[str, object]:
    """What `torch.cpu.get_capabilities` says; nothing before torch 2.12, or without torch."""
    try:
        import torch

        return dict(torch.cpu.get_capabilities())
    except Exception:  # no torch, an older one, or a build for which it does not work: there are other sources
        return {}


def _cpuinfo() -> dict[str, str]:
    """The first processor of `/proc/cpuinfo`; empty where there is no such file."""
    try:
        first = _CPUINFO.read_text(encoding="utf-8", errors="replace").partition("\n\n")[0]
    except OSError:
        return {}
    pairs = (line.partition(":") for line in first.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}


def _sysctl(name: str) -> str:
    """What macOS says of `name`; empty elsewhere."""
    if platform.system() != "Darwin":
        return ""
    try:
        done = subprocess.run(["/usr/sbin/sysctl", "-n", name], capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()
