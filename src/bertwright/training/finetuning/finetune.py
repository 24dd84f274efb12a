"""From a source of labelled texts to a run folder."""

from __future__ import annotations

import logging
import math
import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import torch

from bertwright.checkpoint.folders import whole_folder
from bertwright.checkpoint.hub import model_folder
from bertwright.data.examples import Example, digest_of
from bertwright.data.reading.opened_source import OpenedSource, opened
from bertwright.data.reading.tables import Columns, Table
from bertwright.data.split import hold_out
from bertwright.errors import BertwrightError
from bertwright.machine.device import usable_device
from bertwright.machine.precision import PRECISION_OF_ANSWERS
from bertwright.model.models import BertWithHead
from bertwright.reports.card import Card
from bertwright.reports.report import write_report
from bertwright.runs.results import RunResult
from bertwright.runs.resuming import check_same_kind
from bertwright.runs.run_folder import RunFolder, run_facts
from bertwright.runs.training_state import TrainingState
from bertwright.tasks.judged import Judged
from bertwright.tasks.prediction import Prediction
from bertwright.tasks.registry import task_for
from bertwright.tasks.task import Task
from bertwright.tasks.task_file import read_task, write_task
from bertwright.text.tokenizer.tokenizer import BertTokenizer
from bertwright.training.finetuning.dev_set import DevSet
from bertwright.training.finetuning.preparation import prepare, say_what_was_found
from bertwright.training.finetuning.resolved_settings import decided_settings, reading_of
from bertwright.training.finetuning.task_settings import every_setting, foreign_to, own_settings, settings_for
from bertwright.training.lesson import Lesson
from bertwright.training.loop import Course
from bertwright.training.loop_settings import FinetuneSettings
from bertwright.training.optimizer import describe_rates, freeze_layers
from bertwright.training.session import Job, open_folder, train_or_resume, written_by
from bertwright.training.steps import ExampleSteps
from bertwright.training.world import World, this_world
from bertwright.wording import quantity

log = logging.getLogger("bertwright")


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run.

    Attributes:
        folder: its run folder; `folder / "best"` is the model.
        task: what was trained.
        outcome: the best evaluation and the cost.
        dev: the dev examples.
        predictions: the answers of the best model to them.
        judged: what the task says of these.
    """

    folder: Path
    task: Task[Any, Any]
    outcome: RunResult
    dev: Sequence[Example]
    predictions: Sequence[Prediction]
    judged: Judged

    def to_json(self) -> dict[str, Any]:
        """Where it is and how good, as a JSON object."""
        best = self.outcome.best
        return {
            "run": str(self.folder), "model": str(self.folder / "best"), "task": self.task.name,
            "best_epoch": best.epoch, "best_step": best.step, "scores": best.scores, "dev_examples": len(self.dev),
        }  # fmt: skip


def finetune(
    train: Any,
    dev: Any = None,
    *,
    model: str | Path = "mini",
    out: str | Path,
    columns: Columns | None = None,
    encoding: str | None = None,
    settings: FinetuneSettings | None = None,
    task: str | None = None,
    seeds: Sequence[int] = (),
    device: str = "cpu",
    overwrite: bool = False,
    resume: bool = False,
    **changes: Any,
) -> Run:
    """Fine-tune a BERT on labelled texts.

    Args:
        train: a file (CSV, TSV, JSON, JSON lines, Parquet, compressed or not), a folder of class folders, a pandas
            or polars data frame, a `datasets.Dataset`, or rows: mappings, or tuples of text(s) and label.
        dev: the same, to choose the best epoch by; without it a stratified part of `train` is held out.
        model: a folder, a hub name, or `mini`, the built-in model.
        out: the run folder to write.
        columns: names of the text and label columns, where they are not the usual ones.
        encoding: of the files, instead of the detected one.
        settings: all settings at once.
        **changes: some of them, laid over `settings`, such as `epochs=2`.
        task: `classification` of texts, `tagging` of their parts, `spans`, which may lie in each other, or `seq2seq`:
            a text is written for every text; None: what the form of the data asks for.
        seeds: train once for each of them, into `out/seed-N`; `out` itself then holds the best model, and
            `run.json` the mean and the standard deviation.
        device: such as `cpu` or `cuda:0`.
        overwrite: replace the run that `out` holds.
        resume: go on with the run that `out` holds, as if it had never stopped; where there is none, begin.

    Returns:
        The run; of several seeds, the best one.

    Raises:
        BertwrightError: BW561 `resume` beside `overwrite`, BW636 a seed that stands twice, and for every other mistake
            in what was given; each says what, where, why and what to do.
    """
    if resume and overwrite:
        raise BertwrightError("BW561")
    given = every_setting().resolve(**({} if settings is None else settings.model_dump(exclude_unset=True)) | changes)
    _check_seeds(seeds)
    place = usable_device(device)
    train, dev = opened(train, encoding), opened(dev, encoding)
    kind = task_for(train, task)
    settings = settings_for(kind, given)
    table = kind.read(train, columns, labelled=True)
    log.info("%s", table.summary())
    wanted = kind.from_examples(table.examples, table.source).with_settings(own_settings(kind, settings))
    whole = digest_of(table.examples)
    tables = _with_dev(table, dev, columns, wanted, settings)
    for line in (*settings.without_effect(), *wanted.without_effect(settings.model_dump(exclude_unset=True))):
        log.warning("%s", line)
    world = this_world()
    job = FinetuneJob(wanted, model, tables, place, settings, world)
    job.data_sha256 = whole
    reads = [job.start, *(one.path for one in (train, dev) if isinstance(one, OpenedSource))]
    with written_by(world, Path(out)):
        folder = open_folder(world, Path(out), overwrite=overwrite, resume=resume, reads=reads)
        if folder.record is not None:
            check_same_kind(folder.path, folder.record, seeds)
        if not seeds:
            return train_or_resume(job, folder)
        folder.write_run({"finished": False, "seeds": list(seeds)})
        runs = []
        for seed in seeds:
            log.info("seed %d", seed)
            of_seed = open_folder(world, folder.path / f"seed-{seed}", resume=resume)
            runs.append(train_or_resume(job.with_seed(seed), of_seed))
        return _summarise(folder, runs, seeds)


def _check_seeds(seeds: Sequence[int]) -> None:
    for seed in seeds:
        FinetuneSettings.resolve(seed=seed)  # whether it may be one
    if len(set(seeds)) < len(seeds):
        raise BertwrightError("BW636", seeds=",".join(map(str, seeds)))


def _with_dev(
    table: Table, dev: Any, columns: Columns | None, task: Task[Any, Any], settings: FinetuneSettings
) -> tuple[Table, Table]:
    """The data to learn from, and that to choose the best epoch by: a part of it where none is given."""
    if dev is None:
        kept, held = hold_out(table.examples, settings.dev_share, settings.seed)
        log.info("no dev set given: %d of %d examples held out", len(held), len(table.examples))
        return replace(table, examples=kept), replace(table, examples=held)
    dev_table = task.read(dev, columns, labelled=True, name="dev", pair=table.is_pair, known=task.class_names)
    log.info("%s", dev_table.summary())
    task.check(dev_table.examples)
    if "dev_share" in settings.model_fields_set:
        log.warning("dev_share=%s has no effect: a dev set is given", settings.dev_share)
    return table, dev_table


class FinetuneJob(Job[FinetuneSettings, Run]):
    """A task, its data, and the model that learns it.

    Attributes:
        start: the folder of the model that training starts from.
        data_sha256: of the training data as it was given, a part that was held out included.

    Raises:
        BertwrightError: BW325 a model with fewer rows than its vocabulary has tokens, BW109 with fewer layers than are
            to be frozen, and those of `Task.check_model`.
    """

    data_sha256 = ""

    def __init__(
        self,
        task: Task[Any, Any],
        model: str | Path,
        tables: tuple[Table, Table],
        device: torch.device,
        settings: FinetuneSettings,
        world: World,
    ) -> None:
        self.start, self._device, self.world = whole_folder(model_folder(model)), device, world
        self.tokenizer = BertTokenizer.from_pretrained(self.start)
        self.objective = self._task = task = task.bound(self.tokenizer)
        config = task.starting_config(self.start, **settings.dropout_values())
        if len(self.tokenizer) > config.vocab_size:
            raise BertwrightError("BW325", model=model, tokens=len(self.tokenizer), rows=config.vocab_size)
        if settings.freeze > config.num_hidden_layers:
            raise BertwrightError("BW109", freeze=settings.freeze, layers=config.num_hidden_layers)
        self.foreign = set(foreign_to(type(task))) - set(type(settings).model_fields)
        self.requested, self._settings = settings, decided_settings(settings, task, config, device, world)
        self._reading = reading_of(self._settings)
        train, dev = (table.examples for table in tables)
        for examples in (train, dev):
            task.check_model(config, examples)
        self._sources = tables[0].source, tables[1].source
        self._train = prepare(task, self.tokenizer, train, self._reading, settings.class_weight)
        self._dev = prepare(task, self.tokenizer, dev, self._reading)
        say_what_was_found(tables, (self._train, self._dev), self.tokenizer, self._reading)

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
            "data_sha256": self.data_sha256,
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
            log.info("%s", net.load_report.summary())
        net.to(self._device)
        net.checkpoint_layers(settings.gradient_checkpointing)
        if settings.freeze:
            share = freeze_layers(net, settings.freeze) / net.num_parameters()
            log.info("embeddings and %d layers frozen: %.0f %% of the weights", settings.freeze, 100 * share)
        return net

    def decide(self, model: BertWithHead) -> FinetuneSettings:
        return self._settings

    @contextmanager
    def course(self, lesson: Lesson, settings: FinetuneSettings) -> Iterator[Course]:
        net = lesson.model
        log.info("learning rates at their peak: %s", describe_rates(net, settings))
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
        best = result.best
        if settings.precision == PRECISION_OF_ANSWERS and best.predictions is not None:
            return result
        model = self._task.model_class.load(whole_folder(folder / "best")).to(self._device)
        found = DevSet(model, self._task, self._dev, PRECISION_OF_ANSWERS)()
        return replace(result, best=replace(best, scores=found.scores, predictions=found.predictions))

    def ended(self, folder: Path, model: BertWithHead, settings: FinetuneSettings, result: RunResult) -> Run:
        for remark in self._task.remarks(model):
            log.warning("%s", remark)
        predictions, dev = result.best.predictions, self._dev.examples
        assert predictions is not None
        task, _ = read_task(folder / "best")  # with the temperature that it will answer with
        return Run(folder, task.as_task(), result, dev, predictions, self._task.judge(predictions, dev))

    def finish(self, folder: RunFolder, record: dict[str, Any], run: Run, state: TrainingState) -> None:
        """Write the report of a run that is over."""
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


def _summarise(folder: RunFolder, runs: Sequence[Run], seeds: Sequence[int]) -> Run:
    """Mean and spread over the seeds; the best model is copied to the top."""
    metric, sign = runs[0].task.metric, 1 if runs[0].task.higher_is_better else -1
    known = [run for run in runs if not math.isnan(run.outcome.best.scores[metric])]
    best = max(known or runs, key=lambda run: sign * run.outcome.best.scores[metric])
    summary: dict[str, Any] = {}
    for name in best.outcome.best.scores:
        values = [run.outcome.best.scores[name] for run in runs]
        spread = statistics.stdev(values) if len(values) > 1 and all(map(math.isfinite, values)) else None
        summary[name] = {"mean": statistics.mean(values), "sd": spread, "values": values}
        said = "" if spread is None else f" ± {spread:.4f}"
        log.info("%s over %s: %.4f%s", name, quantity(len(values), "seed"), summary[name]["mean"], said)
    folder.keep_as_best(best.folder / "best")
    folder.write_run({"finished": True, "seeds": list(seeds), "best_seed": seeds[runs.index(best)], "scores": summary})
    return replace(best, folder=folder.path)
