"""From a source of labelled texts to a run folder."""

from __future__ import annotations

import logging
import math
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from bertwright.checkpoint.folders import whole_folder
from bertwright.checkpoint.hub import model_folder
from bertwright.checkpoint.lock import sole_writer
from bertwright.data.examples import Example, digest_of
from bertwright.data.reading.tables import Columns, Table
from bertwright.data.split import hold_out
from bertwright.errors import BertwrightError, quantity
from bertwright.machine.device import usable_device
from bertwright.reports.report import RunStory, write_report
from bertwright.runs.results import Outcome
from bertwright.runs.resuming import check_same_kind, check_same_run, kept_settings
from bertwright.runs.run_folder import TRAINING, RunFolder, run_facts
from bertwright.runs.saving import FolderKeeper
from bertwright.runs.training_state import TrainingState
from bertwright.tasks.registry import TRAINABLE, task_for, write_task
from bertwright.tasks.task import Prediction, Task
from bertwright.text.tokenizer.tokenizer import BertTokenizer
from bertwright.training.finetuning.dev_set import DevSet
from bertwright.training.finetuning.preparation import prepare, say_what_was_found
from bertwright.training.finetuning.resolved_settings import reading_of, resolve
from bertwright.training.loop import Trainer
from bertwright.training.loop_settings import FinetuneSettings
from bertwright.training.optimizer import describe_rates, freeze_layers
from bertwright.training.steps import ExampleFeed

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
    """

    folder: Path
    task: Task
    outcome: Outcome
    dev: Sequence[Example]
    predictions: Sequence[Prediction]


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
    settings = (settings or FinetuneSettings.resolve()).changed(**changes)
    for seed in seeds:
        FinetuneSettings.resolve(seed=seed)  # whether it may be one
    if len(set(seeds)) < len(seeds):
        raise BertwrightError("BW636", seeds=",".join(map(str, seeds)))
    place = usable_device(device)
    kind = task_for(train, task, encoding)
    _check_settings(settings, kind)
    table = kind.read(train, columns, labelled=True, encoding=encoding)
    log.info("%s", table.summary())
    wanted = kind.from_examples(table.examples, table.source).with_options(settings.model_dump())
    if dev is None:
        kept, held = hold_out(table.examples, settings.dev_share, settings.seed)
        log.info("no dev set given: %d of %d examples held out", len(held), len(table.examples))
        tables = replace(table, examples=kept), replace(table, examples=held)
    else:
        dev_table = kind.read(
            dev, columns, labelled=True, encoding=encoding, name="dev", pair=table.is_pair, known=wanted.class_names
        )
        log.info("%s", dev_table.summary())
        wanted.check(dev_table.examples)
        tables = table, dev_table
        if "dev_share" in settings.model_fields_set:
            log.warning("dev_share=%s has no effect: a dev set is given", settings.dev_share)
    for line in settings.without_effect():
        log.warning("%s", line)
    job = _Job(wanted, model, tables, place, settings)
    reads = [job.model, *(Path(one) for one in (train, dev) if isinstance(one, str | Path))]
    with sole_writer(Path(out)):
        folder = RunFolder(Path(out), overwrite=overwrite, resume=resume, reads=reads)
        if folder.record is not None:
            check_same_kind(folder.path, folder.record, seeds)
        if not seeds:
            return job.run(folder, settings.seed)
        folder.write_run({"finished": False, "seeds": list(seeds)})
        runs = []
        for seed in seeds:
            log.info("seed %d", seed)
            runs.append(job.run(RunFolder(folder.path / f"seed-{seed}", resume=resume), seed))
        return _summarise(folder, runs, seeds)


def _check_settings(settings: FinetuneSettings, kind: type[Task]) -> None:
    """Refuse a setting that was given and means nothing to the task."""
    for other in TRAINABLE.values():
        for name in other.own_settings:
            if name in settings.model_fields_set and name not in kind.own_settings:
                raise BertwrightError("BW124", name=name, value=getattr(settings, name), task=kind.name)
    if "long" in settings.model_fields_set and settings.long == "window" and kind.of_windows is None:
        raise BertwrightError("BW124", name="long", value=settings.long, task=kind.name)


class _Job:
    """Everything of a run that does not depend on the seed.

    Attributes:
        model: the folder of the model that training starts from.
    """

    def __init__(
        self,
        task: Task,
        model: str | Path,
        tables: tuple[Table, Table],
        device: torch.device,
        settings: FinetuneSettings,
    ) -> None:
        self.model, self._device = whole_folder(model_folder(model)), device
        self._tokenizer = BertTokenizer.from_pretrained(self.model)
        self._task = task = task.bound(self._tokenizer)
        config = task.starting_config(self.model, **settings.dropout_values())
        if len(self._tokenizer) > config.vocab_size:
            raise BertwrightError("BW325", model=model, tokens=len(self._tokenizer), rows=config.vocab_size)
        if settings.freeze > config.num_hidden_layers:
            raise BertwrightError("BW109", freeze=settings.freeze, layers=config.num_hidden_layers)
        self._requested, self._settings = settings, resolve(settings, task, config, device)
        self._reading = reading_of(self._settings)
        train, dev = (table.examples for table in tables)
        for examples in (train, dev):
            task.check_model(config, examples)
        self._sources = tables[0].source, tables[1].source
        self._train = prepare(task, self._tokenizer, train, self._reading, settings.class_weight)
        self._dev = prepare(task, self._tokenizer, dev, self._reading)
        say_what_was_found(tables, (self._train, self._dev), self._tokenizer, self._reading)

    def run(self, folder: RunFolder, seed: int) -> Run:
        """Train once, or go on with the run that the folder holds."""
        task, requested = self._task, self._requested.model_copy(update={"seed": seed})
        settings, checkpoint = self._settings.model_copy(update={"seed": seed}), None
        record = self._record(requested, settings)
        if folder.record is not None:
            check_same_run(folder.path, folder.record, record)
            settings = kept_settings(FinetuneSettings, folder.path, folder.record, record)
            record["settings"] = settings.model_dump()
            checkpoint = folder.checkpoint()
        torch.manual_seed(seed)
        if checkpoint is None:
            net = task.starting_model(self.model, **settings.dropout_values())
        else:
            net = task.model_class.load(checkpoint)
        if net.load_report is not None:
            log.info("%s", net.load_report.summary())
        net.to(self._device)
        net.checkpoint_layers(settings.gradient_checkpointing)
        if settings.freeze:
            share = freeze_layers(net, settings.freeze) / net.num_parameters()
            log.info("embeddings and %d layers frozen: %.0f %% of the weights", settings.freeze, 100 * share)
        fresh = any(name.startswith("classifier") for name in (net.load_report.fresh if net.load_report else ()))

        def describe(staging: Path, predictions: Sequence[Prediction] | None) -> None:
            known = task if predictions is None else task.calibrated(predictions, self._dev.examples)
            write_task(staging, known, self._reading)

        keeper = FolderKeeper(folder, net, self._tokenizer, describe)
        trainer = Trainer(
            net,
            task,
            ExampleFeed(self._train, settings.batch_size, seed),
            DevSet(net, task, self._dev, settings.precision),
            settings,
            folder.path,
            keeper,
            loss_at_start=task.loss_at_start() if fresh else None,
            resume_from=None if checkpoint is None else checkpoint / TRAINING,
        )
        if checkpoint is None:
            folder.write_run(record | {"finished": False})
        else:
            keeper.repair(trainer.state, checkpoint)
        log.info("learning rates at their peak: %s", describe_rates(net, settings))
        outcome = trainer.run()
        for remark in task.remarks(net):
            log.warning("%s", remark)
        predictions = outcome.best.predictions
        if predictions is None:  # made before an interruption, and not stored
            best = task.model_class.load(whole_folder(folder.path / "best")).to(self._device)
            predictions = DevSet(best, task, self._dev, settings.precision)().predictions
        run = Run(
            folder.path, task.calibrated(predictions, self._dev.examples), outcome, self._dev.examples, predictions
        )
        if folder.record is not None and folder.record["finished"]:
            log.info("%s is finished already: nothing to do", folder.path)
        else:
            record |= outcome.summary()
            self._finish(folder, record, run, trainer.state)
        trainer.interruption.obey(f"stopped in the last step: the run in {folder.path} is finished")
        return run

    def _record(self, requested: FinetuneSettings, settings: FinetuneSettings) -> dict[str, Any]:
        """What `run.json` says from the beginning."""
        return run_facts(self._task.name, str(self.model), self._device) | {
            "train_source": self._sources[0],
            "train_examples": len(self._train.examples),
            "train_sha256": digest_of(self._train.examples),
            "dev_source": self._sources[1],
            "dev_examples": len(self._dev.examples),
            "dev_sha256": digest_of(self._dev.examples),
            "requested": requested.model_dump(),
            "settings": settings.model_dump(),
        }

    def _finish(self, folder: RunFolder, record: dict[str, Any], run: Run, state: TrainingState) -> None:
        """Write `run.json` and the report of a run that is over."""
        record["settings"] = record["settings"] | {"micro_tokens": state.micro_tokens}
        story = RunStory(
            record=record,
            task=run.task,
            examples=run.dev,
            predictions=run.predictions,
            metrics=state.rows,
            best_step=run.outcome.best.step,
            losses=[step.loss for step in run.outcome.history],
            train_classes=Counter(example.label or "" for example in self._train.examples),
            temperature=run.task.temperature,
        )
        write_report(folder.path, story)
        folder.finish()
        folder.write_run(record)


def _summarise(folder: RunFolder, runs: Sequence[Run], seeds: Sequence[int]) -> Run:
    """Mean and spread over the seeds; the best model is copied to the top."""
    metric = runs[0].task.metric
    known = [run for run in runs if not math.isnan(run.outcome.best.scores[metric])]
    best = max(known or runs, key=lambda run: run.outcome.best.scores[metric])
    summary: dict[str, Any] = {}
    for name in best.outcome.best.scores:
        values = [run.outcome.best.scores[name] for run in runs]
        spread = statistics.stdev(values) if len(values) > 1 and all(map(math.isfinite, values)) else math.nan
        summary[name] = {
            "mean": statistics.mean(values),
            "sd": None if math.isnan(spread) else spread,
            "values": values,
        }
        said = "" if math.isnan(spread) else f" ± {spread:.4f}"
        log.info("%s over %s: %.4f%s", name, quantity(len(values), "seed"), summary[name]["mean"], said)
    folder.keep_as_best(best.folder / "best")
    folder.write_run({"finished": True, "seeds": list(seeds), "best_seed": seeds[runs.index(best)], "scores": summary})
    return replace(best, folder=folder.path)
