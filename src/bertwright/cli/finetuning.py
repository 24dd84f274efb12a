"""The verbs around a fine-tuned model: finetune, evaluate, predict."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

TextColumn = Annotated[str | None, typer.Option(help="Column that holds the texts. Default: found by its name.")]
LabelColumn = Annotated[str | None, typer.Option(help="Column that holds the labels. Default: found by its name.")]
Encoding = Annotated[str | None, typer.Option(help="Encoding of the data. Default: detected, and said.")]
Device = Annotated[str, typer.Option(help="Where to compute: cpu, cuda:0, mps, …")]


def finetune(
    train: Annotated[Path, typer.Argument(help="Labelled texts: .csv or .tsv (also .gz, .bz2, .xz).")],
    settings: Annotated[list[str] | None, typer.Argument(metavar="[KEY=VALUE ...]", help="Settings.")] = None,
    dev: Annotated[Path | None, typer.Option(help="Labelled texts to choose the best epoch by.")] = None,
    model: Annotated[str, typer.Option(help="The model to start from: a folder or a hub name.")] = "",
    out: Annotated[Path | None, typer.Option(help="Run folder. Default: runs/ and the name of TRAIN.")] = None,
    recipe: Annotated[Path | None, typer.Option(help="A TOML file with settings.")] = None,
    text_column: TextColumn = None,
    label_column: LabelColumn = None,
    encoding: Encoding = None,
    device: Device = "cpu",
    overwrite: Annotated[bool, typer.Option(help="Replace the run that the folder holds.")] = False,
) -> None:
    """Train a model on labelled texts.

    Examples:

      bertwright finetune train.csv --dev dev.csv --model bert-base-uncased

      bertwright finetune 训练.tsv --model ./chinese-bert --out runs/first epochs=5 learning_rate=3e-5
    """
    from bertwright.cli.tables import print_confusion
    from bertwright.data.tables import Columns
    from bertwright.errors import BertwrightError
    from bertwright.text.files import plain_suffix
    from bertwright.training.finetune import finetune as run_finetune
    from bertwright.training.settings import FinetuneSettings

    if not model:
        raise BertwrightError("BW105")
    name = train.name.removesuffix(train.suffix) if plain_suffix(train) != train.suffix.lower() else train.name
    out = out or Path("runs") / Path(name).stem
    run = run_finetune(
        train,
        dev,
        model=model,
        out=out,
        columns=Columns(text_column, label_column),
        encoding=encoding,
        settings=FinetuneSettings.resolve(recipe, settings or ()),
        device=device,
        overwrite=overwrite,
    )
    print_confusion(run.task, run.outcome.best.predictions, run.dev)
    typer.echo(f"best epoch {run.outcome.best.epoch}; the model is in {run.folder / 'best'}")
    typer.echo(f'next: bertwright predict {run.folder} "a text"')


def evaluate(
    run: Annotated[Path, typer.Argument(help="A run folder or a model folder.")],
    data: Annotated[Path, typer.Argument(help="Labelled texts: .csv or .tsv (also .gz, .bz2, .xz).")],
    text_column: TextColumn = None,
    label_column: LabelColumn = None,
    encoding: Encoding = None,
    device: Device = "cpu",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Score a trained model on labelled texts.

    Example:

      bertwright evaluate runs/first test.csv
    """
    from bertwright.cli.tables import print_confusion, print_scores
    from bertwright.data.tables import Columns
    from bertwright.inference.evaluate import evaluate as run_evaluate

    report = run_evaluate(run, data, columns=Columns(text_column, label_column), encoding=encoding, device=device)
    if as_json:
        typer.echo(json.dumps({"examples": len(report.examples), "scores": report.scores}))
        return
    print_scores(report.scores, len(report.examples))
    print_confusion(report.task, report.predictions, report.examples)


def predict(
    run: Annotated[Path, typer.Argument(help="A run folder or a model folder.")],
    texts: Annotated[list[str] | None, typer.Argument(metavar="[TEXT ...]", help="Texts to answer.")] = None,
    data: Annotated[Path | None, typer.Option("--input", help="Texts in a .csv or .tsv file.")] = None,
    output: Annotated[Path | None, typer.Option(help="Write the answers here. Default: stdout.")] = None,
    text_column: TextColumn = None,
    encoding: Encoding = None,
    device: Device = "cpu",
) -> None:
    """Answer for texts, one JSON line each, in the order given.

    Examples:

      bertwright predict runs/first "This is a great movie!"

      bertwright predict runs/first --input texts.csv --output answers.jsonl
    """
    from bertwright.checkpoint.store import write_text
    from bertwright.data.tables import Columns, read_table
    from bertwright.errors import BertwrightError
    from bertwright.inference.predictor import Predictor

    if bool(texts) == bool(data):
        raise BertwrightError("BW106")
    predictor = Predictor.load(run, device)
    if data is not None:
        table = read_table(data, Columns(text_column), labelled=False, encoding=encoding)
        typer.echo(table.summary(), err=True)
        texts = [example.text for example in table.examples]
    assert texts is not None
    lines = [
        json.dumps({"text": text, **answer.to_json()}, ensure_ascii=False)
        for text, answer in zip(texts, predictor.stream(texts))
    ]
    if output is not None:
        write_text(output, "\n".join(lines) + "\n")
    else:
        typer.echo("\n".join(lines))
