"""`bertwright doctor`: every probe on this machine, and on machines that are only described."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from bertwright.doctor import (
    examination,
    proof,
    software,
    speed,
    storage,
    threads,
)
from bertwright.doctor.probe import Finding, Mark, ask
from bertwright.errors import BertwrightError
from bertwright.machine import cores
from bertwright.machine.cores import Cores
from tests.flows.conftest import Command

SLOW = (proof.training_and_prediction, speed.matrix_products, speed.load)


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`only(storage.runs)`: an examination of nothing else."""

    def choose(*probes: object) -> None:
        chosen = tuple(pair for pair in examination.PROBES if pair[1] in probes)
        monkeypatch.setattr(examination, "PROBES", chosen)

    return choose


@pytest.fixture
def quick(only: Callable[..., None]) -> None:
    """An examination without what takes seconds."""
    only(*(probe for _, probe in examination.PROBES if probe not in SLOW))


def findings(command: Command, *words: object) -> dict[str, Finding]:
    """By name, from the JSON document."""
    document = json.loads(command("doctor", "--json", *words).out)
    return {one["name"]: Finding(**one | {"mark": Mark(one["mark"])}) for one in document["findings"]}


# The command


def test_text_and_json_agree(command: Command, quick: None) -> None:
    text, document = command("doctor"), json.loads(command("doctor", "--json").out)
    assert text.code == 0
    assert document["ready"] is True
    assert text.err == ""
    lines = iter(text.out.splitlines())
    section = ""
    for one in document["findings"]:
        if one["section"] != section:
            section = one["section"]
            assert section in lines, "sections come in the same order"
        assert next(line for line in lines if line.startswith(f"  {one['mark']:<9}{one['name']} "))
        assert one["value"]
        assert "\n" not in one["value"] + one["hint"]
        if one["hint"]:
            assert next(lines).strip() == f"-> {one['hint']}"
    sections = [one["section"] for one in document["findings"]]
    assert list(dict.fromkeys(sections)) == [
        "versions",
        "processor",
        "memory",
        "devices",
        "disk",
        "models",
        "environment",
    ]
    assert not [one for one in document["findings"] if "could not be found out" in one["value"]]


def test_the_proof_runs_and_the_network_is_not_used(command: Command, only: Callable[..., None]) -> None:
    only(proof.training_and_prediction, speed.matrix_products)
    result = command("doctor", "--offline-proof")
    assert result.code == 0, result.out
    assert result.err == ""
    assert "2 steps, saved, loaded, asked: the same answers" in result.out
    assert "no connection and no name lookup in this whole run" in result.out
    assert "GFLOP/s" in result.out
    assert result.out.rstrip().endswith("bertwright can train and predict here")


@pytest.mark.parametrize(
    ("error", "hint"),
    [
        (OSError(28, "No space left on device"), "TMPDIR"),
        (ImportError("No module named 'torch'"), "versions above"),
        (BertwrightError("BW302", folder="x", file="vocab.txt"), "list the folder"),
    ],
)
def test_a_proof_that_fails_is_a_line_and_exit_code_1(
    command: Command,
    only: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    hint: str,
) -> None:
    def broken(device: str) -> None:
        raise error

    only(proof.training_and_prediction)
    monkeypatch.setattr(proof, "prove", broken)
    result = command("doctor")
    assert result.code == 1
    assert "  missing  train and predict on cpu" in result.out
    assert hint in result.out
    assert "something is missing: train and predict on cpu" in result.out
    assert json.loads(command("doctor", "--json").out)["ready"] is False


@pytest.mark.parametrize(("difference", "mark"), [(0.0, Mark.OK), (0.5, Mark.MISSING), (float("nan"), Mark.MISSING)])
def test_other_answers_after_loading_fail_the_proof(
    monkeypatch: pytest.MonkeyPatch, difference: float, mark: Mark
) -> None:
    monkeypatch.setattr(proof, "prove", lambda _: proof.Proof(2, difference, 0.03, 0.1, 0.1))
    assert next(iter(proof.training_and_prediction())).mark is mark


def test_a_broken_probe_does_not_break_the_rest(command: Command, quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("on\nfire")

    whole = findings(command)
    monkeypatch.setattr(storage, "shutil", SimpleNamespace(disk_usage=broken))
    monkeypatch.setattr(torch, "get_num_threads", broken)
    monkeypatch.setattr(cores, "container_limits", broken)
    result = findings(command)
    assert result["runs"] == Finding("disk", "runs", "could not be found out: RuntimeError: on fire", Mark.NOTE)
    assert {"cores", "threads", "thread variables", "runs", "cache"} == {
        name for name, one in result.items() if "on fire" in one.value
    }
    assert whole.keys() - result.keys() <= {"torch threads", "thread variables", "model cache", *os.environ}
    assert command("doctor").code == 0


def test_what_a_probe_found_before_it_broke_is_kept() -> None:
    def probe() -> object:
        yield Finding("s", "first", "found")
        raise OSError("gone")

    assert [one.name for one in ask("s", probe)] == ["first", "probe"]  # type: ignore[arg-type]


# Versions


def test_a_library_that_cannot_be_imported_is_missing(
    command: Command, only: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(name: str) -> None:
        if name == "torch":
            raise OSError("[WinError 126] a DLL was not found")

    only(software.libraries)
    monkeypatch.setattr(software, "importlib", SimpleNamespace(import_module=load))
    result = findings(command)
    assert result["torch"].mark is Mark.MISSING
    assert "WinError 126" in result["torch"].value
    assert result["numpy"].mark is Mark.OK
    assert command("doctor").code == 1


def test_libraries_too_old_or_absent(
    command: Command, only: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = (
        software.Requirement("numpy", "99.1"),
        software.Requirement("no-such-library", "1"),
        software.Requirement("no-such-plots", "3", "plots"),
    )
    only(software.libraries, software.extras)
    monkeypatch.setattr(software, "requirements", lambda: asked)
    monkeypatch.setattr(software, "_checkout", lambda: None)
    result = findings(command)
    assert result["numpy"].hint == 'pip install "numpy>=99.1" --upgrade'
    assert result["no-such-library"].hint == 'pip install "no-such-library>=1"'
    extra = result["extra [plots]"]
    assert (extra.mark, extra.hint) == (Mark.NOTE, 'pip install "bertwright[plots]"')
    monkeypatch.setattr(software, "_checkout", lambda: Path("/src/b"))
    assert findings(command)["extra [plots]"].hint.startswith("pip install -e ")


def test_requirements_are_those_of_the_project() -> None:
    names = {one.name for one in software.requirements() if not one.extra}
    assert {"torch", "tokenizers", "safetensors", "numpy"} <= names
    read = software.read_requirement
    assert read('transformers[torch]>=5.0,<6 ; extra == "peers"') == software.Requirement(
        "transformers", "5.0", "peers"
    )
    assert read("numpy") == software.Requirement("numpy", "")
    assert read("bertwright[plots]", "all") is None
    assert software.release("2.13.0+cpu") == (2, 13) > software.release("2.11") > software.release("2.9.1")


# What users stumble over


def test_more_threads_than_allowed_cores_are_flagged(
    command: Command, only: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    only(threads.cores, threads.threads, threads.thread_variables)
    monkeypatch.setattr(threads, "count_cores", lambda: Cores(32, 64, 16, 3.5))
    monkeypatch.setattr(torch, "get_num_threads", lambda: 32)
    monkeypatch.setenv("OMP_NUM_THREADS", "32")
    result = findings(command)
    assert result["cores"].value == "physical 32, logical 64, by affinity 16, by the container 3.5; 4 allowed"
    assert result["torch threads"].mark is Mark.NOTE
    assert "more than the 4 cores allowed" in result["torch threads"].value
    assert "OMP_NUM_THREADS=4" in result["torch threads"].hint
    assert "more than the 4 cores" in result["OMP_NUM_THREADS"].hint
    monkeypatch.setattr(torch, "get_num_threads", lambda: 4)
    assert findings(command)["torch threads"].mark is Mark.OK


def test_no_secret_is_printed(command: Command, quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "https_proxy", "ALL_PROXY", "HF_ENDPOINT"):
        monkeypatch.setenv(name, "http://me:s3cret@host:8080")
    monkeypatch.setenv("HF_TOKEN", "hf_s3cret")
    for words in ((), ("--json",)):
        out = command("doctor", *words).out
        assert "s3cret" not in out
        assert out.count("http://***@host:8080") == 4
        assert "HF_TOKEN" in out
