"""Kill a run at points drawn from a seed, resume it, and compare its ending with that of an uninterrupted one.

    python -m tests.flows.kill_points --points 200

Half of the points lie inside saves, at a call to the system that is counted, not hit by luck: before each rename,
removal, folder or flush, and in the middle of the writing of a weight file. The others are moments of the clock. A part
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
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch
from safetensors.torch import load_file

from bertwright import BertConfig, BertModel, BertTokenizer
from bertwright.checkpoint import store, weights
from bertwright.data.samples import sentiment_samples
from bertwright.training import plots, state  # noqa: F401  (matplotlib is imported once, before the forks)
from bertwright.training.finetune import finetune

Row = tuple[str, str | None]
SETTINGS: dict[str, Any] = {
    "epochs": 3, "batch_size": 8, "learning_rate": 3e-3, "precision": "fp32", "save_steps": 3, "max_length": 32,
    "overlap": 4, "micro_tokens": 64,
}  # fmt: skip


@dataclass(frozen=True)
class Point:
    """Where a run is ended.

    Attributes:
        kind: `save` (at the `at`-th call to the system), `torn` (in the middle of the `at`-th weight file) or `clock`.
        at: the number of the call, or the share of the run's time.
        signal: what ends it.
    """

    kind: str
    at: float
    signal: int = signal.SIGKILL


def make_model(folder: Path) -> Path:
    """A tiny model with the dropout of BERT; every character of the sentences is a word."""
    texts = [example.text.lower() for example in sentiment_samples("en")]
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words = special + sorted({word for text in texts for word in text.replace(",", " ").replace(".", " ").split()})
    folder.mkdir(parents=True)
    BertTokenizer(words, do_lower_case=True).save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(words), hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=64,
    )  # fmt: skip
    BertModel(config).save_pretrained(folder)
    return folder


def rows() -> tuple[list[Row], list[Row]]:
    """Texts to train on, some longer than a window, and texts to evaluate on."""
    pairs: list[Row] = [(example.text, example.label) for example in sentiment_samples("en")]
    long: list[Row] = [(" ".join(text for text, _ in pairs[i : i + 4]), pairs[i][1]) for i in (0, 40, 200)]
    return pairs[::5] + long, pairs[1::9]


def train(model: Path, out: Path, *, resume: bool) -> None:
    """The command, begun or resumed."""
    learn, check = rows()
    finetune(learn, check, model=model, out=out, resume=resume, **SETTINGS)


class Watch:
    """Counts calls to the system under a folder, and ends the process at the chosen one."""

    def __init__(self, folder: Path, point: Point | None) -> None:
        self.folder, self.point = str(folder), point
        self.calls: list[str] = []
        self.files = 0

    def install(self) -> None:
        """From here on every call counts."""
        sys.addaudithook(self._hear)
        flush = store._flush_one

        def flushing(path: Path) -> None:
            self._count(f"fsync {path.name}")
            flush(path)

        store._flush_one = flushing
        for module in (weights, state):
            self._tear(module)

    def _tear(self, module: Any) -> None:
        save = module.save_file

        def saving(tensors: Any, file: Path, *rest: Any, **options: Any) -> None:
            save(tensors, file, *rest, **options)
            if str(file).startswith(self.folder):
                self.files += 1
                if self.point is not None and self.point.kind == "torn" and self.files == self.point.at:
                    os.truncate(file, Path(file).stat().st_size // 2)
                    self._end()

        module.save_file = saving

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event not in ("os.rename", "os.mkdir", "os.remove", "shutil.rmtree"):
            return
        if isinstance(arguments[0], str | Path) and str(arguments[0]).startswith(self.folder):
            self._count(f"{event} {Path(arguments[0]).name}")

    def _count(self, what: str) -> None:
        self.calls.append(what)
        if self.point is not None and self.point.kind == "save" and len(self.calls) == self.point.at:
            self._end()

    def _end(self) -> None:
        assert self.point is not None
        os.kill(os.getpid(), self.point.signal)


def in_child(work: Callable[[], None], after: float | None = None, number: int = signal.SIGKILL) -> int:
    """Run `work` in a forked process, ended by a signal after some seconds; its wait status."""
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
        time.sleep(after)
        os.kill(child, number)
    return os.waitpid(child, 0)[1]


def ending(out: Path) -> dict[str, Any]:
    """Everything about a finished run that the clock does not decide."""
    loop_state = json.loads((out / "last" / "training" / "state.json").read_text(encoding="utf-8"))
    loop_state.pop("seconds")
    tensors = {
        f"{file.parent.name}/{name}": tensor.numpy().tobytes()
        for file in out.rglob("*.safetensors")
        for name, tensor in load_file(file).items()
    }
    record = json.loads((out / "run.json").read_text(encoding="utf-8"))
    texts = {name: (out / name).read_text(encoding="utf-8") for name in ("metrics.csv", "predictions.jsonl")}
    return {"finished": record["finished"], **loop_state, **tensors, **texts}


def left_behind(out: Path) -> list[str]:
    """Files that a finished run has no use for."""
    return [str(path) for path in out.rglob("*") if path.name.endswith(".tmp") or ".previous" in path.name]


def draw(count: int, seed: int, calls: list[str], files: int) -> list[list[Point]]:
    """For each run the points at which it is ended, one after the other; each kind of call as often as another."""
    rng = random.Random(seed)
    of_kind: dict[str, list[int]] = {}
    for number, call in enumerate(calls, start=1):
        of_kind.setdefault(call.partition(" ")[0], []).append(number)
    signals = [signal.SIGKILL] * 6 + [signal.SIGTERM, signal.SIGINT]

    def one(kind: str) -> Point:
        if kind == "clock":
            return Point(kind, rng.random(), rng.choice(signals))
        return Point(
            kind, rng.randint(1, files) if kind == "torn" else rng.choice(of_kind[rng.choice(sorted(of_kind))])
        )

    kinds = ["save", "clock", "torn", "clock", "save", "clock", "save", "clock"]
    return [[one(kinds[i % 8])] + ([one("clock")] if i % 5 == 4 else []) for i in range(count)]


def main() -> None:
    """Print the histogram of the points and how many endings were equal; exit code 1 if one was not."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=200)
    parser.add_argument("--seed", type=int, default=2026)
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        model = make_model(folder / "model")
        whole = folder / "whole"
        log = folder / "calls.json"

        def counted() -> None:
            watch = Watch(whole, None)
            watch.install()
            train(model, whole, resume=False)
            log.write_text(json.dumps({"calls": watch.calls, "files": watch.files}), encoding="utf-8")

        started = time.monotonic()
        assert in_child(counted) == 0, "the uninterrupted run failed"
        seconds = time.monotonic() - started
        seen = json.loads(log.read_text(encoding="utf-8"))
        truth = ending(whole)
        wrong, where, inside = [], Counter[str](), 0
        for number, points in enumerate(draw(options.points, options.seed, seen["calls"], seen["files"])):
            out = folder / f"run-{number}"
            for attempt, point in enumerate(points):

                def job(out: Path = out, point: Point = point, attempt: int = attempt) -> None:
                    Watch(out, point).install()
                    train(model, out, resume=attempt > 0)

                after = point.at * seconds if point.kind == "clock" else None
                status = in_child(job, after, point.signal)
                call = seen["calls"][int(point.at) - 1] if point.kind == "save" else ""
                where[call.partition(" ")[0] if call else point.kind] += 1
                if point.kind != "clock":
                    inside += 1
                    assert os.WIFSIGNALED(status), f"{point} was not reached: status {status}"
            status = in_child(lambda out=out: train(model, out, resume=True))  # type: ignore[misc]
            found = ending(out) if status == 0 else {}
            different = [name for name in truth if found.get(name) != truth[name]]
            if different or left_behind(out):
                wrong.append((number, points, status, different, left_behind(out)))
        for what, count in where.most_common():
            print(f"{what:14} {count:4} {'#' * count}")
        equal = options.points - len(wrong)
        print(
            f"{options.points} runs, {sum(where.values())} ends, {inside} of them inside a save: {equal} equal endings"
        )
        for line in wrong:
            print("differs:", *(str(part)[:300] for part in line))
        sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
