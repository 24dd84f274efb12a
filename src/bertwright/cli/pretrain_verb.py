"""The verb that trains a BERT on raw text: pretrain."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from bertwright.cli.options import Device, Download, Json, Overwrite, Resume
from bertwright.wording import measure_name, said, worded


def pretrain(
    store: Annotated[Path | None, typer.Argument(help="What `bertwright prepare` wrote.")] = None,
    settings: Annotated[list[str] | None, typer.Argument(metavar="[KEY=VALUE ...]", help="Settings.")] = None,
    out: Annotated[Path | None, typer.Option(help="Run folder. Default: runs/ and the name of STORE.")] = None,
    init: Annotated[str, typer.Option(help="Go on with this model: a folder or a hub name.")] = "",
    vocab: Annotated[str, typer.Option(help="Vocabulary of a model from scratch. Default: that of the store.")] = "",
    recipe: Annotated[Path | None, typer.Option(help="A TOML file with settings.")] = None,
    download: Download = False,
    device: Device = "cpu",
    resume: Resume = False,
    overwrite: Overwrite = False,
    as_json: Json = False,
    show_settings: Annotated[bool, typer.Option(help="List every setting with its default, and stop.")] = False,
) -> None:
    """Train a BERT on raw text: masked language model and next sentence prediction.

    Examples:

      bertwright pretrain my-store --out runs/mini shape=mini max_minutes=60

      bertwright pretrain my-store --out runs/base --recipe recipes/pretrain-tiny.toml max_tokens=1_000_000_000

      bertwright pretrain medical-store --init bert-base-chinese --out runs/medical masking=word max_length=512

      bertwright pretrain my-store --out runs/mini shape=mini max_minutes=60 --resume
    """
    from bertwright.cli.settings_list import print_settings
    from bertwright.errors import BertwrightError
    from bertwright.training.pretraining.pretrain import pretrain as run_pretrain
    from bertwright.training.pretraining.pretrain_settings import PretrainSettings
    from bertwright.wording import quoted

    if show_settings:
        print_settings(PretrainSettings)
        return
    if store is None:
        raise BertwrightError("BW114")
    run = run_pretrain(
        store,
        out=out or Path("runs") / store.resolve().name,
        init=init or None,
        vocab=vocab or None,
        settings=PretrainSettings.resolve(recipe, settings or ()),
        download=download,
        device=device,
        overwrite=overwrite,
        resume=resume,
    )
    if as_json:
        typer.echo(json.dumps(run.to_json(), ensure_ascii=False))
        return
    for name, value in run.outcome.best.scores.items():
        typer.echo(said("{name}: {parts}", name=measure_name(name).replace("_", " "), parts=f"{value:.4f}"))
    best = run.folder / "best"
    typer.echo(said("the model is in {folder}; next:", folder=best))
    text = quoted(said("a text with a [MASK]"))
    for command in (f"predict {quoted(run.folder)} {text}", f"finetune {worded('TRAIN')}.csv --model {quoted(best)}"):
        typer.echo(f"  bertwright {command}")
