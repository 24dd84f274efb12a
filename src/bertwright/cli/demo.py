"""The verb `demo`: the main job on built-in data, in about a minute, offline."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bertwright.checkpoint.json_files import json_text
from bertwright.cli.options import Json

if TYPE_CHECKING:
    from bertwright.data.examples import Example
    from bertwright.tasks.judged import Judged
    from bertwright.tasks.prediction import Prediction

OWN_FOLDER = Path("runs/demo")
SENTENCES = ("This is a great movie!", "这家餐厅的味道很好，下次还会再来。")
_TITLES = {"en": "English sentences that it has not seen:", "zh": "Chinese sentences that it has not seen:"}


def demo(
    model: Annotated[str, typer.Option(help="The model to start from: a folder or a name.")] = "mini",
    out: Annotated[Path, typer.Option(help="Run folder.")] = OWN_FOLDER,
    overwrite: Annotated[bool, typer.Option(help="Replace a run that --out holds (runs/demo always is).")] = False,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the built-in sentences.")] = 10,
    as_json: Json = False,
) -> None:
    """Fine-tune on 600 built-in sentences, show how good it got, and answer for two new ones."""
    from bertwright.console import plain_console
    from bertwright.data.samples import sentiment_samples
    from bertwright.data.split import hold_out
    from bertwright.inference.predictor import Predictor
    from bertwright.training.finetuning.finetune import finetune
    from bertwright.wording import said

    train: list[Example] = []
    held_out: dict[str, list[Example]] = {}
    for name in _TITLES:
        kept, held_out[name] = hold_out(sentiment_samples(name), 0.2, seed=1)
        train += kept
    dev = [example for held in held_out.values() for example in held]
    plain_console(stderr=as_json).print(
        said(
            "{train} sentences to learn from, {dev} to check with; starting from {model}",
            train=len(train), dev=len(dev), model=model,
        ),
        soft_wrap=True,
    )  # fmt: skip
    replaced = overwrite or out == OWN_FOLDER
    run = finetune(train, dev, model=model, out=out, overwrite=replaced, epochs=epochs, batch_size=16)

    answers = iter(run.predictions)
    judged = {name: run.task.judge(list(islice(answers, len(held))), held) for name, held in held_out.items()}
    new = Predictor.load(run.folder)(SENTENCES)
    if as_json:
        typer.echo(json_text(_document(run.folder, len(train), judged, new)))
    else:
        _print(run.folder, judged, new)


def _document(folder: Path, train: int, judged: dict[str, Judged], new: list[Prediction]) -> dict[str, Any]:
    return {
        "folder": str(folder),
        "train_examples": train,
        "dev": {name: {"examples": one.count, "scores": dict(one.scores), **one.details}
                for name, one in judged.items()},
        "answers": [{"text": text, **answer.to_json()} for text, answer in zip(SENTENCES, new)],
    }  # fmt: skip


def _print(folder: Path, judged: dict[str, Judged], new: list[Prediction]) -> None:
    from bertwright.cli.printed_tables import print_classes, print_scores
    from bertwright.console import plain_console
    from bertwright.wording import quoted, said, worded

    console = plain_console(highlight=False, soft_wrap=True)
    for name, one in judged.items():
        console.print("\n" + worded(_TITLES[name]))
        print_scores(one.scores, one.count)
        if one.confusion is not None:
            print_classes(one.confusion.counts, one.confusion.labels)
    console.print()
    for sentence, answer in zip(SENTENCES, new):
        values = answer.to_json()
        console.print(f"{sentence}  →  {values['label']} ({values['score']:.3f})")
    console.print("\n" + said("The model is in {folder}. Next:", folder=folder / "best"))
    example = worded("The food was cold and the waiter was rude.")
    columns = worded("columns: text, label")
    for line in (
        f'bertwright predict {quoted(folder)} "{example}"',
        f"bertwright finetune YOUR.csv --out runs/first      # {columns}",
        "bertwright --help",
    ):
        console.print(f"  {line}")
