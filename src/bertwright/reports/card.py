"""The model card of a run: what it does, how well, how it came to be, and how to use it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertwright.data.windows import LONGER_TEXTS
from bertwright.errors import quantity, quoted
from bertwright.evaluation.class_scores import top_confusions
from bertwright.evaluation.confidence import Estimate
from bertwright.evaluation.summary import Summary
from bertwright.tasks.task import ScoreTable, Task
from bertwright.version import __version__

_WIDEST_CONFUSION = 12
_MOST_CLASSES = 60  # more rows than that are left to errors.csv and `bertwright evaluate --json`


@dataclass(frozen=True, slots=True)
class Card:
    """What the card is written from; see `RunStory` for what is not said here.

    Attributes:
        summary: the scores on the dev set; None for a task without classes.
        truncated: dev texts of which a part was cut off.
        is_pair: whether it reads pairs of texts.
        plots: names of the plots beside the card.
        legend: what the numbers in `confusion.png` or `types.png` stand for, if it shows numbers.
        tables: what the task adds.
    """

    folder: Path
    record: Mapping[str, Any]
    task: Task
    metrics: Sequence[Mapping[str, float]]
    best_step: int
    train_classes: Mapping[str, int]
    temperature: float
    summary: Summary | None
    truncated: int
    is_pair: bool
    plots: Sequence[str]
    legend: Sequence[str]
    tables: Sequence[ScoreTable] = ()


def model_card(card: Card) -> str:
    """Markdown."""
    sections = [
        _front(card), _scores(card), *map(_extra, card.tables), _types(card), _calibration(card), _mistakes(card),
        _use(card), _limits(card), _training(card),
    ]  # fmt: skip
    return "\n\n".join(section for section in sections if section) + "\n"


def predict_command(folder: Path, *, is_pair: bool) -> str:
    """What to type to try the model of `folder`."""
    second = ' --text-b "another"' if is_pair else ""
    return f'bertwright predict {quoted(folder)} "a text"{second}'


def _front(card: Card) -> str:
    labels = card.summary.labels if card.summary is not None else ()
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
    if card.summary is None:
        best = [row for row in card.metrics if row.get("step") == card.best_step]
        pairs = [(name.removeprefix("dev_"), f"{value:.4f}") for row in best for name, value in row.items()
                 if name.startswith("dev_")]  # fmt: skip
        return f"## Scores on the dev set\n\n{_table(('metric', 'value'), pairs)}"
    summary = card.summary
    rows = [(title, f"{one.value:.4f}", _interval(one)) for title, one in summary.titled_metrics().items()]
    text = (
        f"## Scores on the dev set\n\n{quantity(summary.count, 'text')}.\n\n"
        f"{_table(('metric', 'value', '95 % interval'), rows)}\n\n"
        "The interval of the accuracy is Wilson's, the others come from resampling the texts. The best of "
        f"{len(card.metrics)} evaluations on these texts was kept, so expect slightly less on new ones: "
        "`bertwright evaluate` on a test set tells."
    )
    if len(summary.labels) > _MOST_CLASSES:
        return text
    has_train = bool(card.train_classes)
    header = ("class", *(("in training",) if has_train else ()), "in dev", "precision", "recall", "F1")
    scores = summary.classes
    table = [
        (
            label,
            *((str(card.train_classes.get(label, 0)),) if has_train else ()),
            str(scores.support[i]), f"{scores.precision[i]:.3f}", f"{scores.recall[i]:.3f}", f"{scores.f1[i]:.3f}",
        )
        for i, label in enumerate(summary.labels)
    ]  # fmt: skip
    return f"{text}\n\n{_table(header, table)}"


def _extra(table: ScoreTable) -> str:
    note = f"\n\n{table.note}" if table.note else ""
    return f"## {table.title}\n\n{_table(table.header, table.rows)}{note}"


def _types(card: Card) -> str:
    return (_picture(card, "types.png", "scores by type") + _legend(card)).strip() if card.summary is None else ""


def _legend(card: Card) -> str:
    if not card.legend:
        return ""
    names = ", ".join(_plain(entry) for entry in card.legend)
    return f"\n\nNo installed font has the characters of the names; the numbers stand for: {names}."


def _calibration(card: Card) -> str:
    if card.summary is None:
        return ""
    calibration = card.summary.calibration
    before, after = calibration.before, calibration.after
    if card.temperature != 1:
        stored = (
            f"Before its probabilities are given out, their logarithms are divided by the temperature "
            f"{card.temperature:.3f}, which was fitted on the dev set. It changes how sure an answer is, never which "
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
    picture = _picture(card, "reliability.png", "confidence against accuracy")
    return f"## Calibration\n\n{stored}\n\n{_table(('lower is better', 'temperature 1', column), rows)}{picture}"


def _mistakes(card: Card) -> str:
    summary = card.summary
    if summary is None:
        return ""
    wrong = int(summary.confusion.sum() - summary.confusion.trace())
    text = f"## Mistakes\n\n{wrong} of {summary.count} dev texts are answered wrongly"
    text += ": `errors.csv`, the most confident first." if wrong else "."
    if len(summary.labels) <= _WIDEST_CONFUSION:
        rows = [(f"**{_cell(label)}**", *map(str, summary.confusion[i])) for i, label in enumerate(summary.labels)]
        text += f"\n\n{_table(('true ↓ predicted →', *summary.labels), rows)}"
    elif wrong:
        most = top_confusions(summary.confusion, 15)
        rows = [(summary.labels[true], summary.labels[said], str(count)) for true, said, count in most]
        text += f"\n\n{_table(('true', 'predicted', 'times'), rows)}"
    return text + _picture(card, "confusion.png", "confusion matrix") + _legend(card)


def _use(card: Card) -> str:
    run, best = (json.dumps(path.as_posix(), ensure_ascii=False) for path in (card.folder, card.folder / "best"))
    note = ""
    if card.temperature != 1:
        note = f"  # softmax(logits / {card.temperature:.3f}) gives bertwright's probabilities"
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
    if card.summary is not None:
        lines.append("It knows no class but those above, and answers with one of them whatever it is given.")
        rare = [label for label, support in zip(card.summary.labels, card.summary.classes.support) if support < 10]
        if rare:
            listed = ", ".join(_plain(label) for label in rare[:10]) + (", …" if len(rare) > 10 else "")
            lines.append(f"Fewer than 10 dev texts, so that their scores say little: {listed}.")
    lines.append("It was scored on texts like those that it was trained on. On others it may do worse, and as sure.")
    return "## Limits\n\n" + "\n".join(f"- {line}" for line in lines)


def _training(card: Card) -> str:
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
    text = f"## Training\n\n{_table(('', ''), known)}{_picture(card, 'loss.png', 'loss and dev score by step')}"
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


def _picture(card: Card, name: str, title: str) -> str:
    return f"\n\n![{title}]({name})" if name in card.plots else ""


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
