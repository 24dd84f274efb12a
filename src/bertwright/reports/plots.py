"""The plots of a run folder. This file needs matplotlib, and only `report.py` imports it, where it is installed.

Shapes: C classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from bertwright.evaluation.calibration import ReliabilityTable
from bertwright.evaluation.class_scores import Floats, Ints
from bertwright.evaluation.confidence import wilson_interval
from bertwright.evaluation.summary import Calibration
from bertwright.reports.plot_style import BLUE, FAINT, INK, ORANGE, STYLE, as_png
from bertwright.reports.plot_words import PlotWords
from bertwright.tasks.judged import Bars, Confusion, Drawable, Scatter
from bertwright.wording import Phrase, visible

MOST_CLASSES = 30  # more cells than that cannot be read
_LONGEST_LABEL = 18


def png_of_loss(losses: Sequence[float], rows: Sequence[Mapping[str, float]], metric: str, best_step: int) -> bytes:
    """The training loss by step (thin: each step; thick: smoothed), and below it the dev metric.

    Args:
        losses: of each step; may be empty: then the mean of each evaluation in `rows` is drawn.
        rows: `step`, `train_loss` and `dev_…` of each evaluation.
        metric: the dev metric to draw.
        best_step: of the evaluation that was kept.
    """
    words = PlotWords.plain()
    with rc_context(STYLE | {"font.family": words.families}):
        figure = Figure(figsize=(7.2, 5.0))
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
        steps = [int(row["step"]) for row in rows]
        if len(losses):
            numbers = np.arange(1, len(losses) + 1)
            upper.plot(numbers, losses, color=BLUE, alpha=0.25, linewidth=0.8)
            upper.plot(numbers, _smoothed(losses), color=BLUE, linewidth=1.8)
            shown = _finite(losses)
            upper.set_ylim(0, max(np.quantile(shown, 0.995) * 1.15, 1e-3) if len(shown) else 1)
        else:
            upper.plot(steps, [row["train_loss"] for row in rows], "o-", color=BLUE, linewidth=1.8)
            upper.set_ylim(bottom=0)
        upper.set_title(words(Phrase("training loss")))
        _draw_metric(lower, steps, [float(row[f"dev_{metric}"]) for row in rows], metric, best_step, words)
        lower.set_xlabel(words(Phrase("step")))
        lower.set_xlim(0, max([len(losses), *steps]) * 1.02)
        lower.xaxis.set_major_locator(MaxNLocator(integer=True))
        return as_png(figure)


def _draw_metric(
    axes: Axes, steps: list[int], values: list[float], metric: str, best_step: int, words: PlotWords
) -> None:
    """The dev metric of each evaluation, the best one circled."""
    axes.plot(steps, values, "o-", color=ORANGE, linewidth=1.8, markersize=5, clip_on=False)
    if best_step in steps:
        best = values[steps.index(best_step)]
        axes.plot([best_step], [best], "o", markersize=11, markerfacecolor="none", color=ORANGE, clip_on=False)
        axes.axhline(best, color=ORANGE, linewidth=0.8, linestyle=":")
        title = Phrase(
            "dev {metric} · best {best:.4f} at step {step} (circled)", metric=metric, best=best, step=best_step
        )
        axes.set_title(words(title))
    known = _finite(values) if len(_finite(values)) else np.zeros(1)
    room = max(known.max() - known.min(), 0.02) * 0.25
    highest = known.max() + room  # most metrics end at 1
    axes.set_ylim(max(known.min() - room, -1), min(highest, 1.0 + room / 4) if known.max() <= 1 else highest)


def _finite(values: Sequence[float]) -> Floats:
    array = np.array(values, dtype=np.float64)
    return array[np.isfinite(array)]


def png_of(figure: Drawable) -> tuple[bytes, list[str]]:
    """A figure of a task, and the names that its numbers stand for where no font has their characters."""
    if isinstance(figure, Confusion):
        return png_of_confusion(figure.counts, figure.labels)
    if isinstance(figure, Bars):
        return png_of_bars(figure)
    if isinstance(figure, Scatter):
        return png_of_scatter(figure), []
    return png_of_reliability(figure), []


def png_of_scatter(scatter: Scatter) -> bytes:
    """Predicted values over true ones; on the dashed line an answer is exact."""
    words = PlotWords.plain()
    with rc_context(STYLE | {"font.family": words.families}):
        figure = Figure(figsize=(5.4, 5.4))
        axes = figure.subplots()
        ends = [min(scatter.gold.min(), scatter.predicted.min()), max(scatter.gold.max(), scatter.predicted.max())]
        room = max(0.04 * (ends[1] - ends[0]), 1e-9)
        limits = (ends[0] - room, ends[1] + room)
        axes.plot(limits, limits, color=FAINT, linewidth=1, linestyle="--")
        shade = float(np.clip(60 / max(len(scatter.gold), 1), 0.08, 0.7))
        axes.plot(scatter.gold, scatter.predicted, "o", color=BLUE, markersize=4, alpha=shade, markeredgewidth=0)
        axes.set_xlim(limits)
        axes.set_ylim(limits)
        axes.set_aspect("equal")
        axes.set_xlabel(words(Phrase("true value")))
        axes.set_ylabel(words(Phrase("predicted value")))
        axes.set_title(words(scatter.title))
        return as_png(figure)


def png_of_confusion(confusion: Ints, labels: Sequence[str]) -> tuple[bytes, list[str]]:
    """The confusion matrix `[C, C]`: colours show shares of the true class, numbers are counts.

    Of more than 30 classes those with the most mistakes are drawn. Where no installed font has the characters of the
    labels, classes are drawn as numbers.

    Returns:
        The picture, and the names that its numbers stand for (empty where it shows the names).
    """
    chosen = _most_confused(confusion)
    part = confusion[np.ix_(chosen, chosen)]
    names, words, legend = _drawn_names(labels, chosen)
    size = len(chosen)
    cell, font_size, count_size = (0.75, 10, 10) if size <= 4 else (0.55, 10, 10) if size <= 12 else (0.36, 8, 6.5)
    widest = max(len(name) * (1 if name.isascii() else 2) for name in names) * 0.0085 * font_size  # inches
    with rc_context(STYLE | {"font.family": words.families, "axes.grid": False, "axes.spines.left": False}):
        figure = Figure(figsize=(size * cell + widest + 1.6, size * cell + widest + 1.2))
        axes = figure.subplots()
        shares = part / np.maximum(confusion.sum(1)[chosen, None], 1)
        image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        _write_counts(axes, part, shares, count_size)
        turned: dict[str, Any] = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"} if widest > cell else {}
        axes.set_xticks(range(size), names, fontsize=font_size, **turned)
        axes.set_yticks(range(size), names, fontsize=font_size)
        axes.set_xlabel(words(Phrase("predicted class")))
        axes.set_ylabel(words(Phrase("true class")))
        if size < len(labels):
            title = Phrase("the {size} of {count} classes with the most mistakes", size=size, count=len(labels))
            axes.set_title(words(title))
        axes.tick_params(length=0)
        for spine in axes.spines.values():
            spine.set_visible(False)
        axes.set_xticks(np.arange(size + 1) - 0.5, minor=True)
        axes.set_yticks(np.arange(size + 1) - 0.5, minor=True)
        axes.grid(which="minor", color="white", linewidth=1.2)
        axes.tick_params(which="minor", length=0)
        beside = axes.inset_axes((1 + 0.15 / (size * cell), 0, 0.14 / (size * cell), 1))
        bar = figure.colorbar(image, cax=beside, format=PercentFormatter(1))
        bar.outline.set_visible(False)
        bar.set_label(words(Phrase("share of the true class")))
        return as_png(figure), legend


def png_of_bars(bars: Bars) -> tuple[bytes, list[str]]:
    """Scores of kinds of answers, with how often each kind is in the data; of more than 30 the most frequent.

    Returns:
        The picture, and the names that its numbers stand for (empty where it shows the names).
    """
    order = np.argsort([-count for count in bars.counts], kind="stable")
    chosen = sorted(int(index) for index in order[:MOST_CLASSES])
    names, words, legend = _drawn_names(bars.names, chosen)
    labels = [f"{name} ({bars.counts[index]})" for name, index in zip(names, chosen)]
    places, thick = np.arange(len(chosen)), 0.8 / len(bars.scores)
    with rc_context(STYLE | {"font.family": words.families, "axes.grid.axis": "x"}):
        height = 0.9 + max(0.22 * len(bars.scores), 0.3) * len(chosen)
        figure = Figure(figsize=(7.2, height + 0.3 * (len(bars.scores) > 1)))
        axes = figure.subplots()
        for number, (name, scores) in enumerate(bars.scores.items()):
            values = [scores[index] for index in chosen]
            middle = places + (number + 0.5) * thick - 0.4
            axes.barh(middle, values, thick * 0.92, color=(BLUE, FAINT, ORANGE)[number % 3], label=words(name))
            for place, value in zip(middle, values):
                axes.text(value + 0.01, place, f"{value:.3f}", va="center", fontsize=8)
        title = words(bars.title)
        if len(chosen) < len(bars.names):
            counts = {"shown": len(chosen), "count": len(bars.names)}
            title = words(Phrase("{title} (the {shown} most frequent of {count})", title=title, **counts))
        axes.set_title(title)
        axes.set_yticks(places, labels)
        axes.set_ylim(len(chosen) - 0.5, -0.5)
        axes.set_xlim(0, 1.08)
        axes.set_xticks(np.linspace(0, 1, 6))
        if len(bars.scores) > 1:
            figure.legend(loc="outside lower right", ncols=len(bars.scores), fontsize=9)
        return as_png(figure), legend


def png_of_curves(curves: Mapping[str, Sequence[float]], rows: Sequence[Mapping[str, float]]) -> bytes:
    """Losses above and accuracies below, by step: lines are training, circles the held-out documents.

    Args:
        curves: of each step, by name; names end in `_loss` or `_accuracy`.
        rows: `step` and `dev_…` of each evaluation.
    """
    words = PlotWords.plain()
    with rc_context(STYLE | {"font.family": words.families}):
        figure = Figure(figsize=(7.2, 5.0))
        for axes, kind in zip(figure.subplots(2, 1, sharex=True), ("loss", "accuracy")):
            names = [name for name in curves if name.endswith(kind)]
            for name, color in zip(names, (BLUE, ORANGE)):
                values = curves[name]
                axes.plot(np.arange(1, len(values) + 1), _smoothed(values), color=color, linewidth=1.8, label=name)
                held_out = [(row["step"], row[f"dev_{name}"]) for row in rows if f"dev_{name}" in row]
                if held_out:
                    axes.plot(*zip(*held_out), "o", color=color, markersize=5, markerfacecolor="white")
            name_of_kind = Phrase("loss") if kind == "loss" else Phrase("accuracy")
            title = Phrase("{kind} (lines: training; circles: held-out documents)", kind=name_of_kind)
            axes.set_title(words(title))
            axes.set_ylim(bottom=0)
            if names:
                axes.legend(fontsize=9, loc="upper left", bbox_to_anchor=(1, 1))  # beside the axes: it covers no line
        axes.set_xlabel(words(Phrase("step")))
        return as_png(figure)


def png_of_reliability(calibration: Calibration) -> bytes:
    """Confidence against accuracy in bins, before (grey) and after the temperature; below, examples in each bin."""
    words = PlotWords.plain()
    with rc_context(STYLE | {"font.family": words.families}):
        return as_png(reliability_figure(calibration, words))


def reliability_figure(calibration: Calibration, words: PlotWords) -> Figure:
    """The same with the words of a language, before it is a picture."""
    before, after = calibration.table_before, calibration.table
    figure = Figure(figsize=(5.4, 6.6))
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    upper.plot([0, 1], [0, 1], color=FAINT, linewidth=1, linestyle="--", label=words(Phrase("perfect")))
    if calibration.temperature != 1:
        label = words(Phrase("temperature 1 (ECE {ece:.3f})", ece=calibration.before.ece))
        _draw_bins(upper, before, FAINT, label, marker="s", intervals=False)
    label = words(
        Phrase(
            "temperature {temperature:.2f} (ECE {ece:.3f})",
            temperature=calibration.temperature,
            ece=calibration.after.ece,
        )
    )
    _draw_bins(upper, after, BLUE, label, marker="o", intervals=True)
    upper.set_title(words(Phrase("does confidence mean accuracy?")))
    upper.set_ylabel(words(Phrase("share of right answers (bars: 95 % interval)")))
    upper.set_ylim(0, 1.02)
    figure.legend(*upper.get_legend_handles_labels(), loc="outside lower left", fontsize=9)  # where nothing is drawn
    lower.bar(after.edges[:-1], after.counts, np.diff(after.edges) * 0.94, align="edge", color=BLUE, alpha=0.6)
    lower.set_ylabel(words(Phrase("examples")))
    lower.set_xlabel(words(Phrase("confidence of the answer")))
    lower.set_xlim(0, 1)
    lower.yaxis.set_major_locator(MaxNLocator(3, integer=True))
    return figure


def _smoothed(losses: Sequence[float]) -> Floats:
    """The mean over about a fortieth of the run around each step, in which outliers weigh little."""
    values = np.array(losses, dtype=np.float64)
    finite = np.isfinite(values)
    if not finite.any():
        return values
    values = np.where(finite, np.minimum(values, np.quantile(values[finite], 0.99)), 0.0)
    sums, counts = (np.concatenate([[0.0], np.cumsum(part)]) for part in (values, finite))
    reach = len(values) // 80
    places = np.arange(len(values))
    begin, end = np.maximum(places - reach, 0), np.minimum(places + reach + 1, len(values))
    filled = counts[end] - counts[begin]
    return np.where(filled > 0, (sums[end] - sums[begin]) / np.maximum(filled, 1), np.nan)


def _most_confused(confusion: Ints) -> list[int]:
    """The classes to draw, in their order."""
    if len(confusion) <= MOST_CLASSES:
        return list(range(len(confusion)))
    mistakes = confusion.sum(0) + confusion.sum(1) - 2 * np.diag(confusion)
    return sorted(int(index) for index in np.argsort(-mistakes, kind="stable")[:MOST_CLASSES])


def _drawn_names(names: Sequence[str], chosen: Sequence[int]) -> tuple[list[str], PlotWords, list[str]]:
    """What stands for each of the chosen names in a picture, words in fonts that have its characters, and what numbers
    stand for where no font has them.
    """
    drawn = [_short(names[index]) for index in chosen]
    if words := PlotWords.for_names(drawn):
        return drawn, words, []
    return [str(index) for index in chosen], PlotWords.plain(), [f"{index}: {names[index]}" for index in chosen]


def _short(label: str) -> str:
    """One line of bounded length without characters that cannot be seen."""
    label = visible(" ".join(label.split()))
    return label if len(label) <= _LONGEST_LABEL else label[: _LONGEST_LABEL - 1] + "…"


def _write_counts(axes: Axes, counts: Ints, shares: Floats, size: float) -> None:
    for (row, column), count in np.ndenumerate(counts):
        if count or row == column:
            colour = "white" if shares[row, column] > 0.55 else INK
            axes.text(column, row, str(count), ha="center", va="center", color=colour, fontsize=size)


def _draw_bins(axes: Axes, table: ReliabilityTable, colour: str, label: str, *, marker: str, intervals: bool) -> None:
    filled = np.flatnonzero(table.counts)
    sure, right, counts = table.confidence[filled], table.accuracy[filled], table.counts[filled]
    if intervals:
        ends = np.array([wilson_interval(round(share * count), int(count)) for share, count in zip(right, counts)])
        axes.vlines(sure, ends[:, 0], ends[:, 1], color=colour, alpha=0.35, linewidth=4)
    axes.plot(sure, right, marker=marker, markersize=5, color=colour, linewidth=1.4, label=label)
