"""Tables on stdout."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from bertwright.console import plain_console, plain_text
from bertwright.evaluation.abstention import Abstention
from bertwright.evaluation.class_scores import Ints, class_scores, top_confusions
from bertwright.evaluation.summary import Calibration
from bertwright.reports.card import CALIBRATION
from bertwright.tasks.comparison import Comparison, p_text
from bertwright.tasks.judged import Judged, ScoreTable
from bertwright.wording import quantity, said, visible, worded

_MOST_CLASSES = 20  # a wider confusion table does not fit a screen
_TOP_CONFUSIONS = 15
_CALIBRATION = CALIBRATION | {"nll": "negative log-likelihood"}


def print_scores(scores: Mapping[str, float], count: int) -> None:
    """One line with the metrics of a task."""
    listed = " · ".join(f"{worded(name)} {value:.4f}" for name, value in scores.items())
    plain_console().print(f"{quantity(count, 'example')} · {listed}", highlight=False)


def print_judged(judged: Judged) -> None:
    """The metrics with their intervals where there are any, the calibration, and every table of the task."""
    if judged.metrics:
        table = _table(quantity(judged.count, "example"), worded("metric"), worded("value"), worded("95 % interval"))
        for title, *numbers in judged.metric_rows():
            table.add_row(plain_text(title), *numbers)
        plain_console().print(table)
    else:
        print_scores(judged.scores, judged.count)
    if judged.calibration is not None:
        _print_calibration(judged.calibration)
    _print_answers(judged)


def print_run(judged: Judged) -> None:
    """What a training shows in the end: the progress has told the metrics, so only a task without a table of its own
    shows them again.
    """
    if judged.confusion is None and not judged.tables:
        print_scores(judged.scores, judged.count)
    _print_answers(judged)


def _print_answers(judged: Judged) -> None:
    if judged.confusion is not None:
        print_classes(judged.confusion.counts, judged.confusion.labels)
    print_tables(judged.tables)


def print_tables(tables: Sequence[ScoreTable]) -> None:
    """What a task adds to its metrics."""
    for one in tables:
        table = _table(one.title, *one.header)
        for row in one.rows:
            table.add_row(*map(plain_text, row))
        plain_console().print(table)
        if one.note:
            _say(one.note)


def _print_calibration(calibration: Calibration) -> None:
    temperature = calibration.temperature
    column = (
        said("with temperature {temperature:.3f}", temperature=temperature)
        if calibration.is_fitted_here
        else said("as given, temperature {temperature:.3f}", temperature=temperature)
    )
    table = _table(worded("calibration (lower is better)"), "", worded("temperature 1"), column)
    before, after = calibration.before.to_json(), calibration.after.to_json()
    for name, title in _CALIBRATION.items():
        table.add_row(worded(title), f"{before[name]:.4f}", f"{after[name]:.4f}")
    plain_console().print(table)
    if calibration.is_fitted_here:
        _say(
            said(
                "The model has no temperature of its own; this one was fitted on one half of these texts and scored on "
                "the other."
            )
        )


def print_classes(confusion: Ints, labels: Sequence[str]) -> None:
    """The scores of each class beside the confusion matrix `[C, C]`; where that is too wide, the top confusions."""
    scores = class_scores(confusion)
    console = plain_console()
    widths = [cell_len(visible(label)) for label in labels]
    width = max(widths) + sum(max(one, 3) + 3 for one in widths) + 36
    matrix = len(labels) <= _MOST_CLASSES and width <= console.width
    title = worded("rows: true class · columns: predicted" if matrix else "classes")
    names, counts = (labels, confusion) if matrix else ([worded("texts")], scores.support[:, None])
    table = _table(title, "", *map(plain_text, names), worded("precision"), worded("recall"), "F1")
    for index, label in enumerate(labels):
        numbers = (scores.precision[index], scores.recall[index], scores.f1[index])
        table.add_row(plain_text(label), *map(str, counts[index]), *(f"{number:.3f}" for number in numbers))
    console.print(table)
    if not matrix:
        _print_confusions(confusion, labels)


def _print_confusions(confusion: Ints, labels: Sequence[str]) -> None:
    table = _table(*map(worded, ("the most frequent confusions", "times", "true class", "predicted class")))
    table.columns[0].justify = "right"
    table.columns[1].justify = table.columns[2].justify = "left"
    for true, answered, count in top_confusions(confusion, _TOP_CONFUSIONS):
        table.add_row(str(count), plain_text(labels[true]), plain_text(labels[answered]))
    if table.rows:
        plain_console().print(table)


def print_abstention(found: Abstention | None, wished: float, *, seen: bool = False) -> None:
    """What it costs to answer only where the model is sure; `seen`: on texts that the run has seen."""
    if found is None:
        line = said("no threshold on the score reaches an accuracy of {wished:g} on these texts", wished=wished)
    else:
        threshold = math.floor(found.threshold * 1e6) / 1e6  # answers are given with 6 digits, too
        line = said(
            "answers with a score of at least {threshold:.6f}: {share:.1f} % of the texts "
            "({answered}), accuracy {accuracy:.4f} [{low:.4f}, {high:.4f}]",
            threshold=threshold, share=100 * found.coverage, answered=found.answered, accuracy=found.accuracy,
            low=found.low, high=found.high,
        )  # fmt: skip
    _say(line)
    if found is not None and seen:
        _say(said("The run has seen these texts: on others such answers are right less often; find the threshold on "
                  "labelled texts that it has not seen."))  # fmt: skip


def print_errors(rows: Sequence[Mapping[str, Any]]) -> None:
    """Wrong answers, one block each."""
    heading = said("wrong answers, the most confident first:" if rows else "no wrong answers")
    plain_console().print(heading, highlight=False)
    for row in rows:
        score = f" ({row['score']:.3f})" if "score" in row else ""
        facts = {"where": row["where"], "gold": row["gold"], "predicted": row["predicted"], "score": score}
        verdict = said("{where}  true: {gold}  predicted: {predicted}{score}", **facts)
        _say(plain_text(verdict))
        _say(plain_text(f"    {_texts(row)}"))


def print_comparison(comparison: Comparison, name_a: str, name_b: str, show_rows: int) -> None:
    """The metrics of both runs with their differences, the verdict, and some of the rows where they differ."""
    table = _table(
        quantity(comparison.count, "example"), worded("metric"), "A", "B", "B - A", worded("95 % interval"), ""
    )
    for name, one in comparison.differences.items():
        if name != "micro_f1":
            interval = "–" if one.low is None else f"[{one.low:.3f}, {one.high:.3f}]"
            numbers = (f"{one.a:.4f}", f"{one.b:.4f}", f"{one.value:+.4f}", plain_text(interval), p_text(one.p_value))
            table.add_row(plain_text(worded(name)), *numbers)
    for name, (a, b) in comparison.errors().items():
        table.add_row(said("{name} (low = good)", name=worded(name)), f"{a:.4f}", f"{b:.4f}", f"{b - a:+.4f}")
    _say(plain_text(f"A: {name_a}\nB: {name_b}"))
    plain_console().print(table)
    _say(
        said(
            "{tally}; the answers differ in {rows}",
            tally=comparison.tally(),
            rows=quantity(len(comparison.rows), comparison.unit),
        )
    )
    _say(comparison.verdict())
    for row in comparison.rows[:show_rows]:
        values = row.to_json()
        _say(plain_text(f"{values['where']}  {row.line()}"))
        _say(plain_text(f"    {_texts(values)}"))


def _say(line: str | Text) -> None:
    """A line as it is, however wide the screen."""
    plain_console(highlight=False, soft_wrap=True).print(line)


def _texts(row: Mapping[str, Any]) -> str:
    """The text or texts of a row, in one line of bounded length."""
    texts = [" ".join(str(row[name]).split()) for name in ("text", "text_b") if name in row]
    return " ⟷ ".join(text if len(text) <= 200 else text[:199] + "…" for text in texts)


def _table(title: str, *columns: str | Text) -> Table:
    """A table whose first column is of words, the others of numbers; what is too wide goes on in the next line."""
    table = Table(title=title, title_justify="left")
    for index, column in enumerate(columns):
        table.add_column(column, justify="left" if index == 0 else "right", overflow="fold")
    return table
