"""Small checkpoints of the peer, as the tensors in them and as folders."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import transformers
from safetensors.torch import save_file
from torch import Tensor

from bertwright.checkpoint.hub_cache import WEIGHT_FILES
from tests.parity.peers import BY_NAME, TINY, make_peer

Tensors = dict[str, Tensor]


@pytest.fixture(scope="session")
def peer() -> transformers.PreTrainedModel:
    """Random weights under both heads of pre-training."""
    return make_peer(BY_NAME["pretraining"], TINY)


@pytest.fixture
def tensors(peer: transformers.BertForPreTraining) -> Tensors:
    """What a file of that checkpoint holds: tied copies are left out, as the peer leaves them out."""
    state = peer.state_dict()
    return {name: tensor.clone() for name, tensor in state.items() if "predictions.decoder" not in name}


@pytest.fixture
def model_at(tmp_path: Path, peer: transformers.BertForPreTraining) -> Callable[..., Path]:
    """A model folder with such tensors, in one safetensors file unless another name is given."""

    def make(tensors: Tensors, file: str = "model.safetensors", folder: str = "model") -> Path:
        path = tmp_path / folder
        path.mkdir(parents=True, exist_ok=True)
        (path / "config.json").write_text(json.dumps(peer.config.to_dict()))
        if file.endswith(".safetensors"):
            save_file(tensors, path / file)
        else:
            torch.save(tensors, path / file)
        return path

    return make


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty hub cache that stands where the variables point, in a working folder of its own."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("HF_HUB_CACHE", str(folder))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return folder


@pytest.fixture
def add_snapshot(cache: Path) -> Callable[..., Path]:
    """A snapshot in the hub's cache, by hand: empty files are enough to be found."""

    def add(name: str, revision: str = "abc", files: tuple[str, ...] = ("config.json", WEIGHT_FILES[0])) -> Path:
        snapshot = cache / f"models--{name.replace('/', '--')}" / "snapshots" / revision
        snapshot.mkdir(parents=True)
        for file in files:
            (snapshot / file).touch()
        return snapshot

    return add
