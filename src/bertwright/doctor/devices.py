"""Accelerators, the numbers that `precision=auto` computes in on each device, and how fast it multiplies."""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Iterator

from bertwright.doctor.probe import Finding, Mark, gib, noted, one_line, reason
from bertwright.wording import said


def accelerators() -> Iterator[Finding]:
    """Every GPU or NPU that torch can use; a card that it cannot use is said."""
    import torch

    with warnings.catch_warnings(record=True) as complaints:
        warnings.simplefilter("always")
        kind = _accelerator()  # the first question in this process: torch says only once what is wrong with a card
    if kind == "cuda":
        for index in range(torch.cuda.device_count()):
            card = torch.cuda.get_device_properties(index)
            free, total = torch.cuda.mem_get_info(index)
            hint = said("other programs hold most of its memory: see nvidia-smi") if free < total // 4 else ""
            yield noted(
                f"cuda:{index}",
                said("{card}, {free} of {total} free", card=card.name, free=gib(free), total=gib(total)),
                hint,
            )
    elif kind:
        yield Finding(kind, said("{n} of them", n=torch.accelerator.device_count()))
    else:
        value = said("none; the processor does the work")
        for one in complaints[:1]:
            value = said("{value}; torch says: {complaint}", value=value, complaint=one_line(str(one.message), 160))
        yield Finding("gpu", value, Mark.NOTE, _way_to_a_card())


def _way_to_a_card() -> str:
    """What to do where an NVIDIA driver is installed, and torch finds no card."""
    import torch

    if shutil.which("nvidia-smi") is None:
        return ""
    if torch.version.cuda is None:
        return said("this torch has no CUDA; install one that has: https://pytorch.org/get-started/locally")
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES", said("not set"))
    built = torch.version.cuda
    return said(
        "check nvidia-smi and CUDA_VISIBLE_DEVICES ({hidden}); this torch is built for CUDA {built}",
        hidden=hidden, built=built,
    )  # fmt: skip


def _accelerator() -> str:
    """`cuda`, `mps`, `npu`, …: the kind of accelerator that torch can use here, or an empty string."""
    import torch

    found = torch.accelerator.current_accelerator(check_available=True)
    return found.type if found is not None else ""


def usable_devices() -> list[str]:
    """The processor, and the first accelerator where there is one."""
    kind = _accelerator()
    return ["cpu", *([kind if kind == "mps" else f"{kind}:0"] if kind else [])]


def precision() -> Iterator[Finding]:
    """What `precision=auto` means on each device, and why."""
    import torch

    from bertwright.machine.precision import resolve_precision

    for name in usable_devices():
        device = torch.device(name)
        chosen = resolve_precision("auto", device)
        if device.type == "cuda":
            major, minor = torch.cuda.get_device_capability(device)
            why = said("compute capability {major}.{minor}, bf16 needs 8.0", major=major, minor=minor)
        elif device.type == "cpu":
            able, unable = "the processor multiplies in bf16", "the processor has no instructions for bf16"
            why = said(able if chosen == "bf16" else unable)
        else:
            why = said("bf16 is only used on request (precision=bf16)")
        title = said("precision on {device}", device=name)
        yield Finding(title, said("auto is {chosen}: {why}", chosen=chosen, why=why))


def matrix_products() -> Iterator[Finding]:
    """Billions of operations a second in fp32 and in bf16, on each device."""
    import torch

    from bertwright.machine.matrix_rate import matrix_rate

    for name in usable_devices():
        for label, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
            what = said("{label} on {device}", label=label, device=name)
            try:
                rate, width = matrix_rate(torch.device(name), dtype)
            except Exception as error:  # a device without these numbers
                yield Finding(what, said("does not work: {reason}", reason=reason(error)), Mark.NOTE)
                continue
            yield Finding(what, said("{rate:,.0f} GFLOP/s ({n} x {n} matrices)", rate=rate, n=width))
