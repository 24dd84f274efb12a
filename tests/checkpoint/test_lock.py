"""Two processes never write one folder; the lock goes with the process that held it and leaves nothing behind."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from bertwright.checkpoint import lock as module
from bertwright.checkpoint.lock import sole_writer
from bertwright.errors import BertwrightError

HOLDS = """
import sys, time
from pathlib import Path
from bertwright.checkpoint.lock import sole_writer
with sole_writer(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PATIENCE", 0.3)


def test_another_process_is_told_until_the_first_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "runs" / "first"
    with subprocess.Popen([sys.executable, "-c", HOLDS, str(folder)], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(BertwrightError, match="BW514.*first: another process"), sole_writer(folder):
            raise AssertionError("it got in")
        other.send_signal(signal.SIGKILL)
        monkeypatch.setattr(module, "_PATIENCE", 30.0)
        with sole_writer(folder):
            (folder / "file").touch()
    assert [path.name for path in folder.iterdir()] == ["file"], "no lock file is left"


def test_the_lock_ends_with_the_block_and_an_empty_folder_with_it(tmp_path: Path) -> None:
    def fail() -> None:
        with sole_writer(tmp_path / "run"):
            assert (tmp_path / "run").is_dir()
            raise KeyError

    for _ in range(2):
        with pytest.raises(KeyError):
            fail()
        assert not (tmp_path / "run").exists()
    (tmp_path / "run").mkdir()
    with sole_writer(tmp_path / "run"):
        pass
    assert (tmp_path / "run").is_dir(), "it was there before"


def test_where_nothing_can_be_locked_nothing_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    for place in (tmp_path / "file", tmp_path / "file" / "below"):  # whoever writes there says what is wrong
        with sole_writer(place):
            pass

    def no_locks(handle: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(module.fcntl, "flock", no_locks)
    with sole_writer(tmp_path / "run"), sole_writer(tmp_path / "run"):
        pass
    monkeypatch.setattr(module, "fcntl", None)
    with sole_writer(tmp_path / "run"), sole_writer(tmp_path / "run"):
        pass


def test_who_waited_for_a_folder_that_went_away_gets_a_new_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PATIENCE", 30.0)
    for place in (tmp_path / "run", tmp_path / "a.part"):
        entered, left = threading.Event(), threading.Event()

        def wait_and_enter(
            place: Path = place, entered: threading.Event = entered, left: threading.Event = left
        ) -> None:
            with sole_writer(place):
                entered.set()
                left.wait(30)

        if place.suffix:
            place.touch()
        other = threading.Thread(target=wait_and_enter)
        with sole_writer(place):
            other.start()
            assert not entered.wait(0.5)
            if place.suffix:
                place.rename(tmp_path / "a")
        assert entered.wait(30)
        assert place.exists()
        monkeypatch.setattr(module, "_PATIENCE", 0.0)
        with pytest.raises(BertwrightError, match="BW514"), sole_writer(place):
            raise AssertionError("it got in")
        monkeypatch.setattr(module, "_PATIENCE", 30.0)
        left.set()
        other.join()


def test_a_named_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with sole_writer(tmp_path / "pipe"):
        pass
