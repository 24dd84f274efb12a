"""The verb that makes a fine-tuned model: finetune."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from bertwright.checkpoint.json_files import json_text
from bertwright.cli.options import (
    Delimiter,
    Device,
    Download,
    DropUnlabelled,
    Encoding,
    Json,
    LabelColumn,
    Overwrite,
    Resume,
    TextBColumn,
    TextColumn,
)
from bertwright.tasks.registry import task_names
from bertwright.wording import said

log = logging.getLogger("bertwright")


def _print_settings(wanted: bool) -> None:
    from bertwright.cli.settings_list import print_settings
    from bertwright.training.finetuning.task_settings import every_setting

    if wanted:
        print_settings(every_setting())
        raise typer.Exit


def finetune(
    train: Annotated[Path, typer.Argument(help="A file (csv, tsv, json, jsonl, parquet, txt) or a folder of classes.")],
    settings: Annotated[list[str] | None, typer.Argument(metavar="[KEY=VALUE ...]", help="Settings.")] = None,
    dev: Annotated[Path | None, typer.Option(help="Labelled texts to choose the best epoch by.")] = None,
    model: Annotated[
        str, typer.Option(help="The model to start from: a folder, a hub name, or mini, the built-in one.")
    ] = "mini",
    out: Annotated[Path | None, typer.Option(help="Run folder. Default: runs/ and the name of TRAIN.")] = None,
    task: Annotated[
        str | None, typer.Option(help=f"{', '.join(task_names())}. Default: by the form of the data.")
    ] = None,
    head: Annotated[str | None, typer.Option(help="Of a tagger: crf or softmax.")] = None,
    recipe: Annotated[Path | None, typer.Option(help="A TOML file with settings.")] = None,
    long: Annotated[str | None, typer.Option(help="Longer texts: window (read all), head, head+tail, error.")] = None,
    seeds: Annotated[str, typer.Option(help="Train once for each, and tell mean and spread: 1,2,3")] = "",
    text_column: TextColumn = None,
    text_b_column: TextBColumn = None,
    label_column: LabelColumn = None,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    drop_unlabelled: DropUnlabelled = False,
    download: Download = False,
    device: Device = "cpu",
    resume: Resume = False,
    overwrite: Overwrite = False,
    as_json: Json = False,
    show_settings: Annotated[  # noqa: ARG001  (its callback answers)
        bool,
        typer.Option("--show-settings", callback=_print_settings, is_eager=True, help="List every setting, and stop."),
    ] = False,
) -> None:
    """Train a model on labelled texts.

    Examples:

      bertwright finetune train.csv --dev dev.csv

      bertwright finetune train.csv --dev dev.csv --model bert-base-uncased

      bertwright finetune 训练.tsv --model ./chinese-bert --out runs/first epochs=5 learning_rate=3e-5

      bertwright finetune train.csv --dev dev.csv --model bert-base-uncased --resume

      bertwright finetune train.conll --dev dev.conll --model bert-base-cased --task tagging --head crf

      bertwright finetune nested.jsonl --model bert-base-chinese --task spans

      bertwright finetune articles.csv --model bert-base-chinese --task seq2seq num_beams=4
    """
    from bertwright.cli.printed_tables import print_run
    from bertwright.data.reading.tables import Columns
    from bertwright.reports.card import predict_command
    from bertwright.text.files import plain_suffix
    from bertwright.training.finetuning.finetune import finetune as run_finetune
    from bertwright.training.finetuning.task_settings import every_setting

    _refuse_other_things(train, settings or ())
    name = (train.resolve() if train.name in ("", "..") else train).name  # a link keeps its own
    while plain_suffix(Path(name)):
        name = Path(name).stem
    run = run_finetune(
        train,
        dev,
        model=model,
        out=out or Path("runs") / name,
        columns=Columns(text=text_column, label=label_column, text_b=text_b_column),
        encoding=encoding,
        delimiter=delimiter,
        drop_unlabelled=drop_unlabelled,
        settings=every_setting().resolve(recipe, settings or (), long=long, head=head),
        task=task,
        seeds=_seeds(seeds),
        download=download,
        device=device,
        overwrite=overwrite,
        resume=resume,
    )
    if as_json:
        typer.echo(json_text(run.to_json()))
        return
    print_run(run.judged)
    epoch, best = run.outcome.best.epoch, run.folder / "best"
    typer.echo(said("best after epoch {epoch}; the model is in {folder}", epoch=epoch, folder=best))
    command = predict_command(run.folder, is_pair=run.dev[0].text_b is not None)
    typer.echo(said("next: {command}", command=command))


def _refuse_other_things(train: Path, settings: Sequence[str]) -> None:
    """A run in place of data, and a second file in place of settings."""
    from bertwright.errors import BertwrightError

    if (train / "run.json").is_file():
        raise BertwrightError("BW137", folder=train)
    if "=" in str(train) and not train.exists():
        raise BertwrightError("BW143", word=train)
    for word in settings:
        if "=" not in word and (Path(word).suffix or Path(word).exists()):
            raise BertwrightError("BW135", word=word, verb="finetune", train=train)


_SEED_DIGITS = 100  # more than any seed has


def _seeds(words: str) -> list[int]:
    from bertwright.errors import BertwrightError

    listed = [word.strip() for word in words.split(",") if word.strip()]
    if not all(word.isdecimal() and len(word) <= _SEED_DIGITS for word in listed) or (words and not listed):
        raise BertwrightError("BW636", seeds=words[:_SEED_DIGITS])
    return [int(word) for word in listed]
