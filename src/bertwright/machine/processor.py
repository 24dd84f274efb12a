"""The processor: its name and what it can compute with, by the first source that knows."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterator
from pathlib import Path

_CPUINFO = Path("/proc/cpuinfo")


def is_arm_machine() -> bool:
    """Whether this is an ARM processor (Apple's included)."""
    return platform.machine().lower().startswith(("arm", "aarch64"))


def processor_flags() -> tuple[frozenset[str], str]:
    """Features by normalised name, and who told."""
    told = torch_capabilities()
    if told:
        return _normal(name for name, value in told.items() if value is True), "torch.cpu.get_capabilities"
    info = cpuinfo()
    flags = info.get("flags") or info.get("Features") or ""
    if flags:
        return _normal(flags.split()), str(_CPUINFO)
    if platform.system() == "Darwin":
        lines = sysctl("hw.optional").splitlines()
        on = (line.split(":")[0].rsplit(".", 1)[-1] for line in lines if line.rstrip().endswith(": 1"))
        return _normal([*on, *sysctl("machdep.cpu.leaf7_features").split()]), "sysctl"
    import torch

    level = torch.backends.cpu.get_cpu_capability()
    by_level = {"AVX512": ("avx2", "avx512f"), "AVX2": ("avx2",)}
    return frozenset(by_level.get(level, ())), "torch.backends.cpu"


def torch_capabilities() -> dict[str, object]:
    """What `torch.cpu.get_capabilities` says; nothing before torch 2.12, or without torch."""
    try:
        import torch

        ask = getattr(torch.cpu, "get_capabilities", None)
        return dict(ask()) if ask is not None else {}
    except Exception:  # no torch, or a build for which it does not work: there are other sources
        return {}


def cpuinfo() -> dict[str, str]:
    """The first processor of `/proc/cpuinfo`; empty where there is no such file."""
    try:
        first = _CPUINFO.read_text(encoding="utf-8", errors="replace").partition("\n\n")[0]
    except OSError:
        return {}
    pairs = (line.partition(":") for line in first.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}


def sysctl(name: str) -> str:
    """What macOS says of `name`; empty elsewhere."""
    if platform.system() != "Darwin":
        return ""
    flag = [] if name == "hw.optional" else ["-n"]
    try:
        done = subprocess.run(["/usr/sbin/sysctl", *flag, name], capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()


def processor_name() -> str:
    told = torch_capabilities().get("cpu_name")
    info = cpuinfo()
    return (
        info.get("model name")
        or sysctl("machdep.cpu.brand_string")
        or (told if isinstance(told, str) else "")
        or info.get("Model", "")
        or os.environ.get("PROCESSOR_IDENTIFIER", "")
    )


def _normal(names: Iterator[str] | list[str]) -> frozenset[str]:
    return frozenset(name.lower().removeprefix("feat_").replace("_", "").replace(".", "") for name in names)
