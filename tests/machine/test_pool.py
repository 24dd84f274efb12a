"""A pool of processes: what comes out does not depend on how many there are, and they end with whoever began them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bertwright.errors import BertwrightError
from bertwright.machine.pool import Pool


class Adder:
    """A tool that says in whose hands it is."""

    def __init__(self) -> None:
        self.pid = os.getpid()

    def add(self, one: int, other: int) -> tuple[int, int]:
        if one == 0:
            time.sleep(0.3)  # the first to begin is the last to be ready
        return one + other, self.pid


def fail_at(_tool: Adder, number: int) -> int:
    if number == 2:
        raise BertwrightError("BW201", file="x.csv")
    return number


def die(_tool: Adder) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def died(error: Exception) -> BertwrightError:
    return BertwrightError("BW513", reason=error)


@pytest.mark.parametrize("processes", [0, 1, 2])
def test_results_come_in_order_from_as_many_processes(processes: int) -> None:
    with Pool(Adder, processes, died=died) as pool:
        results = list(pool.map(Adder.add, ((number, 10) for number in range(12))))
    assert [result for result, _ in results] == list(range(10, 22))
    others = {pid for _, pid in results} - {os.getpid()}
    assert len(others) in range(min(processes, 1), processes + 1)
    assert len(others) == 0 or os.getpid() not in {pid for _, pid in results}


@pytest.mark.parametrize(("processes", "before_the_first"), [(0, 1), (1, 4), (2, 7)])
def test_work_without_end_is_drawn_a_little_ahead(processes: int, before_the_first: int) -> None:
    drawn: list[int] = []

    def numbers() -> Iterator[tuple[int, int]]:
        while True:
            drawn.append(len(drawn))
            yield len(drawn), 0

    with Pool(Adder, processes, ahead=3, died=died) as pool:
        results = pool.map(Adder.add, numbers())
        assert next(results)[0] == 1
        assert len(drawn) == before_the_first
        assert [next(results)[0] for _ in range(4)] == [2, 3, 4, 5]
        assert len(drawn) == before_the_first + 4


@pytest.mark.parametrize("processes", [0, 2])
def test_a_mistake_reaches_who_asks(processes: int) -> None:
    with Pool(Adder, processes, died=died) as pool, pytest.raises(BertwrightError, match="BW201.*x.csv"):
        list(pool.map(fail_at, zip(range(5))))


def test_a_process_that_dies_is_the_error_that_the_caller_has_for_it() -> None:
    with Pool(Adder, 1, died=died) as pool, pytest.raises(BertwrightError, match="BW513.*abruptly"):
        list(pool.map(die, [()]))


BEGINS = """
import os, signal, sys, time
from bertwright.machine.pool import Pool
from tests.machine.test_pool import Adder, died

if __name__ == "__main__":
    with Pool(Adder, 1, died=died) as pool:
        results = pool.map(Adder.add, ((number, 0) for number in range(1, 1000)))
        worker = next(results)[1]
        os.kill(worker, signal.SIGINT)  # as Ctrl-C does, which reaches the whole group
        assert list(zip(range(2, 100), results))[-1] == (99, (99, worker))
        print(worker, flush=True)
        time.sleep(60)
"""


def test_a_worker_hears_no_ctrl_c_and_ends_with_a_parent_that_was_killed(tmp_path: Path) -> None:
    script = tmp_path / "begins.py"
    script.write_text(BEGINS, encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    with subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, env=environment, cwd=Path(__file__).parents[2]
    ) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        os.kill(worker, 0)
        parent.kill()
    end = time.monotonic() + 30
    while _is_alive(worker):
        assert time.monotonic() < end, "it outlived its parent"
        time.sleep(0.05)


def _is_alive(pid: int) -> bool:
    """Whether there is such a process that has not ended (one that nobody waits for stays as a zombie)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
