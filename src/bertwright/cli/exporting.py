"""The verb `export`: a model in the form in which others read it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def export(
    run: Annotated[str, typer.Argument(help="A run folder, a model folder or a name.")],
    out: Annotated[Path, typer.Option(help="The folder to write.")],
    half: Annotated[bool, typer.Option("--half", help="Store the weights in float16, for half the size.")] = False,
    overwrite: Annotated[bool, typer.Option(help="Replace a folder that an export wrote.")] = False,
) -> None:
    """Write the model of a run as a plain folder that `transformers` opens.

    Examples:

      bertwright export runs/first --out first

      bertwright export runs/mine --out mine --half
    """
    from bertwright.inference.export import export_huggingface

    export_huggingface(run, out, half=half, overwrite=overwrite)
    typer.echo(f"the model is in {out}")
