"""Two processes never write one folder; the lock goes with the process that held it."""

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
        assert [path.name for path in folder.parent.iterdir()] == [".first.lock"]
        with sole_writer(folder):
            folder.mkdir()
            (folder / "file").touch()
    assert [path.name for path in tmp_path.rglob("*")] == ["runs", "first", "file"], "no lock file is left"


def test_the_lock_ends_with_the_block_and_an_empty_folder_with_it(tmp_path: Path) -> None:
    def fail() -> None:
        with sole_writer(tmp_path / "run"):
            (tmp_path / "run").mkdir()
            raise KeyError

    for _ in range(2):
        with pytest.raises(KeyError):
            fail()
        assert not list(tmp_path.iterdir())
    (tmp_path / "run").mkdir()
    with sole_writer(tmp_path / "run"):
        pass
    assert (tmp_path / "run").is_dir(), "it was there before"


def test_where_nothing_can_be_locked_nothing_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for place in (tmp_path / "file", tmp_path / "file" / "below", tmp_path / "loop", tmp_path / ("n" * 255)):
        with sole_writer(place):  # whoever writes there says what is wrong
            pass
    for number in (errno.ENOLCK, errno.ENOSYS):

        def no_locks(handle: int, operation: int, number: int = number) -> None:
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr("fcntl.flock", no_locks)
        with sole_writer(tmp_path / "run"), sole_writer(tmp_path / "run"):
            pass


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="the superuser may write everywhere")
def test_in_a_folder_that_is_read_only_nothing_is_checked(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there").chmod(0o500)
    with sole_writer(tmp_path / "there" / "run"), sole_writer(tmp_path / "there" / "run"):
        pass
    (tmp_path / "there").chmod(0o700)


def test_a_link_to_a_folder_is_the_folder(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "run").symlink_to(tmp_path / "elsewhere")
    with (
        sole_writer(tmp_path / "run"),
        pytest.raises(BertwrightError, match="BW514"),
        sole_writer(tmp_path / "elsewhere"),
    ):
        raise AssertionError("it got in")


@pytest.mark.parametrize("place", ["run", "a.part"])
def test_who_waited_holds_the_lock_that_the_next_one_asks_for(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock file goes with the block: whoever waited for it must not hold one that has no name any more."""
    monkeypatch.setattr(module, "_PATIENCE", 30.0)
    entered, leave = threading.Event(), threading.Event()

    def wait_and_enter() -> None:
        with sole_writer(tmp_path / place):
            entered.set()
            leave.wait(30)

    (tmp_path / "a.part").touch()
    other = threading.Thread(target=wait_and_enter)
    with sole_writer(tmp_path / place):
        other.start()
        assert not entered.wait(0.5)
        if place == "a.part":
            (tmp_path / place).rename(tmp_path / "a")
    assert entered.wait(30)
    monkeypatch.setattr(module, "_PATIENCE", 0.0)
    with pytest.raises(BertwrightError, match="BW514"), sole_writer(tmp_path / place):
        raise AssertionError("it got in")
    leave.set()
    other.join()


COUNTS = """
import sys, time
from pathlib import Path
from bertwright.checkpoint import lock
lock._PATIENCE = 60.0
counter = Path(sys.argv[1])
for _ in range(40):
    with lock.sole_writer(counter.parent / "run"):
        number = int(counter.read_text())
        time.sleep(0.001)
        counter.write_text(str(number + 1))
"""


def test_processes_that_come_and_go_are_never_in_it_together(tmp_path: Path) -> None:
    counter = tmp_path / "counter"
    counter.write_text("0", encoding="utf-8")
    processes = [subprocess.Popen([sys.executable, "-c", COUNTS, str(counter)]) for _ in range(3)]
    assert [process.wait(120) for process in processes] == [0, 0, 0]
    assert counter.read_text(encoding="utf-8") == "120"


def test_a_named_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with sole_writer(tmp_path / "pipe"):
        pass
