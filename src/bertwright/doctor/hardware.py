"""The processor, its cores, the threads that run on them, and memory."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator

from bertwright.doctor.probe import Finding, Mark, gib, noted
from bertwright.machine.cgroups import container_limits
from bertwright.machine.cores import count_cores
from bertwright.machine.processor import cpu_features, physical_cores, processor_name
from bertwright.wording import Phrase, said, worded

# What matters to a BERT, each with the names it goes by.
_FEATURES = {
    "AVX2": {"avx2"},
    "AVX-512": {"avx512_f", "avx512f"},
    "VNNI": {"avx512_vnni", "avx_vnni"},
    "AMX": {"amx_bf16", "amx_int8", "amx_tile"},
    "NEON": {"neon", "asimd"},
    "dot product": {"dot", "asimddp"},
    "i8mm": {"i8mm"},
    "SVE": {"sve"},
    "bf16": {"avx512_bf16", "amx_bf16", "bf16"},
}
_THREAD_COUNTS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
_PINNED = Phrase("pins threads to cores by hand; check it if all threads share one core")
_ODD = {
    "GOMP_CPU_AFFINITY": _PINNED,
    "KMP_AFFINITY": _PINNED,
    "ATEN_CPU_CAPABILITY": Phrase("limits what torch may use"),
}
_LITTLE = 4 << 30  # fine-tuning a base model: weights, gradients and two moments in fp32 are 1.8 GB, then activations


def processor() -> Iterator[Finding]:
    """Its name, and what it can compute with of what matters here."""
    features = cpu_features()
    there = [label for label, names in _FEATURES.items() if features & names]
    weak = features and not {"AVX2", "NEON"}.intersection(there)
    able = said(", ").join(map(worded, there)) or said("nothing that matters is told")
    value = f"{processor_name() or platform.machine()}: {able}"
    hint = said("without AVX2 everything works, at a fraction of the speed") if weak else ""
    yield noted(said("processor"), value, hint)


def threads() -> Iterator[Finding]:
    """How many cores there are and may be used, how many threads torch takes, and what was set by hand."""
    count = count_cores()
    parts = {
        "physical": physical_cores(),
        "logical": count.logical,
        "by affinity": count.affinity,
        "by the container": count.container,
    }
    told = said(", ").join(f"{worded(name)} {value:g}" for name, value in parts.items() if value is not None)
    yield Finding(said("cores"), said("{told}; {n} allowed", told=told, n=count.allowed))
    for name in (*_THREAD_COUNTS, *_ODD, "OMP_WAIT_POLICY"):
        if (value := os.environ.get(name)) is not None:
            yield noted(name, value, _hint(name, value, count.allowed))
    import torch

    yield noted(said("torch threads"), str(torch.get_num_threads()), _odd_count(torch.get_num_threads(), count.allowed))


def memory() -> Iterator[Finding]:
    """What can be taken now, and what a container allows."""
    import torch

    from bertwright.machine.memory import free_memory

    limit, free = container_limits().memory, free_memory(torch.device("cpu"))
    value = said("this system does not tell what is free") if free is None else said("{free} free", free=gib(free))
    if limit is not None:
        value = said("{value}, {limit} allowed by the container", value=value, limit=gib(limit))
    little = free is not None and free < _LITTLE
    hint = said("a base model may not fit: gradient_checkpointing=true micro_tokens=512, or a smaller model")
    yield Finding(said("memory"), value, Mark.NOTE if free is None or little else Mark.OK, hint if little else "")


def _hint(name: str, value: str, allowed: int) -> str:
    """What is odd about a variable of OpenMP, MKL or torch; empty where nothing is."""
    if name == "OMP_WAIT_POLICY" and value.upper() == "ACTIVE":
        return said("waiting threads keep their cores busy; unset it where other programs share the machine")
    if name not in _THREAD_COUNTS:
        return str(_ODD.get(name, ""))
    first = value.split(",")[0].strip()  # further ones are for threads within threads
    if not first.isdecimal() or int(first) < 1:
        return said("not a number of threads; unset it, or set it to {n}", n=allowed)
    return _odd_count(int(first), allowed)


def _odd_count(count: int, allowed: int) -> str:
    if count > allowed:
        return said(
            "more than the {n} cores allowed here, so threads wait for cores; set OMP_NUM_THREADS={n}", n=allowed
        )
    return (
        said("one thread only, with {n} cores allowed; set OMP_NUM_THREADS={n}", n=allowed)
        if count == 1 < allowed
        else ""
    )
