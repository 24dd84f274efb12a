"""A world of two, played by two threads: what one finds out, both do, and what they compute together is the whole."""

from __future__ import annotations

import json
import math
import signal
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import pytest
import torch
from torch import Tensor, nn

from bertwright import BertTokenizer
from bertwright.data.samples import sentiment_samples
from bertwright.data.windows import Reading
from bertwright.model.models import BertWithHead
from bertwright.runs.results import DevScores, RunResult
from bertwright.runs.run_folder import RunFolder
from bertwright.runs.saving import Saver
from bertwright.tasks.classification import Classification
from bertwright.training.finetuning import resolved_settings
from bertwright.training.finetuning.preparation import prepare
from bertwright.training.finetuning.resolved_settings import decided_settings
from bertwright.training.interruption import TERMINATED
from bertwright.training.lesson import Lesson
from bertwright.training.loop import Course, Trainer
from bertwright.training.loop_settings import FinetuneSettings
from bertwright.training.session import open_folder, written_by
from bertwright.training.steps import Dataset, ExampleSteps
from bertwright.training.world import World

T = TypeVar("T")
SIZE = 2
CPU = torch.device("cpu")
TASK = Classification(("negative", "positive"), reads_pairs=False)


class Table:
    """Where the processes of a world lay down what each has, and wait for the others."""

    def __init__(self, size: int) -> None:
        self._places: list[Any] = [None] * size
        self._barrier = threading.Barrier(size, timeout=30)

    def gather(self, rank: int, value: T) -> list[T]:
        """What each has, in the order of their ranks."""
        self._places[rank] = value
        self._barrier.wait()
        found = list(self._places)
        self._barrier.wait()
        return found

    def leave(self) -> None:
        """Nobody waits any longer for one who has failed."""
        self._barrier.abort()


class Threads(World):
    """One of several processes that are threads."""

    def __init__(self, rank: int, table: Table) -> None:
        self.rank, self.size, self._table = rank, SIZE, table

    def share(self, parts: Iterable[T]) -> Iterable[T]:
        return islice(parts, self.rank, None, self.size)

    def sum_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        for parameter in parameters:
            if parameter.grad is not None:
                parameter.grad = self.sum(parameter.grad)

    def sum(self, numbers: Tensor) -> Tensor:
        return torch.stack(self._table.gather(self.rank, numbers)).sum(0)

    def least(self, number: int) -> int:
        return min(self._table.gather(self.rank, number))

    def agree_any(self, flag: bool) -> bool:
        return any(self._table.gather(self.rank, flag))

    def agree_all(self, flag: bool) -> bool:
        return all(self._table.gather(self.rank, flag))

    def meet(self) -> None:
        self._table.gather(self.rank, None)


def in_both(work: Callable[[World], T]) -> list[T]:
    """What the two processes of a world come to."""
    table = Table(SIZE)

    def one(rank: int) -> T:
        try:
            return work(Threads(rank, table))
        except BaseException:
            table.leave()
            raise

    with ThreadPoolExecutor(SIZE) as pool:
        return list(pool.map(one, range(SIZE)))


@dataclass
class Watched:
    """A process of a run: its trainer, its model, and what it has got to.

    Attributes:
        ended: the code of its `SystemExit`; None where it came to the end.
    """

    trainer: Trainer
    model: BertWithHead
    ended: Any = None
    result: RunResult | None = None


@pytest.fixture(scope="module")
def run(tiny_model: Path) -> Callable[..., Watched]:
    """`run(world, folder, spoil=…, **settings)`: the same small run in any process of any world.

    `spoil(lesson, world)` makes something of this process go wrong.
    """
    tokenizer = BertTokenizer.from_pretrained(tiny_model)
    examples = list(sentiment_samples("en"))[:48]
    data: Dataset = prepare(TASK, tokenizer, examples, Reading(32, "head", 0))

    def work(
        world: World,
        folder: Path,
        spoil: Callable[[Trainer, Lesson, World], None] = lambda *_: None,
        scores: Iterable[float] = (),
        **changes: Any,
    ) -> Watched:
        settings = FinetuneSettings(
            **({"batch_size": 16, "learning_rate": 3e-3, "micro_tokens": 60, "epochs": 2, "seed": 3} | changes)
        )
        with _seeded:
            torch.manual_seed(0)
            model = TASK.starting_model(tiny_model, **FinetuneSettings(dropout=0.0).dropout_values())
        given = iter(scores)

        def judge() -> DevScores:
            return DevScores({"accuracy": next(given, 0.5)})

        lesson = Lesson(model, TASK, "fp32")
        opened = open_folder(world, folder)
        saver = Saver(opened, model, tokenizer, lambda *_: None)
        trainer = Trainer(lesson, Course(ExampleSteps(data, settings.batch_size, 3), judge), settings, saver, world)
        spoil(trainer, lesson, world)
        watched = Watched(trainer, model)
        try:
            watched.result = trainer.run()
        except SystemExit as end:
            watched.ended = end.code
        return watched

    return work


_seeded = threading.Lock()  # torch has one generator for all threads


def wrapped(lesson: Lesson, change: Callable[[Callable[..., Any], tuple[Any, ...]], Any]) -> None:
    """Let `change(forward, part)` be what the lesson of one process computes."""
    forward = lesson.forward
    lesson.forward = lambda *part: change(forward, part)  # type: ignore[method-assign]


def test_two_processes_learn_what_one_learns(run: Callable[..., Watched], tmp_path: Path) -> None:
    alone = run(World(), tmp_path / "alone")
    both = in_both(lambda world: run(world, tmp_path / "both"))
    assert alone.result is not None
    for one in both:
        assert one.result is not None
        assert one.result.tokens == alone.result.tokens
        assert [step.loss for step in one.result.history] == pytest.approx(
            [step.loss for step in alone.result.history], abs=1e-4
        )
        for name, tensor in alone.model.state_dict().items():
            torch.testing.assert_close(one.model.state_dict()[name], tensor, atol=2e-4, rtol=1e-3)
    first, second = (one.model.state_dict() for one in both)
    assert all(torch.equal(first[name], second[name]) for name in first), "the two never part"


def test_a_signal_to_one_stops_both_after_the_same_step(run: Callable[..., Watched], tmp_path: Path) -> None:
    def interrupt(trainer: Trainer, lesson: Lesson, world: World) -> None:
        def in_the_second_step(forward: Callable[..., Any], part: tuple[Any, ...]) -> Any:
            if trainer.state.step == 1 and not trainer.interruption.requested:
                trainer.interruption.note(signal.SIGTERM, None)
            return forward(*part)

        if not world.is_writer:
            wrapped(lesson, in_the_second_step)

    both = in_both(lambda world: run(world, tmp_path / "run", spoil=interrupt))
    assert [(one.ended, one.trainer.state.step) for one in both] == [(TERMINATED, 2)] * 2
    state = json.loads((tmp_path / "run" / "last" / "training" / "state.json").read_text(encoding="utf-8"))
    assert state["step"] == 2, "the one that was asked to stop does not write, the other one has"


def test_a_number_that_is_none_in_one_skips_the_step_in_both(run: Callable[..., Watched], tmp_path: Path) -> None:
    class OwnNumbers(Threads):
        def sum(self, numbers: Tensor) -> Tensor:
            """What each computes stays with it, as the norm of what only it could not add up."""
            return numbers

    def spoil(trainer: Trainer, lesson: Lesson, world: World) -> None:
        def bad(forward: Callable[..., Any], part: tuple[Any, ...]) -> Any:
            factor = math.nan if trainer.state.step == 1 else 1.0
            return {name: factor * value for name, value in forward(*part).items()}

        if not world.is_writer:
            wrapped(lesson, bad)

    table = Table(SIZE)
    with ThreadPoolExecutor(SIZE) as pool:
        work = lambda rank: run(OwnNumbers(rank, table), tmp_path / "run", spoil=spoil)  # noqa: E731
        both = list(pool.map(work, range(SIZE)))
    assert [one.trainer.state.skipped for one in both] == [1, 1]
    assert [math.isnan(one.trainer.state.history[1].loss) for one in both] == [False, True]
    batch = json.loads((tmp_path / "run" / "bad_batch.json").read_text(encoding="utf-8"))
    assert batch["loss"] != "nan", "the writer's own loss was a number"


def test_memory_that_one_lacks_halves_the_parts_of_both(run: Callable[..., Watched], tmp_path: Path) -> None:
    computed: list[int] = []

    def spoil(_trainer: Trainer, lesson: Lesson, world: World) -> None:
        def small_machine(forward: Callable[..., Any], part: tuple[Any, ...]) -> Any:
            if part[0].num_tokens > 50:
                raise torch.OutOfMemoryError("no memory")
            return forward(*part)

        def counted(forward: Callable[..., Any], part: tuple[Any, ...]) -> Any:
            computed.append(part[0].num_tokens)
            return forward(*part)

        wrapped(lesson, counted if world.is_writer else small_machine)

    both = in_both(lambda world: run(world, tmp_path / "run", spoil=spoil, micro_tokens=80))
    assert [one.trainer.state.micro_tokens for one in both] == [40, 40]
    assert max(computed) > 50, "the writer had the memory"
    alone = run(World(), tmp_path / "alone", micro_tokens=40)
    assert [step.loss for step in both[0].trainer.state.history] == pytest.approx(
        [step.loss for step in alone.trainer.state.history], abs=1e-4
    )


def test_evaluations_that_satisfy_one_end_both(run: Callable[..., Watched], tmp_path: Path) -> None:
    def work(world: World) -> Watched:
        scores = [0.5, 0.6, 0.7, 0.8, 0.9] if world.is_writer else [0.9, 0.8, 0.7, 0.6, 0.5]
        return run(world, tmp_path / "run", scores=scores, eval_steps=1, patience=2)

    both = in_both(work)
    assert [one.trainer.state.step for one in both] == [3, 3]
    assert all(one.result is not None and "no better evaluation" in one.result.stopped for one in both)


def test_the_clock_of_one_saves(run: Callable[..., Watched], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved: list[tuple[bool, int]] = []
    save = Saver.save

    def noted(self: Saver, state: Any, *others: Any) -> None:
        saved.append((self.folder.is_writer, state.step))
        save(self, state, *others)

    monkeypatch.setattr(Saver, "save", noted)
    in_both(lambda world: run(world, tmp_path / "run", save_minutes=1e9 if world.is_writer else 1e-9, eval_steps=6))
    assert sorted(saved) == [(writes, step) for writes in (False, True) for step in range(1, 7)]


def test_the_process_with_the_least_memory_decides_the_parts(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free = {0: 9000, 1: 700}
    here = threading.local()
    monkeypatch.setattr(resolved_settings, "choose_micro_tokens", lambda *_, **__: free[here.rank])
    config = TASK.starting_config(tiny_model)

    def work(world: World) -> int | None:
        here.rank = world.rank
        return decided_settings(FinetuneSettings(), TASK, config, CPU, world).micro_tokens

    assert in_both(work) == [700, 700]


def test_who_does_not_write_changes_no_file(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    RunFolder(folder).write_run({"finished": False, "requested": {}, "settings": {}})
    before = {path: path.stat().st_mtime_ns for path in (folder, *folder.iterdir())}
    other = RunFolder(folder, resume=True, is_writer=False)
    assert other.record == {"finished": False, "requested": {}, "settings": {}}
    assert RunFolder(tmp_path / "nowhere", overwrite=True, is_writer=False).record is None
    other.write_run({"finished": True})
    other.write_metrics([{"step": 1}])
    other.write_bad_batch({})
    other.keep_as_best(tmp_path)
    other.finish()
    assert {path: path.stat().st_mtime_ns for path in (folder, *folder.iterdir())} == before
    assert not (tmp_path / "nowhere").exists()


def test_the_writer_makes_the_folder_before_others_look_into_it(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    RunFolder(folder).write_run({"finished": True, "requested": {}, "settings": {}})

    def work(world: World) -> Any:
        with written_by(world, folder):
            opened = open_folder(world, folder, overwrite=True)
            opened.write_run({"finished": False, "requested": {}, "settings": {"rank": world.rank}})
            return opened.record

    assert in_both(work) == [None, None]
    assert json.loads((folder / "run.json").read_text(encoding="utf-8"))["settings"] == {"rank": 0}
    found = in_both(lambda world: open_folder(world, folder, resume=True).record)
    assert found[0] == found[1] is not None


def test_the_parameters_of_a_lesson_are_those_of_its_model(tiny_model: Path) -> None:
    model = TASK.starting_model(tiny_model)
    lesson = Lesson(model, TASK, "fp32")
    names = {name for name, _ in model.named_parameters()}
    assert {name for name, _ in lesson.named_parameters()} == {f"model.{name}" for name in names}


def test_what_is_put_around_a_lesson_from_outside_computes_its_steps(
    run: Callable[..., Watched], tmp_path: Path
) -> None:
    class Around(nn.Module):
        def __init__(self, lesson: Lesson) -> None:
            super().__init__()
            self.module, self.calls = lesson, 0

        def forward(self, *part: Any) -> Any:
            self.calls += 1
            return self.module(*part)

    class Wrapping(World):
        def spread(self, lesson: Lesson) -> nn.Module:
            self.around = Around(lesson)
            return self.around

    world = Wrapping()
    watched, alone = run(world, tmp_path / "run"), run(World(), tmp_path / "alone")
    assert world.around.calls > len(watched.trainer.state.history) == 6
    state = alone.model.state_dict()
    assert all(torch.equal(tensor, state[name]) for name, tensor in watched.model.state_dict().items())
    saved = tmp_path / "run" / "last" / "training" / "optimizer.safetensors"
    assert saved.read_bytes() == (tmp_path / "alone" / "last" / "training" / "optimizer.safetensors").read_bytes()
