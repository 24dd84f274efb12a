"""What a finished run tells about itself: answers, mistakes, plots and a model card in its folder."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Sequence
from pathlib import Path

from bertwright.checkpoint.json_files import json_text
from bertwright.checkpoint.replacing import write_bytes, write_text
from bertwright.data.examples import Example
from bertwright.data.spreadsheet import spreadsheet_csv
from bertwright.reports.card import Card, model_card
from bertwright.tasks.judged import heading
from bertwright.tasks.prediction import Prediction, answer_row
from bertwright.wording import said

log = logging.getLogger("bertwright")


def answers_jsonl(examples: Sequence[Example], predictions: Sequence[Prediction], *, all_scores: bool = False) -> str:
    """Every answer, one JSON line each, in the order of the examples; of many classes with the best scores, unless all
    are asked for.
    """
    rows = (
        answer_row(example, prediction, all_scores=all_scores) for example, prediction in zip(examples, predictions)
    )
    return "".join(json_text(row) + "\n" for row in rows)


def can_draw() -> bool:
    """Whether there can be plots; where there cannot, how to get them is said."""
    if importlib.util.find_spec("matplotlib") is None:
        log.info(said("no plots: matplotlib is not installed (to get them: pip install 'bertwright[plots]')"))
        return False
    return True


def write_report(
    card: Card, examples: Sequence[Example], predictions: Sequence[Prediction], losses: Sequence[float] = ()
) -> list[Path]:
    """Write `predictions.jsonl`, `errors.csv`, the plots and `README.md` into a run folder.

    Each file is written whole or not at all; files of an earlier report are replaced. Plots need matplotlib: without
    it, one line says how to get them.

    Args:
        card: what the model card is written from, and where.
        examples: the dev set.
        predictions: the answers to it at the best evaluation, with the probabilities that the model gives, that is,
            at temperature 1.
        losses: of each step of the optimizer; may be empty.

    Returns:
        The files written.

    Raises:
        BertwrightError: BW501 where the disk or the permissions do not allow it.
    """
    folder, task = card.folder, card.task
    given = task.tempered(predictions)
    mistakes = task.mistakes(given, examples)
    contents = {
        "predictions.jsonl": answers_jsonl(examples, given),
        "errors.csv": spreadsheet_csv([*map(heading, mistakes.header)], mistakes.cells),
    }
    plots, legend, remark = _draw(card, losses)
    contents["README.md"] = model_card(card, plots, legend, remark)
    for name, content in contents.items():
        write_text(folder / name, content)
    return [folder / name for name in (*contents, *plots)]


def _draw(card: Card, losses: Sequence[float]) -> tuple[list[str], list[str], str]:
    """The names of the plots that were drawn, what numbers in them stand for, and a remark on their language."""
    if not can_draw():
        return [], [], ""
    from bertwright.reports.plot_words import font_remark
    from bertwright.reports.plots import png_of, png_of_loss

    pictures: dict[str, bytes] = {}
    legend: list[str] = []
    if card.metrics:
        pictures["loss.png"] = png_of_loss(losses, card.metrics, card.task.metric, card.best_step)
    for name, figure in card.judged.figures.items():
        pictures[name], names = png_of(figure)
        legend += names
    for name, content in pictures.items():
        write_bytes(card.folder / name, content)
    remark = font_remark() if pictures else ""
    if remark:
        log.info(remark)
    return list(pictures), legend, remark
