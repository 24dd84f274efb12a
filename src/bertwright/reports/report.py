"""What a finished run tells about itself: answers, mistakes, plots and a model card in its folder."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bertwright.checkpoint.folders import write_bytes, write_text
from bertwright.data.examples import Example
from bertwright.evaluation.summary import Summary, summarize
from bertwright.reports.answer_files import answers_jsonl, answers_of, errors_csv, mistakes_csv, with_temperature
from bertwright.reports.card import Card, model_card
from bertwright.tasks.task import Prediction, Task

log = logging.getLogger("bertwright")


@dataclass(frozen=True, slots=True)
class RunStory:
    """What the loop knows at the end of a run.

    Attributes:
        record: the values of `run.json`: settings, seed, versions, timings. Those that the card shows are left out
            of it where they are missing.
        task: what was trained.
        examples: the dev set.
        predictions: the answers to it at the best evaluation, with the probabilities that the model gives, that is,
            at temperature 1.
        metrics: the rows of `metrics.csv`.
        best_step: the step of the best evaluation.
        losses: of each step of the optimizer; may be empty.
        train_classes: how many training examples each class has; may be empty.
        temperature: what `task.json` says, by which the saved model divides; 1 where it says nothing.
    """

    record: Mapping[str, Any]
    task: Task
    examples: Sequence[Example]
    predictions: Sequence[Prediction]
    metrics: Sequence[Mapping[str, float]]
    best_step: int
    losses: Sequence[float] = ()
    train_classes: Mapping[str, int] = field(default_factory=dict)
    temperature: float = 1.0


def write_report(folder: Path, story: RunStory) -> list[Path]:
    """Write `predictions.jsonl`, `errors.csv`, the plots and `README.md` into a run folder.

    Each file is written whole or not at all; files of an earlier report are replaced. Plots need matplotlib: without
    it, one line says how to get them.

    Returns:
        The files written.

    Raises:
        BertwrightError: BW501 where the disk or the permissions do not allow it.
    """
    given = with_temperature(story.predictions, story.temperature)
    written = [_write(folder / "predictions.jsonl", answers_jsonl(story.examples, given))]
    answers = answers_of(story.task, given, story.examples)
    raw = answers_of(story.task, story.predictions, story.examples)
    summary = None if raw is None else summarize(raw)
    if answers is not None:
        written.append(_write(folder / "errors.csv", errors_csv(story.examples, given, answers)))
    else:
        mistakes = story.task.errors(given, story.examples)
        written.append(_write(folder / "errors.csv", mistakes_csv(mistakes)))
    plots, legend = _draw(folder, story, summary)
    card = Card(
        folder=folder,
        record=story.record,
        task=story.task,
        metrics=story.metrics,
        best_step=story.best_step,
        train_classes=story.train_classes,
        temperature=story.temperature,
        summary=summary,
        truncated=sum(one.truncated for one in given),
        is_pair=any(example.text_b is not None for example in story.examples),
        plots=plots,
        legend=legend,
        tables=story.task.tables(given, story.examples),
    )
    return [*written, *(folder / plot for plot in plots), _write(folder / "README.md", model_card(card))]


def _write(file: Path, text: str) -> Path:
    write_text(file, text)
    return file


def _draw(folder: Path, story: RunStory, summary: Summary | None) -> tuple[list[str], list[str]]:
    """The names of the plots that were drawn, and what numbers in them stand for."""
    if importlib.util.find_spec("matplotlib") is None:
        log.info("no plots: matplotlib is not installed (to get them: pip install 'bertwright[plots]')")
        return [], []
    from bertwright.reports.plots import png_of_bars, png_of_confusion, png_of_loss, png_of_reliability

    pictures: dict[str, bytes] = {}
    legend: list[str] = []
    if story.metrics:
        pictures["loss.png"] = png_of_loss(story.losses, story.metrics, story.task.metric, story.best_step)
    if summary is not None:
        pictures["confusion.png"], legend = png_of_confusion(summary.confusion, summary.labels)
        pictures["reliability.png"] = png_of_reliability(summary.calibration)
    bars = story.task.bars(story.predictions, story.examples)
    if bars is not None and bars.names:
        pictures["types.png"], legend = png_of_bars(bars)
    for name, content in pictures.items():
        write_bytes(folder / name, content)
    return list(pictures), legend
