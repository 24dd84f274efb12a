"""The verb `export`: a model in the form in which others read it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bertwright.checkpoint.json_files import json_text
from bertwright.cli.options import Json
from bertwright.wording import said


def export(
    run: Annotated[str, typer.Argument(help="A run folder, a model folder or a name.")],
    out: Annotated[Path, typer.Option(help="The folder to write.")],
    half: Annotated[bool, typer.Option("--half", help="Store the weights in float16, for half the size.")] = False,
    overwrite: Annotated[bool, typer.Option(help="Replace a folder that an export wrote.")] = False,
    as_json: Json = False,
) -> None:
    """Write the model of a run as a plain folder that `transformers` opens.

    Examples:

      bertwright export runs/first --out first

      bertwright export runs/mine --out mine --half
    """
    from bertwright.inference.export import export_huggingface

    export_huggingface(run, out, half=half, overwrite=overwrite)
    if as_json:
        sizes = {file.name: file.stat().st_size for file in sorted(out.iterdir())}
        document = {"folder": str(out), "half": half, "bytes": sum(sizes.values()), "files": sizes}
        typer.echo(json_text(document))
        return
    typer.echo(said("the model is in {folder}", folder=out))
