"""Memory: of the machine, free now, and allowed by a container."""

from __future__ import annotations

import os
from collections.abc import Iterator

from bertwright.doctor.probe import Finding, Mark, size
from bertwright.machine.cgroups import container_limits

SECTION = "memory"
_LITTLE = 4 << 30  # fine-tuning a base model: weights, gradients and two moments in fp32 are 1.8 GB, then activations


def total() -> Iterator[Finding]:
    """What the machine has."""
    there = _total()
    if there is None:
        yield Finding(SECTION, "total", "this system does not tell", Mark.NOTE)
    else:
        yield Finding(SECTION, "total", size(there))


def container() -> Iterator[Finding]:
    """What a container allows."""
    limits = container_limits()
    if limits.memory is None:
        yield Finding(SECTION, "container limit", "none")
    else:
        yield Finding(SECTION, "container limit", f"{size(limits.memory)}, {size(limits.memory_left or 0)} of it free")


def available() -> Iterator[Finding]:
    """What can be taken now: the least of what the machine and the container leave."""
    import torch

    from bertwright.training.micro_tokens import free_memory

    left = container_limits().memory_left
    amounts = [amount for amount in (free_memory(torch.device("cpu")), left, _windows("ullAvailPhys")) if amount]
    if not amounts:
        yield Finding(SECTION, "available", "this system does not tell", Mark.NOTE)
        return
    free = min(amounts)
    if free < _LITTLE:
        hint = "a base model may not fit: gradient_checkpointing=true micro_tokens=512, or a smaller model"
        yield Finding(SECTION, "available", size(free), Mark.NOTE, hint)
    else:
        yield Finding(SECTION, "available", size(free))


def _total() -> int | None:
    names = getattr(os, "sysconf_names", {})
    if "SC_PHYS_PAGES" in names and "SC_PAGE_SIZE" in names:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return _windows("ullTotalPhys")


def _windows(field: str) -> int | None:
    """A number of `GlobalMemoryStatusEx`; None on other systems."""
    if os.name != "nt":
        return None
    import ctypes

    class Status(ctypes.Structure):
        _fields_ = (
            ("dwLength", ctypes.c_ulong),
            ("dwMemoryLoad", ctypes.c_ulong),
            ("ullTotalPhys", ctypes.c_ulonglong),
            ("ullAvailPhys", ctypes.c_ulonglong),
            ("ullTotalPageFile", ctypes.c_ulonglong),
            ("ullAvailPageFile", ctypes.c_ulonglong),
            ("ullTotalVirtual", ctypes.c_ulonglong),
            ("ullAvailVirtual", ctypes.c_ulonglong),
            ("ullAvailExtendedVirtual", ctypes.c_ulonglong),
        )

    status = Status(dwLength=ctypes.sizeof(Status))
    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009  (type checkers on other systems do not know it)
    return int(getattr(status, field)) if kernel.GlobalMemoryStatusEx(ctypes.byref(status)) else None
