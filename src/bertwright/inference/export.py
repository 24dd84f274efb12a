"""A model in the form in which it leaves the house."""

from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path

import torch
from torch import Tensor

from bertwright.checkpoint.folders import publishing, unlisted
from bertwright.checkpoint.hub import TEXT_FILES, model_folder
from bertwright.checkpoint.json_files import read_json_file
from bertwright.checkpoint.replacing import place_for, write_text
from bertwright.checkpoint.weights import read_tensors, weight_file, write_named
from bertwright.errors import BertwrightError
from bertwright.inference.predictor import best_of
from bertwright.tasks.task_file import TASK_FILE
from bertwright.wording import said, shown

log = logging.getLogger("bertwright")


def export_huggingface(run: str | Path, out: Path, *, half: bool = False, overwrite: bool = False) -> None:
    """Write the model of a run as a plain folder in the form of `transformers`, with its task beside it.

    Args:
        run: a run folder, a model folder or a name.
        out: the folder to write.
        half: store the weights in float16. `config.json` still says float32, so every reader computes in it.
        overwrite: replace `out`, if it holds nothing but an exported model.

    Raises:
        BertwrightError: BW572 `out` is there, BW503 as a file; BW573 a weight that float16 cannot hold; BW574 `out`
            holds something else, BW576 is the model itself or lies in it; and those of a load.
    """
    source = best_of(model_folder(run))
    place_for(out, source)
    if out.exists():
        _require_leave(out, overwrite)
    file = weight_file(source)
    tensors = read_tensors(file)
    with publishing(out) as staging:
        for name in (*TEXT_FILES, TASK_FILE):
            if (source / name).is_file():
                shutil.copyfile(source / name, staging / name)
        if half:
            tensors = {name: _halved(name, tensor, file) for name, tensor in tensors.items()}
            config = read_json_file(staging / "config.json")
            config["dtype"] = "float32"
            write_text(staging / "config.json", json.dumps(config, indent=2) + "\n")
        write_named(tensors, staging / "model.safetensors")
    log.info(said("{size:.1f} MB in {folder}", size=sum(one.stat().st_size for one in out.iterdir()) / 1e6, folder=out))


def _require_leave(out: Path, overwrite: bool) -> None:
    """Never delete what no export has written, such as the rest of a run."""
    if not out.is_dir():
        raise BertwrightError("BW503", folder=out)
    if (others := unlisted(out)) or (others := _of_a_run(out)):
        raise BertwrightError("BW574", folder=out, files=shown(others, 3))
    if not overwrite:
        raise BertwrightError("BW572", folder=out)


def _of_a_run(out: Path) -> list[str]:
    """The model of another run has a manifest, too."""
    is_one = (out.parent / "run.json").is_file() and out.name in ("best", "last")
    return sorted(one.name for one in out.iterdir()) if is_one else []


def _halved(name: str, tensor: Tensor, file: Path) -> Tensor:
    if not tensor.is_floating_point():
        return tensor
    half = tensor.half()
    if not bool(torch.isfinite(half).all()):
        raise BertwrightError("BW573", file=file, name=name, most=float(tensor.abs().max()))
    return half
