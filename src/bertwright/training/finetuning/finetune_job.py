"""`FinetuneJob`: a task, its data, and the model that learns it."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import torch

from bertwright.checkpoint.folders import whole_folder
from bertwright.checkpoint.vocabulary_rows import check_rows
from bertwright.data.examples import digest_of
from bertwright.data.reading.tables import Table
from bertwright.errors import BertwrightError
from bertwright.machine.precision import precision_of_answers
from bertwright.model.models import BertWithHead
from bertwright.reports.card import Card
from bertwright.reports.report import write_report
from bertwright.runs.results import RunResult
from bertwright.runs.run_folder import RunFolder, run_facts
from bertwright.runs.training_state import TrainingState
from bertwright.tasks.prediction import Prediction
from bertwright.tasks.task import Task
from bertwright.tasks.task_file import read_task, write_task
from bertwright.text.tokenizer.tokenizer import BertTokenizer
from bertwright.training.finetuning.dev_set import DevSet
from bertwright.training.finetuning.epochs import say_if_rising, with_enough_epochs
from bertwright.training.finetuning.finished_run import Run
from bertwright.training.finetuning.preparation import prepare, say_what_was_found
from bertwright.training.finetuning.resolved_settings import decided_settings, reading_of
from bertwright.training.finetuning.task_settings import foreign_to
from bertwright.training.lesson import Lesson
from bertwright.training.loop import Course
from bertwright.training.loop_settings import FinetuneSettings
from bertwright.training.optimizer import describe_rates, freeze_layers
from bertwright.training.session import Job
from bertwright.training.steps import ExampleSteps
from bertwright.training.world import World
from bertwright.wording import said

log = logging.getLogger("bertwright")


class FinetuneJob(Job[FinetuneSettings, Run]):
    """A task, its data, and the model that learns it.

    Attributes:
        start: the folder of the model that training starts from.

    Raises:
        BertwrightError: BW325 a model with fewer rows than its vocabulary has tokens, BW109 with fewer layers than are
            to be frozen, and those of `Task.check_model`.
    """

    def __init__(
        self,
        task: Task[Any, Any],
        model: Path,
        tables: tuple[Table, Table],
        device: torch.device,
        settings: FinetuneSettings,
        world: World,
        data_sha256: str,
    ) -> None:
        """`data_sha256`: of the training data as it was given, a part that was held out included."""
        self.start, self._device, self.world = model, device, world
        self.tokenizer = BertTokenizer.from_pretrained(self.start)
        self.objective = self._task = task = task.bound(self.tokenizer)
        config = task.starting_config(self.start, **settings.dropout_values())
        check_rows(model, len(self.tokenizer), config.vocab_size)
        if settings.freeze > config.num_hidden_layers:
            raise BertwrightError("BW109", freeze=settings.freeze, layers=config.num_hidden_layers)
        self.foreign = set(foreign_to(type(task))) - set(type(settings).model_fields)
        self.requested, self._settings = settings, decided_settings(settings, task, config, device, world)
        self._reading = reading_of(self._settings)
        train, dev = (table.examples for table in tables)
        for examples in (train, dev):
            task.check_model(config, examples)
        self._sources, self._data_sha256 = (tables[0].source, tables[1].source), data_sha256
        self._train = prepare(task, self.tokenizer, train, self._reading, settings.class_weight)
        self._dev = prepare(task, self.tokenizer, dev, self._reading)
        self._ledger = say_what_was_found(tables, (self._train, self._dev), self.tokenizer, self._reading)

    def with_seed(self, seed: int) -> Self:
        """The same with another seed; what was read and encoded is shared."""
        job = copy(self)
        job.requested = self.requested.model_copy(update={"seed": seed})
        job._settings = self._settings.model_copy(update={"seed": seed})
        return job

    def record(self) -> dict[str, Any]:
        return run_facts(self._task.name, str(self.start), self._device) | {
            "train_source": self._sources[0],
            "train_examples": len(self._train.examples),
            "train_sha256": digest_of(self._train.examples),
            "data_sha256": self._data_sha256,
            "dev_source": self._sources[1],
            "dev_examples": len(self._dev.examples),
            "dev_sha256": digest_of(self._dev.examples),
        }

    def model(self, checkpoint: Path | None) -> BertWithHead:
        task, settings = self._task, self.requested
        torch.manual_seed(settings.seed)
        if checkpoint is None:
            net = task.starting_model(self.start, **settings.dropout_values())
        else:
            net = task.model_class.load(checkpoint)
        if net.load_report is not None:
            log.info(net.load_report.summary())
        net.to(self._device)
        net.checkpoint_layers(settings.gradient_checkpointing)
        if settings.freeze:
            share = freeze_layers(net, settings.freeze) / net.num_parameters()
            log.info(
                said("embeddings and {n} layers frozen: {share:.0%} of the weights", n=settings.freeze, share=share)
            )
        return net

    def decide(self, model: BertWithHead) -> FinetuneSettings:
        return with_enough_epochs(self.requested, self._settings, len(self._train.examples))

    @contextmanager
    def course(self, lesson: Lesson, settings: FinetuneSettings) -> Iterator[Course]:
        net = lesson.model
        log.info(said("learning rates at their peak: {rates}", rates=describe_rates(net, settings)))
        fresh = any(name.startswith("classifier") for name in (net.load_report.fresh if net.load_report else ()))
        yield Course(
            ExampleSteps(self._train, settings.batch_size, settings.seed),
            DevSet(net, self._task, self._dev, settings.precision),
            loss_at_start=self._task.loss_at_start() if fresh else None,
        )

    def describe(self, staging: Path, predictions: Sequence[Prediction] | None) -> None:
        task = self._task if predictions is None else self._task.calibrated(predictions, self._dev.examples)
        write_task(staging, task, self._reading)

    def judged_as_used(self, folder: Path, settings: FinetuneSettings, result: RunResult) -> RunResult:
        """The dev set once more with the saved model, in the numbers in which it will answer.

        Nothing is computed twice where it was trained in these and not interrupted since.
        """
        best, precision = result.best, precision_of_answers("auto", self._device)
        if settings.precision == precision and best.predictions is not None:
            return result
        model = self._task.model_class.load(whole_folder(folder / "best")).to(self._device)
        found = DevSet(model, self._task, self._dev, precision)()
        return replace(result, best=replace(best, scores=found.scores, predictions=found.predictions))

    def ended(self, folder: Path, model: BertWithHead, settings: FinetuneSettings, result: RunResult) -> Run:
        for remark in self._task.remarks(model):
            log.warning(remark)
        predictions, dev = result.best.predictions, self._dev.examples
        assert predictions is not None
        task, _ = read_task(folder / "best")  # with the temperature that it will answer with
        return Run(folder, task.as_task(), result, dev, predictions, self._task.judge(predictions, dev), self._ledger)

    def finish(self, folder: RunFolder, record: dict[str, Any], run: Run, state: TrainingState) -> None:
        """Write the report of a run that is over."""
        say_if_rising(state.rows, run.task.metric, run.outcome.best.step, record["settings"])
        record["settings"] = record["settings"] | {"micro_tokens": state.micro_tokens}
        card = Card(
            folder=folder.path,
            record=record,
            task=run.task,
            judged=run.judged,
            metrics=state.rows,
            best_step=run.outcome.best.step,
            train_classes=Counter(name for one in self._train.examples if one.answer for name in one.answer.classes()),
            truncated=sum(one.truncated for one in run.predictions),
            is_pair=any(one.text_b is not None for one in run.dev),
        )
        write_report(card, run.dev, run.predictions, [step.loss for step in run.outcome.history])
