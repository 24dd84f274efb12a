"""The story of a training run, from its first file to its last, which is the same whatever is trained."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from bertwright.checkpoint.lock import sole_writer
from bertwright.model.models import BertWithHead
from bertwright.runs.results import RunResult
from bertwright.runs.resuming import check_same_run, kept_settings
from bertwright.runs.run_folder import RunFolder
from bertwright.runs.saving import Saver
from bertwright.runs.training_state import TrainingState
from bertwright.tasks.prediction import Prediction
from bertwright.tasks.task import Objective
from bertwright.text.tokenizer.tokenizer import BertTokenizer
from bertwright.training.lesson import Lesson
from bertwright.training.loop import Course, Trainer
from bertwright.training.loop_settings import LoopSettings
from bertwright.training.world import World
from bertwright.wording import said

S = TypeVar("S", bound=LoopSettings)
R = TypeVar("R")

log = logging.getLogger("bertwright")


class Job(ABC, Generic[S, R]):
    """What one kind of training adds to the story. S are its settings, R is what a finished run is for its caller.

    Attributes:
        decided: settings, beside those of every run, that have a value once a run has begun.
        foreign: settings of other jobs, which earlier versions wrote for every run.
        world: who trains.
        requested: the settings as the user gave them.
        objective: what is learnt.
        tokenizer: saved with the model.
    """

    decided: ClassVar[tuple[str, ...]] = ()
    foreign: Collection[str] = ()
    world: World
    requested: S
    objective: Objective
    tokenizer: BertTokenizer

    @abstractmethod
    def record(self) -> dict[str, Any]:
        """What `run.json` says from the beginning, the settings aside."""

    @abstractmethod
    def model(self, checkpoint: Path | None) -> BertWithHead:
        """The model to begin with, or that of a checkpoint, on its device."""

    @abstractmethod
    def decide(self, model: BertWithHead) -> S:
        """The settings with everything decided that was left to the model and the machines of the world."""

    @abstractmethod
    def course(self, lesson: Lesson, settings: S) -> AbstractContextManager[Course]:
        """What the lesson is learnt from, open while it is."""

    @abstractmethod
    def describe(self, staging: Path, predictions: Sequence[Prediction] | None) -> None:
        """Write `task.json` into a model folder; predictions of the dev set come with an evaluation."""

    def judged_as_used(self, folder: Path, settings: S, result: RunResult) -> RunResult:
        """The result with the scores that the best model has for who uses it, where those of the training differ."""
        return result

    @abstractmethod
    def ended(self, folder: Path, model: BertWithHead, settings: S, result: RunResult) -> R:
        """The run for its caller; `model` is as the last step left it."""

    @abstractmethod
    def finish(self, folder: RunFolder, record: dict[str, Any], run: R, state: TrainingState) -> None:
        """Write the report of a run that is over; what is to stand in `run.json` may be added to the record."""


def train_or_resume(job: Job[S, R], folder: RunFolder) -> R:
    """Train, or go on with the run that the folder holds.

    Raises:
        BertwrightError: BW506 and BW507 the folder holds the run of another command, or what cannot be understood.
        KeyboardInterrupt, SystemExit: after a signal, when everything done is written.
    """
    record = job.record() | {"requested": job.requested.model_dump(mode="json")}
    world, earlier, checkpoint, settings = job.world, folder.record, None, None
    if earlier is not None:
        check_same_run(folder.path, earlier, record)
        settings = kept_settings(type(job.requested), folder.path, earlier, record, job.decided, job.foreign)
        checkpoint = folder.checkpoint()
    model = job.model(checkpoint)
    settings = settings or job.decide(model)
    record["settings"] = settings.model_dump()
    saver = Saver(folder, model, job.tokenizer, job.describe, checkpoint)
    lesson = Lesson(model, job.objective, settings.precision)
    with job.course(lesson, settings) as course:
        trainer = Trainer(lesson, course, settings, saver, world)
        if checkpoint is None:
            folder.write_run(record | {"finished": False})
        world.meet()  # who writes has repaired what lies there
        result = job.judged_as_used(folder.path, settings, trainer.run())
    run = job.ended(folder.path, model, settings, result)
    if earlier is not None and earlier["finished"]:
        log.info(said("{folder} is finished already: nothing to do", folder=folder.path))
    elif world.is_writer:
        record |= result.summary()
        job.finish(folder, record, run, trainer.state)
        folder.finish()
        folder.write_run(record)
    if world.agree_any(trainer.interruption.requested):
        log.info(said("stopped in the last step: the run in {folder} is finished", folder=folder.path))
        trainer.interruption.end()
    return run


def written_by(world: World, path: Path) -> AbstractContextManager[None]:
    """While the block lasts, only the writer of this world writes to the folder of a run; see `sole_writer`.

    Raises:
        BertwrightError: BW514 somebody else is writing there.
    """
    return sole_writer(path) if world.is_writer else nullcontext()


def open_folder(
    world: World, path: Path, *, overwrite: bool = False, resume: bool = False, reads: Sequence[Path] = ()
) -> RunFolder:
    """The folder of a run, made by the writer before the others look what is in it; see `RunFolder`."""
    folder = RunFolder(path, overwrite=overwrite, resume=resume, reads=reads) if world.is_writer else None
    world.meet()
    folder = folder or RunFolder(path, resume=resume, is_writer=False)
    world.meet()
    return folder
