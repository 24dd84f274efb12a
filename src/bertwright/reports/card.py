"""The model card of a run: what it does, how well, how it came to be, and how to use it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bertwright.data.windows import LONGER_TEXTS
from bertwright.errors import quantity, quoted
from bertwright.evaluation.class_scores import class_scores, top_confusions
from bertwright.evaluation.confidence import Estimate
from bertwright.tasks.judged import Bars, Confusion, Judged, Scatter, ScoreTable
from bertwright.tasks.task import Task
from bertwright.version import __version__

_WIDEST_CONFUSION = 12
_MOST_CLASSES = 60  # more rows than that are left to errors.csv and `bertwright evaluate --json`


@dataclass(frozen=True, slots=True)
class Card:
    """What the card is written from.

    Attributes:
        folder: of the run.
        record: the values of `run.json`: settings, seed, versions, timings. Those that the card shows are left out of
            it where they are missing.
        task: what was trained, with the temperature that the saved model has.
        judged: the answers of the best evaluation at temperature 1.
        metrics: the rows of `metrics.csv`.
        best_step: the step of the best evaluation.
        train_classes: how many training examples each class has; may be empty.
        truncated: dev texts of which a part was cut off.
        is_pair: whether it reads pairs of texts.
    """

    folder: Path
    record: Mapping[str, Any]
    task: Task[Any, Any]
    judged: Judged
    metrics: Sequence[Mapping[str, float]]
    best_step: int
    train_classes: Mapping[str, int] = field(default_factory=dict)
    truncated: int = 0
    is_pair: bool = False


def model_card(card: Card, plots: Sequence[str] = (), legend: Sequence[str] = ()) -> str:
    """Markdown.

    Args:
        plots: names of the plots beside the card.
        legend: what the numbers in them stand for, where no font has the characters of the names.
    """
    pictures = _Pictures(plots, legend)
    sections = [
        _front(card), _scores(card), *map(_extra, card.judged.tables), pictures.of_others(card.judged),
        _calibration(card, pictures), _mistakes(card, pictures), _use(card), _limits(card), _training(card, pictures),
    ]  # fmt: skip
    return "\n\n".join(section for section in sections if section) + "\n"


@dataclass(frozen=True, slots=True)
class _Pictures:
    """The plots that lie beside the card, as Markdown."""

    names: Sequence[str]
    legend: Sequence[str]

    def of(self, name: str, title: str) -> str:
        """The one of a name, where it was drawn."""
        return f"\n\n![{title}]({name})" if name in self.names else ""

    def of_others(self, judged: Judged) -> str:
        """Those that no section shows beside its numbers."""
        shown = [(name, one) for name, one in judged.figures.items() if isinstance(one, Bars | Scatter)]
        return ("".join(self.of(name, one.caption) for name, one in shown) + self.explained()).strip() if shown else ""

    def explained(self) -> str:
        """What numbers in a plot stand for."""
        if not self.legend:
            return ""
        names = ", ".join(_plain(entry) for entry in self.legend)
        return f"\n\nNo installed font has the characters of the names; the numbers stand for: {names}."


def predict_command(folder: Path, *, is_pair: bool) -> str:
    """What to type to try the model of `folder`."""
    second = ' --text-b "another"' if is_pair else ""
    return f'bertwright predict {quoted(folder)} "a text"{second}'


def _front(card: Card) -> str:
    labels = card.judged.confusion.labels if card.judged.confusion else ()
    what = "It reads a pair of texts" if card.is_pair else "It reads a text"
    what += f" and answers with one of {len(labels)} classes" if labels else ""
    names = f": {', '.join(_plain(label) for label in labels)}." if 0 < len(labels) <= 20 else "."
    base = card.record.get("model", "")
    pipeline = f"pipeline_tag: {card.task.pipeline}\n" if card.task.pipeline else ""
    return (
        f"---\nlibrary_name: transformers\n{pipeline}tags: [bert, bertwright]\n---\n\n"
        f"# {_plain(card.folder.resolve().name)}\n\n"
        f"A BERT for {card.task.name}, trained with bertwright {card.record.get('bertwright_version', __version__)}"
        f"{f' from `{base}`' if base else ''}. {what}{names} The model is in `best/`."
    )


def _scores(card: Card) -> str:
    judged = card.judged
    if not judged.metrics:
        best = [row for row in card.metrics if row.get("step") == card.best_step]
        pairs = [(name.removeprefix("dev_"), f"{value:.4f}") for row in best for name, value in row.items()
                 if name.startswith("dev_")]  # fmt: skip
        return f"## Scores on the dev set\n\n{_table(('metric', 'value'), pairs)}"
    rows = [(title, f"{one.value:.4f}", _interval(one)) for title, one in judged.metrics.items()]
    text = (
        f"## Scores on the dev set\n\n{quantity(judged.count, 'text')}.\n\n"
        f"{_table(('metric', 'value', '95 % interval'), rows)}\n\n"
        f"{judged.metrics_note} The best of "
        f"{len(card.metrics)} evaluations on these texts was kept, so expect slightly less on new ones: "
        "`bertwright evaluate` on a test set tells."
    )
    classes = "" if judged.confusion is None else _classes(judged.confusion, card.train_classes)
    return "\n\n".join(part for part in (text, classes) if part)


def _classes(confusion: Confusion, train_classes: Mapping[str, int]) -> str:
    """The scores of each class."""
    if len(confusion.labels) > _MOST_CLASSES:
        return ""
    has_train = bool(train_classes)
    header = ("class", *(("in training",) if has_train else ()), "in dev", "precision", "recall", "F1")
    scores = class_scores(confusion.counts)
    table = [
        (
            label,
            *((str(train_classes.get(label, 0)),) if has_train else ()),
            str(scores.support[i]), f"{scores.precision[i]:.3f}", f"{scores.recall[i]:.3f}", f"{scores.f1[i]:.3f}",
        )
        for i, label in enumerate(confusion.labels)
    ]  # fmt: skip
    return _table(header, table)


def _extra(table: ScoreTable) -> str:
    note = f"\n\n{table.note}" if table.note else ""
    return f"## {table.title}\n\n{_table(table.header, table.rows)}{note}"


def _calibration(card: Card, pictures: _Pictures) -> str:
    calibration, temperature = card.judged.calibration, card.task.temperature
    if calibration is None:
        return ""
    before, after = calibration.before, calibration.after
    if temperature != 1:
        stored = (
            f"Before its probabilities are given out, their logarithms are divided by the temperature "
            f"{temperature:.3f}, which was fitted on the dev set. It changes how sure an answer is, never which "
            "answer it is."
        )
        column = f"temperature {calibration.temperature:.2f} (fitted on one half, scored on the other)"
    else:
        stored = "The probabilities are given out as the model computes them."
        column = f"what temperature {calibration.temperature:.2f} would do"
    names = {
        "ece": "ECE, 15 equally wide bins",
        "adaptive_ece": "ECE, 15 equally filled bins",
        "brier": "Brier score",
        "nll": "NLL",
    }
    old, new = before.to_json(), after.to_json()
    rows = [(title, f"{old[name]:.4f}", f"{new[name]:.4f}") for name, title in names.items()]
    picture = pictures.of("reliability.png", "confidence against accuracy")
    return f"## Calibration\n\n{stored}\n\n{_table(('lower is better', 'temperature 1', column), rows)}{picture}"


def _mistakes(card: Card, pictures: _Pictures) -> str:
    confusion = card.judged.confusion
    if confusion is None:
        return ""
    counts, labels = confusion.counts, confusion.labels
    wrong = int(counts.sum() - counts.trace())
    text = f"## Mistakes\n\n{wrong} of {card.judged.count} dev texts are answered wrongly"
    text += ": `errors.csv`, the most confident first." if wrong else "."
    if len(labels) <= _WIDEST_CONFUSION:
        rows = [(f"**{_cell(label)}**", *map(str, counts[i])) for i, label in enumerate(labels)]
        text += f"\n\n{_table(('true ↓ predicted →', *labels), rows)}"
    elif wrong:
        most = top_confusions(counts, 15)
        rows = [(labels[true], labels[said], str(count)) for true, said, count in most]
        text += f"\n\n{_table(('true', 'predicted', 'times'), rows)}"
    return text + pictures.of("confusion.png", "confusion matrix") + pictures.explained()


def _use(card: Card) -> str:
    run, best = (json.dumps(path.as_posix(), ensure_ascii=False) for path in (card.folder, card.folder / "best"))
    note = ""
    if card.task.temperature != 1:
        note = f"  # softmax(logits / {card.task.temperature:.3f}) gives bertwright's probabilities"
    one = '{"text": "a text", "text_pair": "another"}' if card.is_pair else '"a text"'
    python = f"""
```python
from bertwright import Predictor
answer = Predictor.load({run})({'[("a text", "another")])[0]' if card.is_pair else '"a text")'}
print(answer.to_json())
```
"""
    peer = card.task.peer_example.replace('"{path}"', best)
    if card.task.pipeline:
        peer = f'from transformers import pipeline\nprint(pipeline("{card.task.pipeline}", {best})({one})){note}'
    if peer:
        peer = f"\n```python\n{peer}\n```{card.task.pipeline_note}"
    return f"""## Use

```
{predict_command(card.folder, is_pair=card.is_pair)}
bertwright evaluate {quoted(card.folder)} test.csv
```
{python}{peer}"""


def _limits(card: Card) -> str:
    settings = card.record.get("settings", {})
    lines = []
    if length := settings.get("max_length"):
        longer = LONGER_TEXTS[settings["long"]]
        if settings["long"] == "window":
            longer += f", {card.task.of_windows}"
        lines.append(f"It reads {length} tokens at once; as for longer texts, {longer}.")
    if card.truncated:
        lines.append(f"{card.truncated} dev texts were cut; their answers say `truncated`.")
    lines += map(_plain, card.judged.limits)
    lines.append("It was scored on texts like those that it was trained on. On others it may do worse, and as sure.")
    return "## Limits\n\n" + "\n".join(f"- {line}" for line in lines)


def _training(card: Card, pictures: _Pictures) -> str:
    record, settings = card.record, card.record.get("settings", {})
    facts: list[tuple[str, object]] = [
        ("training texts", record.get("train_examples")),
        ("training data", record.get("train_source")),
        ("dev texts", record.get("dev_examples")),
        ("dev data", record.get("dev_source")),
        ("steps", record.get("steps")),
        ("kept: step", card.best_step),
        ("stopped early", record.get("stopped")),
        ("tokens trained on", record.get("train_tokens")),
        ("seconds in training", record.get("train_seconds")),
        ("tokens a second", record.get("tokens_per_second")),
        ("device", record.get("device")),
        ("torch", record.get("torch_version")),
        ("Python", record.get("python_version")),
    ]
    known = [(name, str(value)) for name, value in facts if value not in (None, "")]
    text = f"## Training\n\n{_table(('', ''), known)}{pictures.of('loss.png', 'loss and dev score by step')}"
    if card.metrics:
        header = list(card.metrics[0])
        text += "\n\n" + _table(header, [[str(row.get(name, "")) for name in header] for row in card.metrics])
    if settings:
        listed = "\n".join(f"{name} = {value}" for name, value in settings.items() if value is not None)
        text += f"\n\nEvery setting (also in `run.json`):\n\n```\n{listed}\n```"
    return text


def _interval(estimate: Estimate) -> str:
    if estimate.low is None or estimate.high is None:
        return "–"
    return f"{estimate.low:.4f} to {estimate.high:.4f}"


def _table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    header = [_cell(name) for name in header]
    lines = [header, ["---"] * len(header), *([_cell(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(text: str) -> str:
    """One line in which a bar does not end the cell."""
    return " ".join(text.replace("\\|", "|").split()).replace("|", "\\|")


def _plain(text: str) -> str:
    """One line in which nothing is markup."""
    return "".join(
        f"\\{character}" if character in "\\`*_[]<>#|" else character for character in " ".join(text.split())
    )
