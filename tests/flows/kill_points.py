"""Kill a job at points drawn from a seed, resume it, and compare its ending with that of an uninterrupted one.

    python -m tests.flows.kill_points --job finetune --points 200
    python -m tests.flows.kill_points --job prepare --points 50 --workers 2
    python -m tests.flows.kill_points --job pretrain --points 50

Half of the points lie inside saves, at a call to the system that is counted, not hit by luck: before each rename,
removal, folder, cut or flush, and in the middle of the writing of a file. The others are moments of the clock. A part
of the runs is ended by SIGTERM or Ctrl-C, and a part is killed twice.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch
from matplotlib.figure import Figure

from tests.flows.killed_jobs import JOBS, Job, Writer
from tests.pictures import leave_blank

_EVENTS = ("os.rename", "os.mkdir", "os.remove", "os.truncate", "shutil.rmtree")


@dataclass(frozen=True)
class Point:
    """Where a job is ended.

    Attributes:
        kind: `save` (at the `at`-th call to the system), `torn` (in the middle of the `at`-th writing) or `clock`.
        at: the number of the call, or the share of the job's time.
        signal: what ends it.
    """

    kind: str
    at: float
    signal: int = signal.SIGKILL


class Watch:
    """Counts calls to the system under a folder, and ends the process at the chosen one.

    Attributes:
        calls, torn: what was called, and what was written, one after the other.
    """

    def __init__(self, folder: Path, point: Point | None) -> None:
        self.folder, self.point = str(folder), point
        self.calls: list[str] = []
        self.torn: list[str] = []

    def install(self, writers: Sequence[Writer]) -> None:
        """From here on every call counts."""
        sys.addaudithook(self._hear)
        flush = os.fsync

        def flushing(descriptor: int) -> None:
            self._count("fsync", Path(f"/proc/self/fd/{descriptor}").readlink())
            flush(descriptor)

        os.fsync = flushing  # type: ignore[assignment]
        plain = ((Path, "write_bytes", lambda file, *_, **__: file), (Path, "write_text", lambda file, *_, **__: file))
        for writer in (*plain, *writers):
            self._tear(*writer)

    def _tear(self, owner: Any, name: str, file_of: Callable[..., Path]) -> None:
        write = getattr(owner, name)

        def writing(*arguments: Any, **options: Any) -> Any:
            file = file_of(*arguments)
            if not str(file).startswith(self.folder):
                return write(*arguments, **options)
            before = file.stat().st_size if file.exists() else 0
            result = write(*arguments, **options)
            self.torn.append(f"{name} {file.name}")
            if self.point is not None and self.point.kind == "torn" and len(self.torn) == self.point.at:
                after = file.stat().st_size
                os.truncate(file, (min(before, after) + after) // 2)
                self._end()
            return result

        setattr(owner, name, writing)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in _EVENTS and isinstance(arguments[0], str | Path):
            self._count(event, Path(arguments[0]))

    def _count(self, what: str, file: Path) -> None:
        if not str(file).startswith(self.folder):
            return
        self.calls.append(f"{what} {file.name}")
        if self.point is not None and self.point.kind == "save" and len(self.calls) == self.point.at:
            self._end()

    def _end(self) -> None:
        assert self.point is not None
        os.kill(os.getpid(), self.point.signal)


def in_child(work: Callable[[], None], after: Callable[[], None] | None = None, number: int = signal.SIGKILL) -> int:
    """Run `work` in a forked process, ended by a signal when `after` returns; its wait status."""
    child = os.fork()
    if child == 0:
        devnull = os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, 2)
        os.dup2(devnull, 1)
        try:
            work()
        except KeyboardInterrupt:
            os._exit(130)
        except SystemExit as end:
            os._exit(int(end.code or 0))
        except BaseException:
            os._exit(99)
        os._exit(0)
    if after is not None:
        after()
        os.kill(child, number)
    return os.waitpid(child, 0)[1]


def draw(count: int, seed: int, calls: list[str], torn: list[str]) -> list[list[Point]]:
    """For each run the points at which it is ended, one after the other; each kind of call as often as another."""
    rng = random.Random(seed)
    signals = [signal.SIGKILL] * 6 + [signal.SIGTERM, signal.SIGINT]
    of_kind: dict[str, dict[str, list[int]]] = {"save": {}, "torn": {}}
    for kind, seen in (("save", calls), ("torn", torn)):
        for number, call in enumerate(seen, start=1):
            of_kind[kind].setdefault(call.partition(" ")[0], []).append(number)

    def one(kind: str) -> Point:
        if kind == "clock":
            return Point(kind, rng.random(), rng.choice(signals))
        return Point(kind, rng.choice(of_kind[kind][rng.choice(sorted(of_kind[kind]))]))

    kinds = ["save", "clock", "torn", "clock", "save", "clock", "save", "clock"]
    return [[one(kinds[i % 8])] + ([one("clock")] if i % 5 == 4 else []) for i in range(count)]


class Killer:
    """A job, and how it ends when nobody interrupts it."""

    def __init__(self, job: Job, folder: Path) -> None:
        """Run the job once, counting."""
        self._job, self._folder = job, folder
        whole, log = folder / "whole", folder / "calls.json"

        def counted() -> None:
            watch = Watch(whole, None)
            watch.install(job.writers)
            started, since = time.monotonic(), time.time_ns()
            begun: list[float] = []

            def hear(*_: Any) -> None:
                if not begun and job.has_begun(whole, since):
                    begun.append(time.monotonic() - started)

            sys.addaudithook(hear)
            job.work(whole, resume=False)
            seconds = time.monotonic() - started - begun[0]
            log.write_text(json.dumps({"calls": watch.calls, "torn": watch.torn, "seconds": seconds}), encoding="utf-8")

        assert in_child(counted) == 0, "the uninterrupted job failed"
        seen = json.loads(log.read_text(encoding="utf-8"))
        self.calls: list[str] = seen["calls"]
        self.torn: list[str] = seen["torn"]
        self._seconds: float = seen["seconds"]
        self._truth = job.ending(whole)
        assert not job.left_behind(whole)

    def end(self, out: Path, point: Point, *, resume: bool) -> str:
        """Begin or resume the job, and end it at a point; what it was ended in."""
        job = self._job

        def watched() -> None:
            Watch(out, point).install(job.writers)
            job.work(out, resume=resume)

        since = time.time_ns()

        def wait() -> None:
            given_up = time.monotonic() + 60
            while not job.has_begun(out, since) and time.monotonic() < given_up:
                time.sleep(0.001)
            time.sleep(point.at * self._seconds)

        status = in_child(watched, wait if point.kind == "clock" else None, point.signal)
        if point.kind == "clock":
            return "clock" if status else "clock, too late"
        assert os.WIFSIGNALED(status), f"{point} was not reached: status {status}"
        what = (self.calls if point.kind == "save" else self.torn)[int(point.at) - 1].partition(" ")[0]
        return what if point.kind == "save" else f"half of {what}"

    def differences(self, out: Path) -> list[str]:
        """Resume the job, let it end, and compare."""
        status = in_child(lambda: self._job.work(out, resume=True))
        if status:
            return [f"resuming failed: status {status}"]
        found = self._job.ending(out)
        different = [name for name in {**self._truth, **found} if found.get(name) != self._truth.get(name)]
        return different + [f"left behind: {name}" for name in self._job.left_behind(out)]


def main() -> None:
    """Print the histogram of the points and how many endings were equal; exit code 1 if one was not."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--job", choices=sorted(JOBS), default="finetune")
    parser.add_argument("--points", type=int, default=200)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--workers", type=int, default=0, help="processes that help")
    options = parser.parse_args()
    torch.set_num_threads(1)
    Figure.savefig = leave_blank  # type: ignore[method-assign, assignment]  # files of pictures count, what is on them does not
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch).resolve()
        job = JOBS[options.job](folder, options.workers)
        killer = Killer(job, folder)
        wrong, where = [], Counter[str]()
        for number, points in enumerate(draw(options.points, options.seed, killer.calls, killer.torn)):
            out = folder / f"run-{number}"
            for attempt, point in enumerate(points):
                where[killer.end(out, point, resume=attempt > 0)] += 1
            if different := killer.differences(out):
                wrong.append((number, points, different))
        for what, count in where.most_common():
            print(f"{what:24} {count:4} {'#' * count}")
        inside = sum(count for what, count in where.items() if not what.startswith("clock"))
        equal = options.points - len(wrong)
        print(
            f"{options.job}: {options.points} runs, {sum(where.values())} ends, {inside} of them inside a save: "
            f"{equal} equal endings"
        )
        for line in wrong:
            print("differs:", *(str(part)[:300] for part in line))
        sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
