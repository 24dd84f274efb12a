"""The model card of a run: what it does, how well, how it came to be, and how to use it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bertwright.data.windows import LONGER_TEXTS
from bertwright.evaluation.class_scores import class_scores, top_confusions
from bertwright.reports.markdown import cell, evaluations, every_setting, place, plain, table
from bertwright.tasks.judged import Bars, Confusion, Judged, Scatter, ScoreTable
from bertwright.tasks.registry import foreign_to
from bertwright.tasks.task import Task
from bertwright.version import __version__
from bertwright.wording import Phrase, language, quantity, quoted, said, shown, side_by_side, worded

_WIDEST_CONFUSION = 12
_MOST_NAMED = 20  # classes in the first lines
CALIBRATION = {
    "ece": "ECE, 15 equally wide bins",
    "adaptive_ece": "ECE, 15 equally filled bins",
    "brier": "Brier score",
    "nll": "NLL",
}
_FACTS = {
    "training texts": "train_examples",
    "training data": "train_source",
    "dev texts": "dev_examples",
    "dev data": "dev_source",
    "steps": "steps",
    "kept: step": "best_step",
    "stopped early": "stopped",
    "tokens trained on": "train_tokens",
    "seconds in training": "train_seconds",
    "tokens a second": "tokens_per_second",
    "device": "device",
    "torch": "torch_version",
    "Python": "python_version",
}
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


def model_card(card: Card, plots: Sequence[str] = (), legend: Sequence[str] = (), remark: str = "") -> str:
    """Markdown.

    Args:
        plots: names of the plots beside the card.
        legend: what the numbers in them stand for, where no font has the characters of the names.
        remark: on the language of the plots.
    """
    pictures = _Pictures(plots, legend)
    sections = [
        _front(card), _scores(card), *map(_extra, card.judged.tables), pictures.of_others(card.judged),
        _calibration(card, pictures), _mistakes(card, pictures), _use(card), _limits(card), _training(card, pictures),
        remark,
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
        drawn = [(name, one) for name, one in judged.figures.items() if isinstance(one, Bars | Scatter)]
        return (
            ("".join(self.of(name, worded(one.caption)) for name, one in drawn) + self.explained()).strip()
            if drawn
            else ""
        )

    def explained(self) -> str:
        """What numbers in a plot stand for."""
        if not self.legend:
            return ""
        names = ("、" if language() == "zh" else ", ").join(plain(entry) for entry in self.legend)
        words = said("No installed font has the characters of the names; the numbers stand for: {names}.", names=names)
        return f"\n\n{words}"


def predict_command(folder: Path, *, is_pair: bool) -> str:
    """What to type to try the model of `folder`, with an example in the language of the moment."""
    second = f' --text-b "{worded("another")}"' if is_pair else ""
    return f'bertwright predict {quoted(folder)} "{worded("a text")}"{second}'


def _front(card: Card) -> str:
    base = place(card.record.get("model", ""))
    pipeline = f"pipeline_tag: {card.task.pipeline}\n" if card.task.pipeline else ""
    facts = {"task": worded(card.task.name), "version": card.record.get("bertwright_version", __version__)}
    made = (
        said("A BERT for {task}, trained with bertwright {version} from `{base}`.", base=base, **facts)
        if base
        else said("A BERT for {task}, trained with bertwright {version}.", **facts)
    )
    return (
        f"---\nlibrary_name: transformers\n{pipeline}tags: [bert, bertwright]\n---\n\n"
        f"# {plain(card.folder.resolve().name)}\n\n"
        + side_by_side(made, _purpose(card), said("The model is in `best/`."))
    )


def _purpose(card: Card) -> str:
    """What it reads and answers."""
    labels = card.judged.confusion.labels if card.judged.confusion else ()
    texts = Phrase("a pair of texts") if card.is_pair else Phrase("a text")
    if types := card.judged.types:
        names = shown(map(plain, types), _MOST_NAMED)
        return said(
            "It reads {texts} and finds {n} types of entities: {names}.", texts=texts, n=len(types), names=names
        )
    if not labels:
        return said("It reads {texts}.", texts=texts)
    if len(labels) > _MOST_NAMED:
        return said("It reads {texts} and answers with one of {count} classes.", texts=texts, count=len(labels))
    names = worded(", ").join(plain(label) for label in labels)
    return said(
        "It reads {texts} and answers with one of {count} classes: {names}.",
        texts=texts,
        count=len(labels),
        names=names,
    )


def _scores(card: Card) -> str:
    judged, title = card.judged, "## " + said("Scores on the dev set")
    if not judged.metrics:
        best: Mapping[str, float] = next((row for row in card.metrics if row.get("step") == card.best_step), {})
        pairs = [(name.removeprefix("dev_"), f"{value:.4f}") for name, value in best.items() if name.startswith("dev_")]
        return f"{title}\n\n{table((worded('metric'), worded('value')), pairs)}"
    chosen = said(
        "The best of {count} evaluations on these texts was kept, so expect slightly less on new ones: "
        "`bertwright evaluate` on a test set tells.",
        count=len(card.metrics),
    )
    header = (worded("metric"), worded("value"), worded("95 % interval"))
    text = (
        f"{title}\n\n{said('{texts}.', texts=quantity(judged.count, 'text'))}\n\n"
        f"{table(header, judged.metric_rows())}\n\n{side_by_side(judged.metrics_note, chosen)}"
    )
    classes = "" if judged.confusion is None else _classes(judged.confusion, card.train_classes)
    return "\n\n".join(part for part in (text, classes) if part)


def _classes(confusion: Confusion, train_classes: Mapping[str, int]) -> str:
    """The scores of each class."""
    if len(confusion.labels) > _MOST_CLASSES:
        return ""
    counts = (
        {worded("in training"): [str(train_classes.get(label, 0)) for label in confusion.labels]}
        if train_classes
        else {}
    )
    scores = class_scores(confusion.counts)
    columns = counts | {worded("in dev"): [*map(str, scores.support)]}
    for name, values in (("precision", scores.precision), ("recall", scores.recall), ("F1", scores.f1)):
        columns[worded(name)] = [f"{value:.3f}" for value in values]
    return table((worded("class"), *columns), zip(confusion.labels, *columns.values()))


def _extra(one: ScoreTable) -> str:
    note = f"\n\n{one.note}" if one.note else ""
    return f"## {one.title}\n\n{table(one.header, one.rows)}{note}"


def _calibration(card: Card, pictures: _Pictures) -> str:
    calibration, temperature = card.judged.calibration, card.task.temperature
    if calibration is None:
        return ""
    if temperature != 1:
        stored = said(
            "Before its probabilities are given out, their logarithms are divided by the temperature "
            "{temperature:.3f}, which was fitted on the dev set. It changes how sure an answer is, never which "
            "answer it is.",
            temperature=temperature,
        )
        column = said(
            "temperature {temperature:.2f} (fitted on one half, scored on the other)",
            temperature=calibration.temperature,
        )
    else:
        stored = said("The probabilities are given out as the model computes them.")
        column = said("what temperature {temperature:.2f} would do", temperature=calibration.temperature)
    old, new = calibration.before.to_json(), calibration.after.to_json()
    rows = [(worded(title), f"{old[name]:.4f}", f"{new[name]:.4f}") for name, title in CALIBRATION.items()]
    picture = pictures.of("reliability.png", worded("confidence against accuracy"))
    header = (worded("lower is better"), worded("temperature 1"), column)
    return f"## {worded('Calibration')}\n\n{stored}\n\n{table(header, rows)}{picture}"


def _mistakes(card: Card, pictures: _Pictures) -> str:
    confusion = card.judged.confusion
    if confusion is None:
        return ""
    counts, labels = confusion.counts, confusion.labels
    wrong = int(counts.sum() - counts.trace())
    facts = {"wrong": wrong, "count": card.judged.count}
    told = (
        said("{wrong} of {count} dev texts are answered wrongly: `errors.csv`, the most confident first.", **facts)
        if wrong
        else said("{wrong} of {count} dev texts are answered wrongly.", **facts)
    )
    text = f"## {worded('Mistakes')}\n\n{told}"
    if len(labels) <= _WIDEST_CONFUSION:
        rows = [(f"**{cell(label)}**", *map(str, counts[i])) for i, label in enumerate(labels)]
        text += f"\n\n{table((worded('true ↓ predicted →'), *labels), rows)}"
    elif wrong:
        most = top_confusions(counts, 15)
        rows = [(labels[true], labels[said], str(count)) for true, said, count in most]
        text += f"\n\n{table(tuple(map(worded, ('true', 'predicted', 'times'))), rows)}"
    return text + pictures.of("confusion.png", worded("confusion matrix")) + pictures.explained()


def _use(card: Card) -> str:
    folder = Path(place(card.folder.as_posix()))
    text, another = worded("a text"), worded("another")
    run, best = (json.dumps(path.as_posix(), ensure_ascii=False) for path in (folder, folder / "best"))
    note = ""
    if card.task.temperature != 1:
        note = "  # " + said(
            "softmax(logits / {temperature:.3f}) gives bertwright's probabilities", temperature=card.task.temperature
        )
    one = f'{{"text": "{text}", "text_pair": "{another}"}}' if card.is_pair else f'"{text}"'
    python = f"""
```python
from bertwright import Predictor
answer = Predictor.load({run})({f'[("{text}", "{another}")])[0]' if card.is_pair else f'"{text}")'}
print(answer.to_json())
```
"""
    peer = card.task.peer_example.replace('"{path}"', best).replace("a text", text)
    if card.task.pipeline:
        peer = f'from transformers import pipeline\nprint(pipeline("{card.task.pipeline}", {best})({one})){note}'
    if peer:
        peer = f"\n```python\n{peer}\n```{card.task.pipeline_note}"
    return f"""## {worded("Use")}

```
{predict_command(folder, is_pair=card.is_pair)}
bertwright evaluate {quoted(folder)} test.csv
```
{python}{peer}"""


def _limits(card: Card) -> str:
    settings = card.record.get("settings", {})
    lines = []
    if length := settings.get("max_length"):
        longer = str(LONGER_TEXTS[settings["long"]])
        if settings["long"] == "window":
            longer = said("{first}, {second}", first=longer, second=worded(card.task.of_windows or ""))
        lines.append(
            said("It reads {length} tokens at once; as for longer texts, {longer}.", length=length, longer=longer)
        )
    if card.truncated:
        lines.append(said("{count} dev texts were cut; their answers say `truncated`.", count=card.truncated))
    lines += map(plain, card.judged.limits)
    lines.append(
        said("It was scored on texts like those that it was trained on. On others it may do worse, and as sure.")
    )
    return f"## {worded('Limits')}\n\n" + "\n".join(f"- {line}" for line in lines)


def _training(card: Card, pictures: _Pictures) -> str:
    record = {**card.record, "best_step": card.best_step}
    known = [
        (worded(title), place(str(record[name])))
        for title, name in _FACTS.items()
        if record.get(name) not in (None, "")
    ]
    text = f"## {worded('Training')}\n\n{table(('', ''), known)}"
    text += pictures.of("loss.png", worded("loss and dev score by step"))
    settings = _own(record.get("settings") or {}, type(card.task))
    return text + evaluations(card.metrics) + (f"\n\n{every_setting(settings)}" if settings else "")


def _own(settings: Mapping[str, Any], kind: type[Task[Any, Any]]) -> dict[str, Any]:
    """The settings that mean something to a task."""
    foreign = {*foreign_to(kind), *(() if kind.weighs_classes else ("class_weight",))}
    return {name: value for name, value in settings.items() if name not in foreign}
