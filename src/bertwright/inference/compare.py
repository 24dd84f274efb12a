"""Is run B better than run A? Both on the same data, with a paired test and the rows where they differ."""

from __future__ import annotations

import filecmp
import logging
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bertwright.checkpoint.hub import model_folder, spelt
from bertwright.checkpoint.weights import weight_file
from bertwright.data.reading.given_data import labelled_rows
from bertwright.data.reading.opened_source import opened
from bertwright.data.reading.tables import Columns
from bertwright.errors import BertwrightError
from bertwright.inference.evaluate import labelled_data, say_cut, say_gaps
from bertwright.inference.orders import judged_task, require_order
from bertwright.inference.predictor import Predictor, best_of
from bertwright.inference.seen import say_seen, set_of
from bertwright.tasks.comparison import Comparison
from bertwright.tasks.task import Task
from bertwright.tasks.task_file import TASK_FILE
from bertwright.wording import said, shown

log = logging.getLogger("bertwright")


def compare(
    run_a: str | os.PathLike[str],
    run_b: str | os.PathLike[str],
    data: Any,
    labels: Any = None,
    *,
    columns: Columns | None = None,
    encoding: str | None = None,
    device: str = "cpu",
    text: str | None = None,
    text_b: str | None = None,
    label: str | None = None,
    delimiter: str | None = None,
    drop_unlabelled: bool = False,
    precision: str = "auto",
) -> Comparison:
    """Both runs on the same labelled data. A tagger and a run of `spans` may be compared with each other.

        print(bertwright.compare("runs/first", "runs/second", "test.csv").verdict())

    Args:
        run_a, run_b: run folders, model folders, or `Run`s.
        data, labels, columns, encoding, text, text_b, label, delimiter, drop_unlabelled, precision: as of `evaluate`.

    Raises:
        BertwrightError: BW520 runs with different labels, BW145 a pre-trained model, BW144 arguments that changed
            places, BW580 two tasks, BW635 runs that write texts, and those of `evaluate`.
    """
    require_order("compare", (run_a, run_b), data)
    if _is_one_model(*(best_of(model_folder(run)) for run in (run_a, run_b))):
        log.warning(
            said("{a} and {b} are the same model: there is no difference to find", a=spelt(run_a), b=spelt(run_b))
        )
    predictors = [Predictor.load(run, device, precision=precision) for run in (run_a, run_b)]
    task = _shared_task([judged_task(*one) for one in zip(predictors, (run_a, run_b))], (spelt(run_a), spelt(run_b)))
    source = opened(labelled_rows(data, labels), encoding, delimiter)
    table = labelled_data(task, source, Columns.named(columns, text, text_b, label), drop=drop_unlabelled)
    task.check(table.examples)
    seen_a, seen_b = (set_of(run, table) for run in (run_a, run_b))
    say_seen({spelt(run_a): seen_a, spelt(run_b): seen_b})
    say_gaps(task, table)
    given = [predictor.answer(table.examples) for predictor in predictors]
    for predictor, answers in zip(predictors, given):
        say_cut(answers, predictor.reading)
    return replace(task.compare(given[0], given[1], table), seen=(seen_a, seen_b))


def _is_one_model(one: Path, other: Path) -> bool:
    """Whether two folders are one, or hold the same weights and answer the same question."""
    if one.samefile(other):
        return True
    pairs = [(one / TASK_FILE, other / TASK_FILE), (weight_file(one), weight_file(other))]
    return all(a.is_file() and b.is_file() and a.suffix == b.suffix for a, b in pairs) and (
        pairs[1][0].suffix != ".json"  # of an index, which is alike for other weights
        and all(filecmp.cmp(a, b, shallow=False) for a, b in pairs)
    )


def _shared_task(tasks: Sequence[Task[Any, Any]], runs: Sequence[str]) -> Task[Any, Any]:
    """The task of the first run, if the second answers the same question."""
    first, second = tasks
    (kind_a, names_a), (kind_b, names_b) = first.question, second.question
    if kind_a != kind_b:
        raise BertwrightError("BW580", a=runs[0], b=runs[1], task_a=first.name, task_b=second.name)
    if names_a != names_b:
        only_a, only_b = (shown(sorted(map(str, some))) or "–" for some in (names_a - names_b, names_b - names_a))
        raise BertwrightError("BW520", a=runs[0], b=runs[1], only_a=only_a, only_b=only_b)
    first.require_comparable()
    return first
