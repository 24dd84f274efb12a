"""The verb `demo`: the main job on built-in data, in about a minute, offline."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

OWN_FOLDER = Path("runs/demo")
SENTENCES = ("This is a great movie!", "这家餐厅的味道很好，下次还会再来。")


def demo(
    model: Annotated[str, typer.Option(help="The model to start from: a folder or a name.")] = "mini",
    out: Annotated[Path, typer.Option(help="Run folder.")] = OWN_FOLDER,
    overwrite: Annotated[bool, typer.Option(help="Replace a run that --out holds (runs/demo always is).")] = False,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the built-in sentences.")] = 10,
) -> None:
    """Fine-tune on 600 built-in sentences, show how good it got, and answer for two new ones."""
    from bertwright.cli.printed_tables import print_classes, print_scores
    from bertwright.console import plain_console
    from bertwright.data.samples import sentiment_samples
    from bertwright.data.split import hold_out
    from bertwright.inference.predictor import Predictor
    from bertwright.training.finetuning.finetune import finetune
    from bertwright.wording import quoted

    console = plain_console()
    train, dev = [], []
    held_out = {}
    for name, language in (("English", "en"), ("Chinese", "zh")):
        kept, held_out[name] = hold_out(sentiment_samples(language), 0.2, seed=1)
        train += kept
        dev += held_out[name]
    console.print(
        f"{len(train)} sentences to learn from, {len(dev)} to check with; starting from {model}",
        soft_wrap=True,
    )
    replaced = overwrite or out == OWN_FOLDER
    run = finetune(train, dev, model=model, out=out, overwrite=replaced, epochs=epochs, batch_size=16)

    answers = iter(run.predictions)
    for name, held in held_out.items():
        console.print(f"\n{name} sentences that it has not seen:")
        judged = run.task.judge(list(islice(answers, len(held))), held)
        print_scores(judged.scores, len(held))
        if judged.confusion is not None:
            print_classes(judged.confusion.counts, judged.confusion.labels)
    console.print()
    predictor = Predictor.load(run.folder)
    for sentence, answer in zip(SENTENCES, predictor(SENTENCES)):
        values = answer.to_json()
        console.print(f"{sentence}  →  {values['label']} ({values['score']:.3f})", highlight=False)
    console.print(f"\nThe model is in {run.folder / 'best'}. Next:", highlight=False)
    for line in (
        f'bertwright predict {quoted(run.folder)} "The food was cold and the waiter was rude."',
        "bertwright finetune YOUR.csv --out runs/first      # columns: text, label",
        "bertwright --help",
    ):
        console.print(f"  {line}", highlight=False, soft_wrap=True)
