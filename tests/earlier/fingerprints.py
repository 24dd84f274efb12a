"""What equal numbers depend on, the kind of machine, and what weights are recognised by; for the script and the test.

Nothing of the package is imported here.
"""

from __future__ import annotations

import hashlib
import platform
from pathlib import Path

import torch
from safetensors.torch import load_file

_OF_THE_CPU = ("vendor_id", "cpu family", "model", "flags", "CPU implementer", "CPU part", "Features")


def machine_kind() -> dict[str, str]:
    """Where this is equal, the same computation gives the same numbers to the last bit."""
    file = Path("/proc/cpuinfo")
    first = file.read_text(encoding="utf-8").partition("\n\n")[0] if file.is_file() else platform.processor()
    lines = [line for line in first.splitlines() if line.partition(":")[0].strip() in _OF_THE_CPU]
    return {
        "torch": torch.__version__,
        "machine": platform.machine(),
        "capability": torch.backends.cpu.get_cpu_capability(),
        "cpu": hashlib.sha256("\n".join(sorted(lines) or [first]).encode()).hexdigest(),
    }


def weights_digest(file: Path) -> str:
    """The SHA-256 of all tensors of a safetensors file, with their names, types and shapes, whatever their order."""
    digest = hashlib.sha256()
    for name, tensor in sorted(load_file(file).items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()
