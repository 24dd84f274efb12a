"""More rows for the word table of a checkpoint, and for everything that has a row for every word."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from bertwright.checkpoint import names
from bertwright.checkpoint.encoder_decoder_names import of_the_decoder
from bertwright.checkpoint.folders import read_object
from bertwright.checkpoint.replacing import write_text
from bertwright.checkpoint.weights import read_tensors, weight_file, write_named
from bertwright.errors import BertwrightError

_WORD_TABLE = "embeddings.word_embeddings.weight"
_WITH_A_ROW_A_WORD = frozenset(
    (
        *(_WORD_TABLE, of_the_decoder(_WORD_TABLE)),
        *("cls.predictions.decoder.weight", "cls.predictions.bias", "cls.predictions.decoder.bias"),
    )
)


def enlarge_checkpoint(folder: Path, out: Path, rows: Mapping[int, Sequence[int]]) -> list[str]:
    """Write `config.json` and `model.safetensors` of `folder` to `out`, with new rows for words.

    Each new row is the mean of other rows: of the word embeddings, and of the weight and bias of an MLM head alike, in
    both parts of an encoder-decoder.
    Every other tensor stays as it is, under its name.

    Args:
        folder: the checkpoint.
        out: a folder that exists.
        rows: for the id of each new word the ids of the rows that it is the mean of; new ids go on from the
            vocabulary's end, and a table that is larger than its vocabulary has room for them already.

    Returns:
        The names of the tensors that got rows.

    Raises:
        BertwrightError: BW302 a file is missing, BW320 and BW321 it cannot be read, BW322 there is no word table,
            BW501 the disk or the permissions do not allow it.
    """
    config = _read_config(folder)
    file = weight_file(folder)
    tensors = read_tensors(file)
    enlarged = [name for name in tensors if names.canonical(name) in _WITH_A_ROW_A_WORD]
    if _WORD_TABLE not in map(names.canonical, enlarged):
        raise BertwrightError("BW322", file=file, count=1, missing=_WORD_TABLE, unused="-")
    for name in enlarged:
        tensors[name] = _with_rows(tensors[name], rows)
    # An encoder-decoder says the size of each of its two parts, and none of the whole.
    parts = [part for name in ("encoder", "decoder") if isinstance(part := config.get(name), dict)]
    for part in parts or [config]:
        part["vocab_size"] = max(int(part.get("vocab_size", 0)), max(rows, default=-1) + 1)
    text = json.dumps(config, ensure_ascii=False, indent=2) + "\n"
    write_text(out / "config.json", text)
    whole = {name: tensor.clone().contiguous() for name, tensor in tensors.items()}
    write_named(whole, out / "model.safetensors")
    return enlarged


def _with_rows(table: Tensor, rows: Mapping[int, Sequence[int]]) -> Tensor:
    more = max(max(rows, default=-1) + 1 - len(table), 0)
    larger = torch.cat([table, table.new_zeros((more, *table.shape[1:]))])
    for row, pieces in rows.items():
        # In fp32: the mean of halves would be rounded at every step.
        larger[row] = table[list(pieces)].float().mean(dim=0).to(table.dtype)
    return larger


def _read_config(folder: Path) -> dict[str, Any]:
    file = folder / "config.json"
    if not file.is_file():
        raise BertwrightError("BW302", folder=folder, file="config.json")
    return read_object(file)
