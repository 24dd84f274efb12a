"""The probes of `bertwright doctor` on machines that are only described."""

from __future__ import annotations

import io
import json
import os
import socket
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from bertwright.cli import doctoring
from bertwright.doctor import devices, environment, processor_features, speed, storage, threads
from bertwright.doctor import memory_report as memory
from bertwright.doctor.offline import NetworkWatch
from bertwright.doctor.probe import Mark, size
from bertwright.machine import cores, matrix_rate, processor
from bertwright.machine.cgroups import Limits, container_limits


def write(folder: Path, **files: str) -> None:
    """`cpu_max="max 100000"` is the file `cpu.max`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("_", ".", 1)).write_text(text, encoding="utf-8")


def group(root: Path, text: str) -> None:
    """What `/proc/self/cgroup` says."""
    (root / "proc" / "self").mkdir(parents=True)
    (root / "proc" / "self" / "cgroup").write_text(text, encoding="utf-8")


# Processor, threads, memory


@pytest.mark.parametrize(
    ("value", "mark"), [("4", Mark.OK), ("4,2", Mark.OK), ("0", Mark.NOTE), ("many", Mark.NOTE), ("1", Mark.NOTE)]
)
def test_odd_numbers_of_threads(monkeypatch: pytest.MonkeyPatch, value: str, mark: Mark) -> None:
    monkeypatch.setattr(threads, "count_cores", lambda: cores.Cores(4, 8, None, None))
    monkeypatch.setenv("MKL_NUM_THREADS", value)
    assert {one.name: one.mark for one in threads.thread_variables()}["MKL_NUM_THREADS"] is mark


@pytest.mark.parametrize(
    ("count", "allowed"),
    [((4, 8, 2, None), 2), ((4, 8, None, 0.5), 1), ((None, None, None, None), 1), ((2, 4, 4, 9.0), 4)],
)
def test_allowed_cores(count: tuple[int | None, int | None, int | None, float | None], allowed: int) -> None:
    assert cores.Cores(*count).allowed == allowed


def test_features_without_torch_2_12_and_without_proc(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    monkeypatch.setattr(processor.platform, "machine", lambda: "x86_64")
    info = tmp_path / "cpuinfo"
    info.write_text("processor : 0\nmodel name : Some CPU\nflags : fpu avx2 avx512f avx512_bf16\n\nprocessor : 1\n")
    monkeypatch.setattr(processor, "_CPUINFO", info)
    found = next(iter(processor_features.features()))
    assert found.value.startswith("AVX2, AVX-512, bf16; not: VNNI, AMX")
    assert next(iter(processor_features.processor())).value == "Some CPU"
    monkeypatch.setattr(processor, "_CPUINFO", tmp_path / "none")
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "DEFAULT")
    monkeypatch.setattr(processor.platform, "system", lambda: "Windows")
    monkeypatch.setenv("PROCESSOR_IDENTIFIER", "Intel64 Family 6")
    assert next(iter(processor_features.features())).mark is Mark.NOTE
    assert next(iter(processor_features.processor())).value == "Intel64 Family 6"


def test_a_processor_of_arm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processor.platform, "machine", lambda: "arm64")
    monkeypatch.setattr(processor.platform, "system", lambda: "Darwin")
    monkeypatch.setattr(processor, "torch_capabilities", dict)
    monkeypatch.setattr(processor, "cpuinfo", dict)
    said = {
        "hw.optional": "hw.optional.arm.FEAT_DotProd: 1\nhw.optional.arm.FEAT_BF16: 1\nhw.optional.neon: 1\n"
        "hw.optional.arm.FEAT_I8MM: 0\n",
    }
    monkeypatch.setattr(processor, "sysctl", lambda name: said.get(name, ""))
    assert next(iter(processor_features.features())).value == "NEON, dot product, bf16; not: i8mm, SVE (by sysctl)"


def test_little_memory_is_flagged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "container_limits", lambda: Limits(None, 2 << 30, 1 << 30))
    available = next(iter(memory.available()))
    assert (available.value, available.mark) == ("1.0 GiB", Mark.NOTE)
    assert next(iter(memory.container())).value == "2.0 GiB, 1.0 GiB of it free"
    assert [size(count) for count in (512, 2048, 3 << 20, 5 << 40)] == ["512 B", "2 KiB", "3 MiB", "5120.0 GiB"]


# Containers


def test_groups_of_version_2_take_the_tightest_level(tmp_path: Path) -> None:
    group(tmp_path, "0::/user.slice/job\n")
    top = tmp_path / "sys" / "fs" / "cgroup"
    write(top / "user.slice" / "job", cpu_max="max 100000", memory_max="max")
    write(
        top / "user.slice",
        cpu_max="150000 100000",
        memory_max=str(8 << 30),
        memory_current=str(3 << 30),
        memory_stat=f"anon 5\ninactive_file {1 << 30}\n",
    )
    assert container_limits(tmp_path) == Limits(1.5, 8 << 30, 6 << 30)


def test_groups_of_version_1(tmp_path: Path) -> None:
    group(tmp_path, "5:cpu,cpuacct:/docker/abc\n4:memory:/docker/abc\n1:name=systemd:/\n0::/\n")
    top = tmp_path / "sys" / "fs" / "cgroup"
    write(top / "cpu,cpuacct", cpu_cfs_quota_us="200000", cpu_cfs_period_us="100000")
    write(top / "memory" / "docker" / "abc", memory_limit_in_bytes=str(4 << 30), memory_usage_in_bytes=str(5 << 30))
    write(top / "memory", memory_limit_in_bytes=str((1 << 63) - 4096), memory_usage_in_bytes="1")
    assert container_limits(tmp_path) == Limits(2.0, 4 << 30, 0)


def test_no_limits(tmp_path: Path) -> None:
    assert container_limits(tmp_path) == Limits()
    group(tmp_path, "nonsense\n3:cpu:/../..\n0::/a\n")
    write(tmp_path / "sys" / "fs" / "cgroup" / "cpu", cpu_cfs_quota_us="-1", cpu_cfs_period_us="100000")
    write(tmp_path / "sys" / "fs" / "cgroup" / "a", cpu_max="", memory_max="lots")
    assert container_limits(tmp_path) == Limits()


# Devices


def test_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    card = SimpleNamespace(name="NVIDIA T4", major=7, minor=5)
    monkeypatch.setattr(devices, "accelerator_kind", lambda: "cuda")
    monkeypatch.setattr(devices, "_driver", lambda: "560.35.03")
    monkeypatch.setattr(torch.version, "cuda", "12.8")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: card)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: (7, 5))
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (1 << 30, 16 << 30))
    gpu, driver = devices.accelerators()
    assert gpu.value == "NVIDIA T4, 1.0 GiB of 16.0 GiB free, compute capability 7.5, no bf16"
    assert gpu.mark is Mark.NOTE
    assert driver.value == "560.35.03; torch is built for CUDA 12.8"
    assert devices.usable_devices() == ["cpu", "cuda:0"]
    assert list(devices.precision())[1].value == "auto is fp32: compute capability 7.5, bf16 needs 8.0"


def test_a_driver_without_a_torch_that_uses_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "accelerator_kind", lambda: "")
    monkeypatch.setattr(devices, "_driver", lambda: "560.35.03")
    monkeypatch.setattr(torch.version, "cuda", None)
    (finding,) = devices.accelerators()
    assert finding.mark is Mark.NOTE
    assert "pytorch.org" in finding.hint


def test_precision_where_torch_does_not_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    monkeypatch.setattr("bertwright.machine.precision.cpu_features", set)  # nor does the operating system
    monkeypatch.setattr(devices, "accelerator_kind", lambda: "")
    monkeypatch.setattr(devices, "processor_flags", lambda: (frozenset({"avx512bf16"}), "/proc/cpuinfo"))
    (finding,) = devices.precision()
    assert finding.value.startswith("auto is fp32: torch ")
    assert "precision=bf16" in finding.hint
    monkeypatch.setattr(devices, "processor_flags", lambda: (frozenset({"avx2"}), "/proc/cpuinfo"))
    (finding,) = devices.precision()
    assert finding.value == "auto is fp32: the processor has no instructions for bf16"


def test_a_rate_is_the_best_of_many_and_ends_on_a_slow_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    def times(device: object, dtype: object, width: int) -> object:
        yield 0.05  # disturbed
        while True:
            yield width**3 * 2 / 1e9 / 100

    monkeypatch.setattr(matrix_rate, "_product_times", times)
    rate, _ = matrix_rate.matrix_rate(torch.device("cpu"), torch.float32)
    assert rate == pytest.approx(100)
    monkeypatch.setattr(matrix_rate, "_product_times", lambda *_: iter([9.0] * 9))
    assert matrix_rate.matrix_rate(torch.device("cpu"), torch.float32)[1] == 256


def test_a_busy_machine_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "count_cores", lambda: cores.Cores(4, 4, 4, None))
    for busy, mark in ((0.3, Mark.OK), (3.5, Mark.NOTE)):
        monkeypatch.setattr(os, "getloadavg", lambda busy=busy: (busy, 0.0, 0.0), raising=False)
        assert next(iter(speed.load())).mark is mark


# Disk and models


def test_the_models_of_the_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def entry(name: str, kind: str, *files: str) -> None:
        snapshot = cache / f"models--{name}" / "snapshots" / "0123"
        snapshot.mkdir(parents=True)
        (snapshot / "config.json").write_text(json.dumps({"model_type": kind}), encoding="utf-8")
        for file in files:
            (snapshot / file).write_bytes(b"x" * 2048)

    cache = tmp_path / "hub"
    monkeypatch.setenv("HF_HUB_CACHE", str(cache))
    (finding,) = storage.models()
    assert finding.value == f"no BERT in {cache}"
    entry("bert-base-uncased", "bert", "model.safetensors")
    entry("hfl--chinese-macbert-base", "bert", "vocab.txt")
    entry("FacebookAI--roberta-base", "roberta", "model.safetensors")
    broken = cache / "models--broken" / "snapshots" / "1"
    broken.mkdir(parents=True)
    (broken / "config.json").write_bytes(b"\xff\xff{")
    whole, part = storage.models()
    assert (whole.name, whole.value, whole.mark) == ("bert-base-uncased", "2 KiB", Mark.OK)
    assert (part.name, part.mark) == ("hfl/chinese-macbert-base", Mark.NOTE)
    assert "not whole" in part.value
    (tmp_path / "here" / "bert-base-uncased").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here")
    assert "hidden by the folder" in next(iter(storage.models())).value


def test_a_full_disk_and_a_folder_that_is_not_made_yet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(storage.shutil, "disk_usage", lambda _: SimpleNamespace(free=1 << 20))
    (finding,) = storage.runs()
    assert finding.value == f"1 MiB free for {tmp_path / 'runs'} (not made yet)"
    assert (finding.mark, finding.hint) == (Mark.NOTE, "give another place: --out DIR")
    assert not (tmp_path / "runs").exists()
    monkeypatch.setattr(storage.os, "access", lambda *_: False)
    assert "cannot be written" in next(iter(storage.runs())).value


# Environment and network


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("http://me:s3cret@proxy:8080", "http://***@proxy:8080"),
        ("me:s3cret@proxy:8080", "***@proxy:8080"),
        ("socks5h://me:s3cret@/a@b@proxy", "socks5h://***@proxy"),
        ("http://proxy:8080", "http://proxy:8080"),
    ],
)
def test_a_password_in_an_address_is_hidden(address: str, shown: str) -> None:
    assert environment.without_password(address) == shown


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HF_HUB_OFFLINE", "1"),
        ("HF_ENDPOINT", "hf-mirror.com"),
        ("BERTWRIGHT_LANG", "fr"),
        ("CUDA_VISIBLE_DEVICES", ""),
    ],
)
def test_values_that_matter_are_explained(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    found = {one.name: one for one in environment.variables()}[name]
    assert found.mark is Mark.NOTE
    assert found.hint


def test_a_terminal_without_chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    (finding,) = environment.chinese_output()
    assert finding.mark is Mark.NOTE
    assert "PYTHONIOENCODING" in finding.hint
    doctoring._say("ok 文件夹")
    assert raw.getvalue().split(os.linesep.encode())[0] == rb"ok \u6587\u4ef6\u5939"


def test_the_network_watch_hears_connections_and_lookups() -> None:
    watch = NetworkWatch()
    if hasattr(socket, "AF_UNIX"):
        with socket.socket(socket.AF_UNIX) as one, pytest.raises(OSError):
            one.connect("/no/such/socket")
    assert watch.finding().mark is Mark.OK
    socket.getaddrinfo("127.0.0.1", 80)
    with socket.socket() as one, pytest.raises(OSError):
        one.connect(("127.0.0.1", 1))
    assert [text.split()[0] for text in watch.attempts] == ["socket.getaddrinfo", "socket.connect"]
    assert watch.finding().mark is Mark.MISSING
    watch.stop()
    socket.getaddrinfo("127.0.0.1", 80)
    assert len(watch.attempts) == 2
