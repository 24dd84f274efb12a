"""Cores and threads: how many there are, how many this process may use, and how many torch takes."""

from __future__ import annotations

import os
from collections.abc import Iterator

from bertwright.doctor.probe import Finding, Mark
from bertwright.machine.cores import count_cores

SECTION = "processor"
_COUNTS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
_OTHERS = {
    "OMP_WAIT_POLICY": "",
    "OMP_PROC_BIND": "",
    "OMP_DYNAMIC": "",
    "GOMP_CPU_AFFINITY": "pins threads to cores by hand; check it if all threads share one core",
    "KMP_AFFINITY": "pins threads to cores by hand; check it if all threads share one core",
    "KMP_BLOCKTIME": "",
    "MKL_DYNAMIC": "",
    "MKL_DEBUG_CPU_TYPE": "has had no effect since MKL 2020.1",
    "MKL_ENABLE_INSTRUCTIONS": "limits the instructions that MKL may use",
    "ATEN_CPU_CAPABILITY": "limits the instructions that torch may use",
    "ONEDNN_MAX_CPU_ISA": "limits the instructions that oneDNN may use",
    "DNNL_MAX_CPU_ISA": "limits the instructions that oneDNN may use",
}


def cores() -> Iterator[Finding]:
    """How many there are and may be used."""
    count = count_cores()
    share = "no limit" if count.container is None else f"{count.container:g}"
    parts = {"physical": count.physical, "logical": count.logical, "by affinity": count.affinity}
    counted = ", ".join(f"{name} {value if value is not None else 'not told'}" for name, value in parts.items())
    yield Finding(SECTION, "cores", f"{counted}, by the container {share}; {count.allowed} allowed")


def threads() -> Iterator[Finding]:
    """How many threads torch takes, against the cores that it may use."""
    import torch

    count, between, allowed = torch.get_num_threads(), torch.get_num_interop_threads(), count_cores().allowed
    value = f"{count} within an operation, {between} between operations"
    if count > allowed:
        value += f": more than the {allowed} cores allowed here"
        yield Finding(SECTION, "torch threads", value, Mark.NOTE, _set_threads(allowed))
    elif count == 1 < allowed:
        value += f", with {allowed} cores allowed"
        yield Finding(SECTION, "torch threads", value, Mark.NOTE, _set_threads(allowed))
    else:
        yield Finding(SECTION, "torch threads", value)


def thread_variables() -> Iterator[Finding]:
    """The variables that change how OpenMP, MKL and oneDNN work, where they are set."""
    allowed = count_cores().allowed
    quiet = True
    for name in (*_COUNTS, *_OTHERS):
        value = os.environ.get(name)
        if value is None:
            continue
        quiet = False
        hint = _odd_count(value, allowed) if name in _COUNTS else _OTHERS[name]
        if name == "OMP_WAIT_POLICY" and value.upper() == "ACTIVE":
            hint = "waiting threads keep their cores busy; unset it where other programs share the machine"
        yield Finding(SECTION, name, value, Mark.NOTE if hint else Mark.OK, hint)
    if quiet:
        yield Finding(SECTION, "thread variables", "none set")


def _odd_count(value: str, allowed: int) -> str:
    """What is odd about a number of threads; empty where nothing is."""
    first = value.split(",")[0].strip()
    if not first.isdecimal() or int(first) < 1:
        return f"not a number of threads; unset it, or set it to {allowed}"
    if int(first) > allowed:
        return f"more than the {allowed} cores allowed here; unset it, or set it to {allowed}"
    if int(first) == 1 < allowed:
        return f"one thread only; unset it, or set it to {allowed}"
    return ""


def _set_threads(allowed: int) -> str:
    setting = f"set OMP_NUM_THREADS={allowed}" if os.name == "nt" else f"export OMP_NUM_THREADS={allowed}"
    return f"{setting} (threads that wait for a core slow all others down)"
