"""`bertwright doctor`: on this machine, and its probes on machines that are only described."""

from __future__ import annotations

import io
import itertools
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from bertwright.cli import doctoring
from bertwright.doctor import devices, examination, hardware, proof, surroundings, versions
from bertwright.doctor.offline import NetworkWatch
from bertwright.doctor.probe import Finding, Mark, ask
from bertwright.errors import BertwrightError
from bertwright.machine.cgroups import Limits
from bertwright.machine.cores import Cores
from tests.flows.conftest import Command


def by_name(*found: Finding) -> dict[str, Finding]:
    return {one.name: one for one in found}


# The command


def test_text_and_json_agree(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    without = {name: probes for name, probes in examination.SECTIONS.items() if name not in ("speed", "proof")}
    monkeypatch.setattr(examination, "SECTIONS", without)
    findings = list(examination.examine())  # once: free memory changes from one moment to the next
    monkeypatch.setattr(examination, "examine", lambda **_: iter(findings))
    text, document = command("doctor"), json.loads(command("doctor", "--json").out)
    assert (text.code, text.err, document["ready"]) == (0, "", True)
    told = []
    for section, found in itertools.groupby(document["findings"], key=lambda one: one["section"]):
        told.append(section)
        for one in found:
            told.append(f"  {one['mark']:<9}{one['name']:<29} {one['value']}")
            told += [" " * 41 + f"-> {one['hint']}"] if one["hint"] else []
        told.append("")
    assert text.out.splitlines() == [*told, "bertwright can train and predict here"]
    assert [line for line in told if line in examination.SECTIONS] == list(without)
    assert "could not be found out" not in text.out
    names = {one["name"] for one in document["findings"]}
    assert {"bertwright", "python", "torch", "tokenizers", "safetensors", "extra [plots]", "processor"} <= names
    assert {"cores", "torch threads", "memory", "precision on cpu", "runs", "model cache", "messages"} <= names


def test_the_proof_runs_and_the_network_is_not_used(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examination, "SECTIONS", {name: examination.SECTIONS[name] for name in ("speed", "proof")})
    result = command("doctor", "--offline-proof")
    assert (result.code, result.err) == (0, "")
    assert "2 steps, saved, loaded, asked: the same answers" in result.out
    assert "no connection and no name lookup in this whole run" in result.out
    assert "GFLOP/s" in result.out


def test_without_torch_the_rest_is_told_and_the_exit_code_is_1() -> None:
    code = (
        "import sys; sys.modules['torch'] = None; sys.argv = ['bertwright', 'doctor', '--json'];"
        "from bertwright.cli.main import main; main()"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (1, "")
    found = {one.pop("name"): one for one in json.loads(result.stdout)["findings"]}
    assert {name for name, one in found.items() if one["mark"] == "missing"} == {"torch", "train and predict on cpu"}
    assert "--force-reinstall" in found["torch"]["hint"]
    assert found["cores"]["mark"] == found["processor"]["mark"] == found["runs"]["mark"] == "ok"
    assert found["memory"]["value"].startswith("could not be found out: ModuleNotFoundError")


def test_what_a_probe_found_before_it_broke_is_kept() -> None:
    def probe() -> Iterator[Finding]:
        yield Finding("first", "found")
        raise OSError("on\nfire")

    assert ask(probe) == [
        Finding("first", "found"),
        Finding("probe", "could not be found out: OSError: on fire", Mark.NOTE),
    ]


# The proof


@pytest.mark.parametrize(
    ("error", "hint"),
    [
        (OSError(28, "No space left on device"), "TMPDIR"),
        (ImportError("No module named 'torch'"), "versions above"),
        (BertwrightError("BW302", folder="x", file="vocab.txt"), "list the folder"),
        (ArithmeticError("other answers"), "please report"),
    ],
)
def test_a_proof_that_fails_is_a_line_and_exit_code_1(
    command: Command, monkeypatch: pytest.MonkeyPatch, error: Exception, hint: str
) -> None:
    def broken(device: str) -> None:
        raise error

    monkeypatch.setattr(examination, "SECTIONS", {"proof": (proof.training_and_prediction,)})
    monkeypatch.setattr(proof, "prove", broken)
    result = command("doctor")
    assert result.code == 1
    assert "  missing  train and predict on cpu" in result.out
    assert hint in result.out
    assert "something is missing: train and predict on cpu" in result.out
    assert json.loads(command("doctor", "--json").out)["ready"] is False


def test_other_answers_after_loading_fail_the_proof() -> None:
    answers = [{"good": 0.7, "bad": 0.3}, {"good": 0.2, "bad": 0.8}]
    assert proof.agreement(answers, [{"good": 0.71, "bad": 0.29}, answers[1]], 0.03) == pytest.approx(0.01)
    for other in (0.5, float("nan")):
        with pytest.raises(ArithmeticError, match="answers differently"):
            proof.agreement(answers, [answers[0], {"good": 0.2, "bad": other}], 0.03)
    with pytest.raises(ValueError, match="shorter"):
        proof.agreement(answers, answers[:1], 0.03)


# Probes


def test_libraries_too_old_or_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = ["numpy>=99.1", "no-such-library>=1", "no-such-plots>=3; extra == 'plots'", "numpy>=1; extra == 'plots'"]
    monkeypatch.setattr(metadata, "requires", lambda _: asked)
    old, absent = versions.libraries()
    assert (old.mark, old.hint) == (Mark.MISSING, 'pip install --upgrade "numpy>=99.1"')
    assert old.value.endswith("does not do: >=99.1 is needed")
    assert (absent.value, absent.mark) == ("not installed", Mark.MISSING)
    plots = by_name(*versions.extras())["extra [plots]"]
    assert (plots.value, plots.mark) == ("not installed: no-such-plots", Mark.NOTE)
    assert plots.hint == 'pip install "bertwright[plots]"'


@pytest.mark.parametrize(
    ("name", "value", "odd"),
    [
        ("MKL_NUM_THREADS", "4", ""),
        ("MKL_NUM_THREADS", "4,2", ""),
        ("OMP_NUM_THREADS", "32", "more than the 4 cores"),
        ("OMP_NUM_THREADS", "0", "not a number of threads"),
        ("OMP_NUM_THREADS", "many", "not a number of threads"),
        ("OMP_NUM_THREADS", "1", "one thread only"),
        ("OMP_WAIT_POLICY", "active", "keep their cores busy"),
        ("OMP_WAIT_POLICY", "PASSIVE", ""),
        ("KMP_AFFINITY", "disabled", "pins threads"),
    ],
)
def test_odd_threads_are_flagged(monkeypatch: pytest.MonkeyPatch, name: str, value: str, odd: str) -> None:
    monkeypatch.setattr(hardware, "count_cores", lambda: Cores(64, 16, 3.5))
    monkeypatch.setattr(hardware, "physical_cores", lambda: 32)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 32)
    monkeypatch.setenv(name, value)
    found = by_name(*hardware.threads())
    assert found["cores"].value == "physical 32, logical 64, by affinity 16, by the container 3.5; 4 allowed"
    assert odd in found[name].hint
    assert found[name].mark is (Mark.NOTE if odd else Mark.OK)
    assert "set OMP_NUM_THREADS=4" in found["torch threads"].hint


def test_a_processor_and_its_features(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "processor_name", lambda: "Some CPU")
    for features, value, mark in (
        ({"avx2", "avx512f", "avx512_bf16"}, "Some CPU: AVX2, AVX-512, bf16", Mark.OK),
        ({"asimd", "i8mm"}, "Some CPU: NEON, i8mm", Mark.OK),
        ({"sse2"}, "Some CPU: nothing that matters is told", Mark.NOTE),
        (set[str](), "Some CPU: nothing that matters is told", Mark.OK),
    ):
        monkeypatch.setattr(hardware, "cpu_features", lambda features=features: features)
        (found,) = hardware.processor()
        assert (found.value, found.mark) == (value, mark)


def test_little_memory_is_flagged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "container_limits", lambda: Limits(None, 2 << 30, 1 << 30))
    for free, value, mark in (
        (1 << 30, "1.0 GiB free, 2.0 GiB allowed by the container", Mark.NOTE),
        (9 << 30, "9.0 GiB free, 2.0 GiB allowed by the container", Mark.OK),
        (None, "this system does not tell what is free, 2.0 GiB allowed by the container", Mark.NOTE),
    ):
        monkeypatch.setattr("bertwright.machine.memory.free_memory", lambda _, free=free: free)
        (found,) = hardware.memory()
        assert (found.value, found.mark) == (value, mark)


def test_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda **_: torch.device("cuda"))
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: SimpleNamespace(name="NVIDIA T4"))
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: (7, 5))
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (1 << 30, 16 << 30))
    (gpu,) = devices.accelerators()
    assert (gpu.value, gpu.mark) == ("NVIDIA T4, 1.0 GiB of 16.0 GiB free", Mark.NOTE)
    assert devices.usable_devices() == ["cpu", "cuda:0"]
    assert list(devices.precision())[1].value == "auto is fp32: compute capability 7.5, bf16 needs 8.0"


@pytest.mark.parametrize(("built_for", "hint"), [(None, "pytorch.org"), ("12.8", "CUDA_VISIBLE_DEVICES (-1)")])
def test_a_driver_without_a_torch_that_uses_it(
    monkeypatch: pytest.MonkeyPatch, built_for: str | None, hint: str
) -> None:
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda **_: None)
    monkeypatch.setattr(shutil, "which", lambda _: "/usr/bin/nvidia-smi")
    monkeypatch.setattr(torch.version, "cuda", built_for)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    (found,) = devices.accelerators()
    assert found.mark is Mark.NOTE
    assert hint in found.hint


def test_a_full_disk_and_a_folder_that_cannot_be_written_to(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1 << 30))
    runs, cache = surroundings.folders()
    assert runs == Finding("runs", f"1.0 GiB free for {tmp_path / 'runs'}", Mark.NOTE, "give another place: --out DIR")
    assert cache.value == f"1.0 GiB free for {tmp_path / 'hub'}"
    assert not (tmp_path / "runs").exists()
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=9 << 30))
    assert {one.mark for one in surroundings.folders()} == {Mark.OK}
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert all("cannot be written" in one.value and one.mark is Mark.NOTE for one in surroundings.folders())


def test_a_terminal_without_chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    (finding,) = surroundings.messages()
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
