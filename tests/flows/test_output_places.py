"""Where outputs go: into devices, pipes and links as they are, and nowhere by halves."""

from __future__ import annotations

import errno
import json
import os
import threading
from pathlib import Path

import pytest

from bertwright.inference import streaming
from tests.flows.conftest import Command, write_csv

ROWS = [["good food", "positive"], ["bad food", "negative"]]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_csv(tmp_path / "data.csv", ROWS)


def test_answers_go_into_devices_and_pipes(command: Command, run: Path, data: Path, tmp_path: Path) -> None:
    null = tmp_path / "null.jsonl"
    null.symlink_to("/dev/null")
    for place in (null, Path("/dev/null")):
        assert command("predict", run, "--input", data, "--output", place).code == 0
    assert null.is_symlink()
    assert Path("/dev/null").is_char_device()
    got: dict[str, str] = {}
    for name in ("pipe", "pipe.csv"):
        pipe = tmp_path / name
        os.mkfifo(pipe)
        reader = threading.Thread(target=lambda pipe=pipe: got.update({pipe.name: pipe.read_text(encoding="utf-8")}))
        reader.start()
        assert command("predict", run, "--input", data, "--output", pipe, "--columns", "").code == 0
        reader.join(10)
        assert pipe.is_fifo()
    assert [json.loads(line)["text"] for line in got["pipe"].splitlines()] == ["good food", "bad food"]
    assert got["pipe.csv"].splitlines()[0].startswith("text,")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["data.csv", "null.jsonl", "pipe", "pipe.csv"]


def test_answers_go_to_a_stream_of_the_process_by_its_path(command: Command, run: Path, data: Path) -> None:
    reading, writing = os.pipe()
    assert command("predict", run, "--input", data, "--output", f"/dev/fd/{writing}").code == 0
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as stream:
        assert [json.loads(line)["text"] for line in stream] == ["good food", "bad food"]


def test_nothing_goes_on_in_a_device(command: Command, run: Path, data: Path) -> None:
    refused = command("predict", run, "--input", data, "--output", "/dev/null", "--resume")
    assert (refused.code, "BW643" in refused.err) == (2, True)


def test_other_outputs_go_into_devices_and_through_links(
    command: Command, run: Path, data: Path, tmp_path: Path
) -> None:
    null, link = tmp_path / "null", tmp_path / "link.csv"
    null.symlink_to("/dev/null")
    link.symlink_to(tmp_path / "target.csv")
    assert command("evaluate", run, data, "--predictions", null).code == 0
    for place in (null, link):
        assert command("compare", run, run, data, "--output", place).code == 0
    tagged = tmp_path / "in.bio"
    tagged.write_text("Rome B-place\nsleeps O\n", encoding="utf-8")
    assert command("convert-data", tagged, null, "--to", "doccano").code == 0
    reading, writing = os.pipe()
    assert command("convert-data", tagged, f"/dev/fd/{writing}", "--to", "doccano").out == ""
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as stream:
        assert json.load(stream)["text"] == "Rome sleeps"
    assert (null.is_symlink(), link.is_symlink(), (tmp_path / "target.csv").is_file()) == (True, True, True)
    for words in (("export", run), ("vocab", data)):
        refused = command(*words, "--out", null, "--overwrite")
        assert (refused.code, "BW503" in refused.err) == (2, True), refused.err


def test_a_link_in_the_place_of_a_part_is_not_followed(command: Command, run: Path, data: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    for name in ("a.jsonl.part", "b.jsonl.part.json"):
        (tmp_path / name).symlink_to(secret)
    for name in ("a.jsonl", "b.jsonl"):
        refused = command("predict", run, "--input", data, "--output", tmp_path / name)
        assert (refused.code, "BW501" in refused.err) == (1, True)
    assert secret.read_text() == "secret"


@pytest.mark.parametrize("call", ["fsync", "replace"])
@pytest.mark.parametrize("verb", ["predict", "evaluate", "compare", "convert-data", "export", "vocab"])
def test_a_disk_that_fails_is_one_message_and_leaves_no_half_of_a_file(
    command: Command, run: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: str, call: str
) -> None:
    out, tagged = tmp_path / "out.jsonl", tmp_path / "in.bio"
    tagged.write_text("Rome B-place\nsleeps O\n", encoding="utf-8")
    corpus = tmp_path / "corpus.txt"
    corpus.write_text("Rome sleeps\n", encoding="utf-8")
    words: dict[str, tuple[object, ...]] = {
        "predict": (run, "--input", data, "--output", out),
        "evaluate": (run, data, "--predictions", out),
        "compare": (run, run, data, "--output", out),
        "convert-data": (tagged, out),
        "export": (run, "--out", out),
        "vocab": (corpus, "--out", out, "--size", 300),
    }

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, call, fail)
    failed = command(verb, *words[verb])
    assert failed.code == 1
    assert failed.err.count("error BW501") == 1, failed.err
    assert not out.exists()
    left = {one.name for one in tmp_path.iterdir()} - {"data.csv", "in.bio", "corpus.txt"}
    assert left <= {"out.jsonl.part", "out.jsonl.part.json"}  # predict goes on from them


@pytest.mark.parametrize("call", ["fsync", "replace"])
@pytest.mark.parametrize("verb", ["finetune", "prepare", "pretrain"])
def test_a_disk_that_fails_under_a_run_is_one_message_and_no_half_is_taken_for_whole(
    command: Command, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: str, call: str
) -> None:
    corpus, data, out = tmp_path / "corpus.txt", write_csv(tmp_path / "data.csv", ROWS * 4), tmp_path / "out"
    corpus.write_text("\n\n".join(f"food number {n} is good\nand it is cheap" for n in range(40)), encoding="utf-8")
    store = tmp_path / "store"
    words: dict[str, tuple[object, ...]] = {
        "finetune": (data, "--dev", data, "--model", tiny_model, "--out", out, "max_steps=1", "epochs=1"),
        "prepare": (corpus, "--vocab", tiny_model, "--out", out, "--workers", 1),
        "pretrain": (store, "--out", out, "max_steps=1", "hidden_size=16", "num_hidden_layers=1",
                     "num_attention_heads=2", "intermediate_size=16", "max_length=16", "batch_tokens=64"),
    }  # fmt: skip
    if verb == "pretrain":
        assert command("prepare", corpus, "--vocab", tiny_model, "--out", store, "--workers", 1).code == 0

    calls, real = 0, getattr(os, call)

    def fail(*given: object) -> None:
        nonlocal calls
        calls += 1
        if calls > 3:  # in the middle of it
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(*given)

    with monkeypatch.context() as patch:
        patch.setattr(os, call, fail)
        failed = command(verb, *words[verb])
    assert failed.code == 1
    assert failed.err.count("error BW") == 1, failed.err
    assert not (out / "best").exists()
    assert not list(out.glob("manifest.json"))
    again = command(verb, *words[verb], "--resume")
    assert again.code == 0, again.err


def test_answers_after_a_full_disk_go_on(
    command: Command, run: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out.jsonl"
    words = ("predict", run, "--input", data, "--output", out)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(streaming, "settle", full)
        assert command(*words).code == 1
    assert command(*words, "--resume").code == 0
    assert len(out.read_text(encoding="utf-8").splitlines()) == 2
