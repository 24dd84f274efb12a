"""Is run B better than run A? Both on the same data, with a paired test and the rows where they differ."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bertwright.data.reading.tables import Columns
from bertwright.errors import BertwrightError, shown
from bertwright.inference.comparing.compare_classes import compare_classes
from bertwright.inference.comparing.compare_entities import compare_entities
from bertwright.inference.comparing.comparison import Comparison
from bertwright.inference.cut_texts import say_cut
from bertwright.inference.predictor import Predictor
from bertwright.reports.answer_files import answers_of
from bertwright.tasks.classification import Classification
from bertwright.tasks.entities.entities import EntityPrediction
from bertwright.tasks.entities.entity_task import EntityTask
from bertwright.tasks.task import Task


def compare(
    run_a: str | Path,
    run_b: str | Path,
    data: Any,
    *,
    columns: Columns | None = None,
    encoding: str | None = None,
    device: str = "cpu",
) -> Comparison:
    """Both runs on the same labelled data. A tagger and a run of `spans` may be compared with each other.

    Raises:
        BertwrightError: BW520 runs with different labels, BW523 a task that cannot be scored, BW580 two tasks, BW635
            runs that write texts, and those of `evaluate`.
    """
    predictors = [Predictor.load(run, device) for run in (run_a, run_b)]
    task = _shared_task(predictors, (run_a, run_b))
    pair = task.reads_pairs or None
    table = task.read(data, columns, labelled=True, encoding=encoding, name="data", pair=pair, known=task.class_names)
    task.check(table.examples)
    given = [predictor.answer(table.examples) for predictor in predictors]
    for predictor, answers in zip(predictors, given):
        say_cut(answers, predictor.reading)
    if isinstance(task, EntityTask):
        entities = [[one for one in answers if isinstance(one, EntityPrediction)] for answers in given]
        return compare_entities(entities[0], entities[1], table, task.types)
    a, b = (answers_of(task, answers, table.examples) for answers in given)
    assert a is not None
    assert b is not None
    return compare_classes(a, b, table, task.metric)


def _shared_task(predictors: Sequence[Predictor], runs: Sequence[str | Path]) -> Classification | EntityTask:
    """The task of the first run, if the second answers the same question."""
    first, second = (predictor.task for predictor in predictors)
    for task in (first, second):
        if not isinstance(task, Task):
            raise BertwrightError("BW523", task=task.name)
    if isinstance(first, Classification) and isinstance(second, Classification):
        labels = [set(first.labels), set(second.labels)]
    elif isinstance(first, EntityTask) and isinstance(second, EntityTask):
        labels = [set(first.types), set(second.types)]
    elif type(first) is type(second):
        raise BertwrightError("BW635", task=first.name)
    else:
        raise BertwrightError("BW580", a=runs[0], b=runs[1], task_a=first.name, task_b=second.name)
    if labels[0] != labels[1]:
        only = [shown(sorted(labels[i] - labels[1 - i])) or "–" for i in (0, 1)]
        raise BertwrightError("BW520", a=runs[0], b=runs[1], only_a=only[0], only_b=only[1])
    return first
