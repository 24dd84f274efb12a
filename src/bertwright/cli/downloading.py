"""The verb that fetches a model from a hub: download."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from bertwright.cli.options import Json
from bertwright.wording import quoted, said, worded

_SOURCES = {"hub": None, "hf-mirror": "https://hf-mirror.com", "modelscope": None}


def download(
    model: Annotated[str, typer.Argument(help="A name on the hub, such as bert-base-uncased or OWNER/NAME.")],
    source: Annotated[str, typer.Option(help="hub, hf-mirror, modelscope, or the address of another mirror.")] = "hub",
    revision: Annotated[str | None, typer.Option(help="A branch, a tag or a commit. Default: the newest.")] = None,
    token: Annotated[str | None, typer.Option(help="Of an account that may have the files.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the files here, too, as a plain model folder.")] = None,
    as_json: Json = False,
) -> None:
    """Fetch the files that a BERT needs into the hub's cache, where every command finds it under its name.

    Files that are there stay; the content is checked. HF_ENDPOINT names a mirror for every command.

    Examples:

      bertwright download bert-base-uncased

      bertwright download bert-base-chinese --source hf-mirror

      bertwright download bert-base-chinese --source modelscope

      bertwright download someone/private-bert --token hf_… --out ./private-bert
    """
    import shutil

    from bertwright.checkpoint.folders import publishing
    from bertwright.checkpoint.hub import fetch, hub_name
    from bertwright.checkpoint.modelscope import fetch_from_modelscope
    from bertwright.errors import BertwrightError

    if source not in _SOURCES and not source.startswith(("http://", "https://")):
        raise BertwrightError("BW306", source=source, known=", ".join(_SOURCES))
    if out is not None and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise BertwrightError("BW630", folder=out)
    name = hub_name(model)
    if source == "modelscope":
        folder = fetch_from_modelscope(name, revision=revision, token=token)
    else:
        folder = fetch(name, endpoint=_SOURCES.get(source, source), revision=revision, token=token)
    if out is not None:
        with publishing(out) as staging:
            for file in folder.iterdir():
                if file.is_file():
                    shutil.copyfile(file, staging / file.name)
    there = out or folder
    if as_json:
        sizes = {file.name: file.stat().st_size for file in sorted(there.iterdir()) if file.is_file()}
        typer.echo(json.dumps({"model": model, "folder": str(there), "files": sizes}, ensure_ascii=False))
        return
    typer.echo(said("the model is in {folder}", folder=there))
    place = quoted(model if out is None and revision is None else there)
    typer.echo(said("next: {command}", command=f"bertwright finetune {worded('TRAIN')}.csv --model {place}"))
