"""What the processor is and how fast it multiplies."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest
import torch

from bertwright.machine import matrix_rate, processor


def test_the_system_is_asked_where_torch_does_not_tell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    info = tmp_path / "cpuinfo"
    info.write_text("processor : 0\nmodel name : Some CPU\nflags : fpu avx2 avx512_bf16\n\nprocessor : 1\nflags : x\n")
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)  # before torch 2.12
    monkeypatch.setattr(processor, "_CPUINFO", info)
    assert processor.cpu_features() == {"fpu", "avx2", "avx512_bf16"}
    assert processor.processor_name() == "Some CPU"
    monkeypatch.setattr(processor, "_CPUINFO", tmp_path / "none")
    monkeypatch.setenv("PROCESSOR_IDENTIFIER", "Intel64 Family 6")
    monkeypatch.setattr(platform, "system", lambda: "Windows")
    assert (processor.cpu_features(), processor.physical_cores()) == (set(), None)
    assert processor.processor_name() == "Intel64 Family 6"
    said = {"hw.physicalcpu": "8", "machdep.cpu.brand_string": "Apple M1"}
    monkeypatch.setattr(processor, "_sysctl", said.__getitem__)
    assert (processor.physical_cores(), processor.processor_name()) == (8, "Apple M1")


def test_a_rate_is_the_best_of_many_and_ends_on_a_slow_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    def times(device: object, dtype: object, width: int) -> object:
        yield 0.05  # disturbed
        while True:
            yield width**3 * 2 / 1e9 / 100

    monkeypatch.setattr(matrix_rate, "product_times", times)
    rate, _ = matrix_rate.matrix_rate(torch.device("cpu"), torch.float32)
    assert rate == pytest.approx(100)
    monkeypatch.setattr(matrix_rate, "product_times", lambda *_: iter([9.0] * 9))
    assert matrix_rate.matrix_rate(torch.device("cpu"), torch.float32)[1] == 256
