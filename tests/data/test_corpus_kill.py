"""A preparation that is stopped anywhere, by any means, goes on to the same store."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from corpus_samples import contents, documents, prepare, vocabulary, write_blocks

from bertwright.data.corpus import journal
from bertwright.data.corpus import prepare as preparing
from bertwright.data.corpus.journal import Column, Journal
from bertwright.data.corpus.settings import PrepareSettings
from bertwright.data.corpus.writer import ShardWriter

OPTIONS: dict[str, Any] = {"part_bytes": 500, "shard_tokens": 300, "hashes_in_memory": 16}


class Stopped(BaseException):
    """As sudden as a signal."""


class Countdown:
    """Stops the program at the n-th of the calls that change the disk, before it or half-way through it."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.left = 0
        self.calls = 0
        for owner, name in ((Column, "append"), (Column, "flush"), (ShardWriter, "_write"), (ShardWriter, "flush")):
            patch.setattr(owner, name, self._counted(getattr(owner, name)))
        patch.setattr(Journal, "save", self._counted(Journal.save))
        patch.setattr(preparing, "mark_repeats", self._counted(preparing.mark_repeats))
        patch.setattr(Path, "replace", self._counted(Path.replace))

    def _counted(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **options: Any) -> Any:
            self.calls += 1
            if self.calls == self.left:
                raise Stopped
            return call(*arguments, **options)

        return counted


@pytest.mark.parametrize("every", [23, pytest.param(1, marks=pytest.mark.slow)])
def test_stopped_at_every_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, every: int) -> None:
    vocab = vocabulary(tmp_path / "vocab")
    words = tmp_path / "words.txt"
    words.write_text("老人\n湖边\n孩子们\n", encoding="utf-8")
    made = documents(14)
    file = write_blocks(tmp_path / "c.txt", [*made, made[0], made[3]])
    settings = PrepareSettings(words=words)
    whole = contents(prepare([file], vocab, tmp_path / "whole", settings, **OPTIONS).folder)
    monkeypatch.setattr(journal, "_SECONDS_BETWEEN", -1)  # the state is saved after every part
    countdown = Countdown(monkeypatch)
    prepare([file], vocab, tmp_path / "counted", settings, **OPTIONS)
    calls, out = countdown.calls, tmp_path / "store"
    assert calls > 100
    for first in range(1, calls + 1, every):
        # Stopped twice: once there, once soon after it went on.
        for left in (first, first % 7 + 1):
            countdown.calls, countdown.left = 0, left
            try:
                prepare([file], vocab, out, settings, resume=True, **OPTIONS)
            except Stopped:
                assert not (out / "manifest.json").exists()
        countdown.left = 0
        assert contents(prepare([file], vocab, out, settings, resume=True, **OPTIONS).folder) == whole
        assert {path.name for path in out.iterdir()} == {Path(name).parts[0] for name in whole}
        shutil.rmtree(out)


PROGRAM = """
import json, sys
sys.path.insert(0, {tests!r})
from bertwright.data.corpus import journal
from corpus_samples import prepare
if __name__ == "__main__":
    journal._SECONDS_BETWEEN = 0.02
    prepare(["{file}"], "{vocab}", "{out}", resume=True, workers={workers}, part_bytes={part_bytes})
"""


def kill_at_random(tmp_path: Path, times: int, seed: int, workers: int, count: int) -> None:
    """End the program by SIGKILL at random moments, each time going on, and compare the store in the end."""
    vocab = vocabulary(tmp_path / "vocab")
    file = write_blocks(tmp_path / "c.txt", documents(count))
    part_bytes = 10_000
    whole = contents(prepare([file], vocab, tmp_path / "whole", part_bytes=part_bytes).folder)
    out = tmp_path / "store"
    script = tmp_path / "program.py"
    script.write_text(
        PROGRAM.format(
            tests=str(Path(__file__).parent), file=file, vocab=vocab, out=out, workers=workers, part_bytes=part_bytes
        ),
        encoding="utf-8",
    )
    draw = random.Random(seed)
    killed = 0
    stages: set[str] = set()
    while killed < times:
        program = subprocess.Popen([sys.executable, str(script)], stderr=subprocess.PIPE)
        begun = out / ".work" / "state.json"
        while program.poll() is None and not (begun.exists() and begun.stat().st_mtime > time.time() - 0.5):
            time.sleep(0.002)  # until it has taken up the work: the time to start tells nothing
        time.sleep(draw.uniform(0, count / 20_000))
        if program.poll() is None:
            os.kill(program.pid, signal.SIGKILL)
            killed += 1
        _, said = program.communicate()
        assert program.returncode in (0, -signal.SIGKILL), said.decode()
        if begun.exists():
            stages.add(json.loads(begun.read_text(encoding="utf-8"))["stage"])
        if (out / "manifest.json").exists():
            assert contents(out) == whole or (out / ".work").exists()
            if killed < times and not (out / ".work").exists():
                shutil.rmtree(out)
    assert contents(prepare([file], vocab, out, resume=True, part_bytes=part_bytes).folder) == whole
    if times > 10:
        assert {"scan", "encode"} <= stages


@pytest.mark.parametrize("workers", [1, 2])
def test_killed(tmp_path: Path, workers: int) -> None:
    kill_at_random(tmp_path, 2, workers, workers, 2000)


@pytest.mark.slow
def test_killed_at_fifty_moments(tmp_path: Path) -> None:
    kill_at_random(tmp_path, 50, 3, 2, 8000)
