"""Tables on stdout."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from bertwright.data.examples import Example
from bertwright.evaluation.classification import class_scores
from bertwright.tasks.classification import Classification
from bertwright.tasks.task import Prediction, Task

_MOST_CLASSES = 20  # a wider confusion table does not fit a screen


def print_scores(scores: dict[str, float], count: int) -> None:
    """One line with the metrics of a task."""
    listed = " · ".join(f"{name} {value:.4f}" for name, value in scores.items())
    Console().print(f"{count} examples · {listed}", highlight=False)


def print_confusion(task: Task, predictions: Sequence[Prediction], examples: Sequence[Example]) -> None:
    """True classes against predicted ones, with precision, recall and F1."""
    if not isinstance(task, Classification):
        return
    confusion = task.confusion(predictions, examples)
    scores = class_scores(confusion)
    table = Table(title="rows: the true class; columns: the predicted one", title_justify="left")
    table.add_column("")
    few = len(task.labels) <= _MOST_CLASSES
    for name in [*(task.labels if few else ()), "precision", "recall", "F1"]:
        table.add_column(name, justify="right")
    for index, label in enumerate(task.labels):
        counts = [str(count) for count in confusion[index]] if few else []
        numbers = (scores.precision[index], scores.recall[index], scores.f1[index])
        table.add_row(label, *counts, *(f"{number:.3f}" for number in numbers))
    Console().print(table)
