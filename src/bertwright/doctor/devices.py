"""Accelerators, and the numbers that `precision=auto` computes in on each device."""

from __future__ import annotations

import re
import shutil
import subprocess
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from bertwright.doctor.probe import Finding, Mark, one_line, size
from bertwright.machine.processor import processor_flags, torch_capabilities

if TYPE_CHECKING:
    import torch

SECTION = "devices"
_BF16 = {"avx512bf16": "AVX512-BF16", "amxbf16": "AMX-BF16", "bf16": "bf16", "armbf16": "bf16"}


def accelerators() -> Iterator[Finding]:
    """Every GPU or NPU that torch can use; a card that it cannot use is said."""
    import torch

    kind = accelerator_kind()
    complaint = _cuda_complaint()
    if kind == "cuda":
        for index in range(torch.cuda.device_count()):
            yield _cuda(index)
        yield Finding(SECTION, "driver", f"{_driver() or 'not told'}; torch is built for {_built_for()}")
    elif kind == "mps":
        yield Finding(SECTION, "mps", "Apple GPU by Metal; memory is shared with the processor")
    elif kind:
        yield Finding(SECTION, kind, f"{torch.accelerator.device_count()} of them")
    elif _driver():
        value = f"an NVIDIA driver ({_driver()}) is here, but this torch cannot use it"
        hint = "install a torch that is built for CUDA: https://pytorch.org/get-started/locally"
        if torch.version.cuda:
            value += f": {complaint or 'no card was found'}"
            hint = f"check nvidia-smi and CUDA_VISIBLE_DEVICES; this torch is built for CUDA {torch.version.cuda}"
        yield Finding(SECTION, "gpu", value, Mark.NOTE, hint)
    else:
        yield Finding(SECTION, "gpu", f"none; the processor does the work{complaint and ': '}{complaint}", Mark.NOTE)


def accelerator_kind() -> str:
    """`cuda`, `mps`, `npu`, …: the kind of accelerator that torch can use here, or an empty string."""
    import torch

    if torch.cuda.is_available():
        return "cuda"
    if torch.backends.mps.is_available():
        return "mps"
    current = getattr(getattr(torch, "accelerator", None), "current_accelerator", None)
    found = current() if current is not None and torch.accelerator.is_available() else None
    return found.type if found is not None else ""


def usable_devices() -> list[str]:
    """The processor, and the first accelerator where there is one."""
    kind = accelerator_kind()
    return ["cpu", *([kind if kind == "mps" else f"{kind}:0"] if kind else [])]


def precision() -> Iterator[Finding]:
    """What `precision=auto` means on each device, and why."""
    import torch

    from bertwright.machine.precision import resolve_precision

    for name in usable_devices():
        device = torch.device(name)
        chosen = resolve_precision("auto", device)
        why, hint = _why(device, chosen)
        mark = Mark.NOTE if hint else Mark.OK
        yield Finding(SECTION, f"precision on {name}", f"auto is {chosen}: {why}", mark, hint)


def _why(device: torch.device, chosen: str) -> tuple[str, str]:
    """The reason for a precision, and what to do where it is not the best one."""
    import torch

    if device.type == "cuda":
        major, minor = torch.cuda.get_device_capability(device)
        return f"compute capability {major}.{minor}, bf16 needs 8.0", ""
    if device.type != "cpu":
        return f"bf16 on {device.type} is only used on request (precision=bf16)", ""
    flags = sorted({_BF16[flag] for flag in processor_flags()[0] & _BF16.keys()})
    if chosen == "bf16":
        return f"the processor multiplies in bf16 ({', '.join(flags)})", ""
    if not flags:
        return "the processor has no instructions for bf16", ""
    if not torch_capabilities():
        return f"torch {torch.__version__} does not tell what the processor can", (
            f"it has bf16 ({', '.join(flags)}): set precision=bf16, or install torch 2.12 or newer"
        )
    return f"the processor has {', '.join(flags)}, which is not used by itself", "try precision=bf16"


def _cuda(index: int) -> Finding:
    import torch

    card = torch.cuda.get_device_properties(index)
    free, total = torch.cuda.mem_get_info(index)
    bf16 = "bf16" if (card.major, card.minor) >= (8, 0) else "no bf16"
    value = f"{card.name}, {size(free)} of {size(total)} free, compute capability {card.major}.{card.minor}, {bf16}"
    little = free < total // 4
    hint = "other programs hold most of its memory: see nvidia-smi" if little else ""
    return Finding(SECTION, f"cuda:{index}", value, Mark.NOTE if little else Mark.OK, hint)


def _cuda_complaint() -> str:
    """What torch says about a card that it cannot use (it warns, and answers that there is none)."""
    import torch

    if not torch.version.cuda:
        return ""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        torch.cuda.is_available()
    return one_line(str(said[0].message), 160) if said else ""


def _built_for() -> str:
    import torch

    return f"ROCm {torch.version.hip}" if torch.version.hip else f"CUDA {torch.version.cuda}"


def _driver() -> str:
    """The version of the NVIDIA driver, or an empty string."""
    file = Path("/proc/driver/nvidia/version")
    try:
        found = re.search(r"\s(\d{3,}\.[\d.]+)\s", file.read_text(encoding="utf-8", errors="replace"))
        if found:
            return found[1]
    except OSError:
        pass
    program = shutil.which("nvidia-smi")
    if program is None:
        return ""
    asked = [program, "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(asked, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.split("\n")[0].strip() if done.returncode == 0 else ""
