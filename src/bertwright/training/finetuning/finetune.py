"""From a source of labelled texts to a run folder."""

from __future__ import annotations

import inspect
import logging
import math
import os
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bertwright.checkpoint.folders import whole_folder
from bertwright.checkpoint.hub import weights_folder
from bertwright.checkpoint.replacing import require_path
from bertwright.data.examples import digest_of
from bertwright.data.reading.given_data import rows_of, say_read
from bertwright.data.reading.opened_source import OpenedSource, opened
from bertwright.data.reading.tables import Columns, Table
from bertwright.data.split import hold_out
from bertwright.errors import BertwrightError, nearest
from bertwright.habits import habit
from bertwright.machine.device import usable_device
from bertwright.runs.resuming import check_same_kind
from bertwright.runs.run_folder import RunFolder
from bertwright.tasks.registry import task_for
from bertwright.tasks.task import Task
from bertwright.training.finetuning.finetune_job import FinetuneJob
from bertwright.training.finetuning.finished_run import Run
from bertwright.training.finetuning.task_settings import every_setting, own_settings, settings_for
from bertwright.training.loop_settings import FinetuneSettings
from bertwright.training.session import open_folder, train_or_resume, written_by
from bertwright.training.world import this_world
from bertwright.wording import quantity, said

log = logging.getLogger("bertwright")

# What an option of the command line is called in Python, where it is not the same word.
_OF_OPTIONS = {
    "--text-column": "text",
    "--text-b-column": "text_b",
    "--label-column": "label",
    "--input": "text",
    "--output": "out",
}


def finetune(
    train: Any,
    dev: Any = None,
    *,
    model: str | os.PathLike[str] = "mini",
    out: str | Path,
    columns: Columns | None = None,
    encoding: str | None = None,
    settings: FinetuneSettings | None = None,
    task: str | None = None,
    seeds: Sequence[int] = (),
    device: str = "cpu",
    overwrite: bool = False,
    resume: bool = False,
    text: str | None = None,
    text_b: str | None = None,
    label: str | None = None,
    delimiter: str | None = None,
    download: bool = False,
    drop_unlabelled: bool = False,
    **changes: Any,
) -> Run:
    """Fine-tune a BERT on labelled texts.

        run = bertwright.finetune("train.csv", "dev.csv", out="runs/first", epochs=3)
        run = bertwright.finetune(frame, text="review", label="stars", out="runs/first")
        run = bertwright.finetune(["good", "bad", …], ["pos", "neg", …], out="runs/first")
        run.scores, run.ledger
        bertwright.Predictor.load(run)(["a text", "another"])

    Args:
        train: a file (CSV, TSV, JSON, JSON lines, Parquet, compressed or not), a folder of class folders, a pandas
            or polars data frame, a `datasets.Dataset`, or rows: mappings, or tuples of text(s) and label; or a list
            of texts, with the list of their labels behind it.
        dev: the same, to choose the best epoch by; without it a stratified part of `train` is held out. Texts and
            labels that are two lists get one as rows: `finetune(list(zip(texts, labels)), list(zip(…, …)))`.
        model: a folder, a hub name, a `Run` to go on from, or `mini`, the built-in model.
        out: the run folder to write.
        columns: names of the text and label columns, where they are not the usual ones.
        encoding: of the files, instead of the detected one.
        settings: all settings at once.
        **changes: some of them, laid over `settings`, such as `epochs=2`; `bertwright finetune --show-settings`
            prints them all.
        task: `classification` of texts, `tagging` of their parts, `spans`, which may lie in each other, or `seq2seq`:
            a text is written for every text; None: what the form of the data asks for.
        seeds: train once for each of them, into `out/seed-N`; `out` itself then holds the best model, and
            `run.json` the mean and the standard deviation.
        device: such as `cpu` or `cuda:0`.
        overwrite: replace the run that `out` holds.
        resume: go on with the run that `out` holds, as if it had never stopped; where there is none, begin.
        text, text_b, label: the columns, by name: the same as `columns`.
        delimiter: between the columns of a table, instead of the one that is found.
        download: fetch a `model` that is on the hub and not on this machine.
        drop_unlabelled: leave out rows without a label, and say how many; else they are an error.

    Returns:
        The run; of several seeds, the best one.

    Raises:
        BertwrightError: BW561 `resume` beside `overwrite`, BW149 a share as `dev`, BW101 no such argument or setting,
            BW636 a seed that stands twice, BW201 no such file, and for every other mistake in what was given; each
            says what, where, why and what to do.
    """
    if resume and overwrite:
        raise BertwrightError("BW561")
    if isinstance(dev, float) and 0 < dev < 1:
        raise BertwrightError("BW149", dev=dev)
    _check_words(changes)
    given = every_setting().resolve(**({} if settings is None else settings.model_dump(exclude_unset=True)) | changes)
    _check_seeds(seeds)
    for line in given.doubts():
        log.warning(line)
    place = usable_device(device)
    require_path(out)
    RunFolder.require_place(Path(out), overwrite=overwrite, resume=resume)
    start = whole_folder(weights_folder(model, download=download, vocabulary=download))
    train, dev = rows_of(train, dev)
    train, dev = opened(train, encoding, delimiter), opened(dev, encoding, delimiter)
    for one in (train, dev):
        if isinstance(one, OpenedSource) and not one.path.exists():
            raise BertwrightError("BW201", file=one)
    kind = task_for(train, task)
    settings = settings_for(kind, given)
    columns = Columns.named(columns, text, text_b, label)
    table = kind.read(train, columns, labelled=True)
    table = table.labelled_only() if drop_unlabelled else table
    say_read(table)
    wanted = kind.from_examples(table.examples, table.source).with_settings(own_settings(kind, settings))
    whole = digest_of(table.examples)
    tables = _with_dev(table, dev, columns, wanted, settings, drop=drop_unlabelled)
    for line in (*settings.without_effect(), *wanted.without_effect(settings.model_dump(exclude_unset=True))):
        log.warning(line)
    world = this_world()
    job = FinetuneJob(wanted, start, tables, place, settings, world, whole)
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
            log.info(said("seed {seed}", seed=seed))
            of_seed = open_folder(world, folder.path / f"seed-{seed}", resume=resume)
            runs.append(train_or_resume(job.with_seed(seed), of_seed))
        return _summarise(folder, runs, seeds)


def _check_words(changes: Mapping[str, Any]) -> None:
    """A word that is neither an argument nor a setting may be meant as either."""
    arguments = inspect.signature(finetune).parameters
    for word in changes.keys() - every_setting().model_fields.keys():
        option = habit(word) or f"--{word}".replace("_", "-")
        meant = _OF_OPTIONS.get(option, option.split(" ")[0].strip("-").replace("-", "_"))
        meant = meant if meant in arguments else nearest(word, arguments, 0.75)
        if meant and not habit(word, every_setting().model_fields):
            raise BertwrightError("BW101", key=word, nearest=meant)


def _check_seeds(seeds: Sequence[int]) -> None:
    for seed in seeds:
        FinetuneSettings.resolve(seed=seed)  # whether it may be one
    if len(set(seeds)) < len(seeds):
        raise BertwrightError("BW636", seeds=",".join(map(str, seeds)))


def _with_dev(
    table: Table, dev: Any, columns: Columns | None, task: Task[Any, Any], settings: FinetuneSettings, *, drop: bool
) -> tuple[Table, Table]:
    """The data to learn from, and that to choose the best epoch by: a part of it where none is given."""
    if dev is None:
        kept, held = hold_out(table.examples, settings.dev_share, settings.seed)
        all_ = len(table.examples)
        log.info(said("no dev set given: {held} of {all} examples held out", held=len(held), all=all_))
        return replace(table, examples=kept), replace(table, examples=held, empty=(), undecided=(), unlabelled=())
    dev_table = task.read(dev, columns, labelled=True, name="dev", pair=table.is_pair, known=task.class_names)
    dev_table = dev_table.labelled_only() if drop else dev_table
    say_read(dev_table)
    task.check(dev_table.examples)
    if "dev_share" in settings.model_fields_set:
        log.warning(said("dev_share={share} has no effect: a dev set is given", share=settings.dev_share))
    return table, dev_table


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
        told = f"{summary[name]['mean']:.4f}" + ("" if spread is None else f" ± {spread:.4f}")
        log.info(said("{name} over {seeds}: {value}", name=name, seeds=quantity(len(values), "seed"), value=told))
    folder.keep_as_best(best.folder / "best")
    folder.write_run({"finished": True, "seeds": list(seeds), "best_seed": seeds[runs.index(best)], "scores": summary})
    return replace(best, folder=folder.path)
