"""A preparation that is stopped at any call that writes goes on to the same store; kills are in `tests/flows`."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bertwright.corpus import journal
from bertwright.corpus import prepare as preparing
from bertwright.corpus.journal import Column, Journal
from bertwright.corpus.prepare_settings import PrepareSettings
from bertwright.corpus.repeats import mark_repeats
from bertwright.corpus.writer import ShardWriter
from tests.corpus.corpus_samples import contents, documents, prepare, vocabulary, write_blocks

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
        patch.setattr(preparing, "mark_repeats", self._counted(mark_repeats))
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
            else:
                assert left != first, "it was to be stopped there"
        countdown.left = 0
        assert contents(prepare([file], vocab, out, settings, resume=True, **OPTIONS).folder) == whole
        assert {path.name for path in out.iterdir()} == {Path(name).parts[0] for name in whole}
        shutil.rmtree(out)
