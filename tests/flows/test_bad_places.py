"""Places that cannot be written: a full disk, a read-only folder, a file where a folder is needed.

A full disk is played by the limit on the size of a file, which the system enforces in a process of its own: the
error comes from the real call, in whatever library makes it.
"""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bertwright.checkpoint.replacing import write_text
from bertwright.errors import BertwrightError

from .conftest import Command, Result, write_csv
from .test_mistakes import refused

resource = pytest.importorskip("resource", reason="limits on the size of files are a thing of Unix")


def limited(size: int, *words: object, stdout: Path | None = None) -> Result:
    """A command in a process that cannot make a file larger than `size` bytes."""
    with (stdout or Path(os.devnull)).open("w") as out:
        process = subprocess.run(
            [sys.executable, "-m", "bertwright", *map(str, words)],
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"BERTWRIGHT_LANG": "en", "PYTHONDONTWRITEBYTECODE": "1"},
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)),
            timeout=120,
        )
    return Result(process.returncode, "", process.stderr)


@pytest.mark.parametrize("room", [0.5, 1.2], ids=["in the weights", "in the optimizer's moments"])
def test_a_disk_that_is_full_while_a_checkpoint_is_saved(
    room: float, tiny_model: Path, train_csv: Path, tmp_path: Path
) -> None:
    size = int(room * (tiny_model / "model.safetensors").stat().st_size)
    out = tmp_path / "run"
    words = ("finetune", train_csv, "--model", tiny_model, "--out", out, "max_steps=1")
    refused(limited(size, *words), "BW501", "last", "df -h")
    assert not (out / "best").exists()
    assert not [path for path in tmp_path.rglob("*") if path.name.endswith(".tmp")], "nothing half-written is left"


def test_a_disk_that_is_full_while_a_checkpoint_gets_words(tiny_model: Path, tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    words.write_text("unheard\nunseen\n", encoding="utf-8")
    size = (tiny_model / "model.safetensors").stat().st_size
    out = tmp_path / "larger"
    refused(limited(size // 2, "vocab", "--extend", tiny_model, "--words", words, "--out", out), "BW501", "larger")
    assert sorted(tmp_path.iterdir()) == [words]


def test_answers_that_do_not_fit_go_on_when_there_is_room(
    command: Command, run: Path, sentences: list[tuple[str, str]], tmp_path: Path
) -> None:
    texts = write_csv(tmp_path / "texts.csv", [(text,) for text, _ in sentences * 4], header=("text",))
    output, whole = tmp_path / "a.jsonl", tmp_path / "whole.jsonl"
    refused(
        limited(200_000, "predict", run, "--precision", "fp32", "--input", texts, "--output", output),
        "BW501",
        "a.jsonl",
    )
    assert not output.exists()
    assert (tmp_path / "a.jsonl.part").stat().st_size == 200_000
    result = command("predict", run, "--input", texts, "--output", output, "--resume")
    assert result.code == 0, result.err
    assert "going on after" in result.err
    assert command("predict", run, "--input", texts, "--output", whole).code == 0
    assert output.read_bytes() == whole.read_bytes()


def test_stdout_on_a_full_disk(run: Path, dev_csv: Path, tmp_path: Path) -> None:
    refused(limited(100, "predict", run, "--input", dev_csv, stdout=tmp_path / "out"), "BW570", "df -h")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_short_output_on_a_full_disk(run: Path) -> None:
    result = limited(10**9, "predict", run, "a text", stdout=Path("/dev/full"))
    refused(result, "BW570", "No space left on device")
    assert "Exception ignored" not in result.err


@pytest.mark.parametrize(
    ("broken", "words", "code"), [("stdout", ["a text " * 2000], 0), ("stderr", ["--input", "texts.csv"], 0)]
)
def test_a_pipe_that_nobody_reads(run: Path, tmp_path: Path, broken: str, words: list[str], code: int) -> None:
    """The reader of the answers may have seen enough, and what is said beside them need not be read."""
    write_csv(tmp_path / "texts.csv", [("a text",)], header=("text",))
    reading, writing = os.pipe()
    os.close(reading)
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | {broken: writing}
    command = [sys.executable, "-m", "bertwright", "predict", str(run), "--precision", "fp32", *words]
    process = subprocess.run(command, cwd=tmp_path, text=True, timeout=120, **streams)  # type: ignore[call-overload]
    os.close(writing)
    assert process.returncode == code
    assert broken == "stdout" or json.loads(process.stdout)["text"] == "a text"
    assert (process.stderr or "") == ""


def test_a_file_where_a_folder_is_needed(
    command: Command, run: Path, train_csv: Path, dev_csv: Path, tiny_model: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    inside = tmp_path / "file" / "inside"
    refused(command("finetune", train_csv, "--model", tiny_model, "--out", inside), "BW501", "--out")
    refused(command("predict", run, "--input", dev_csv, "--output", inside.with_suffix(".csv")), "BW501", "--output")
    refused(command("evaluate", run, dev_csv, "--predictions", inside), "BW501")
    refused(command("compare", run, run, dev_csv, "--output", inside), "BW501")


def test_a_folder_where_the_answers_should_go(command: Command, run: Path, dev_csv: Path, tmp_path: Path) -> None:
    output = tmp_path / "a.jsonl"
    output.mkdir()
    refused(command("predict", run, "--input", dev_csv, "--output", output), "BW501", "a.jsonl", "s a directory")
    assert [path.name for path in tmp_path.iterdir()] == ["a.jsonl"], "it is refused before anything is answered"


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_folder_without_the_permission_to_write(
    command: Command, run: Path, train_csv: Path, dev_csv: Path, tiny_model: Path, tmp_path: Path
) -> None:
    tmp_path.chmod(0o555)
    try:
        refused(command("finetune", train_csv, "--model", tiny_model, "--out", tmp_path / "run"), "BW501")
        refused(command("predict", run, "--input", dev_csv, "--output", tmp_path / "a.csv"), "BW501")
        refused(command("evaluate", run, dev_csv, "--predictions", tmp_path / "p.jsonl"), "BW501")
    finally:
        tmp_path.chmod(0o755)


def test_a_read_only_disk_where_nothing_can_be_taken_away_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*words: object, **more: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    file = tmp_path / "a.json"
    file.write_text("{}", encoding="utf-8")
    monkeypatch.setattr(Path, "write_bytes", refuse)
    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(BertwrightError, match=r"BW501: .*a\.json: cannot be written \(Read-only file system\)"):
        write_text(file, "[]")
    assert json.loads(file.read_text(encoding="utf-8")) == {}
