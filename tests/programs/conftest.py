"""The checkpoint of all programs."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.programs.place import make_checkpoint


@pytest.fixture(scope="package")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    gc.freeze()  # each training of the Trainer collects what all tests before it have left
    yield make_checkpoint(tmp_path_factory.mktemp("programs") / "base")
    gc.unfreeze()
