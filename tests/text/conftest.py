"""Vocabularies for the tests of the text room: a tiny one for everybody, real ones where the data is."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bertwright.text.tokenizer.tokenizer import BertTokenizer

DATA = Path(os.environ.get("BERTWRIGHT_DATA") or Path(__file__).parents[3] / "shared" / "data")

_PIECES = """
[PAD] [UNK] [CLS] [SEP] [MASK] a b c d e un ##aff ##able ##a ##b ##s the cat sat on mat hello world strasse ##ss
. , ! ? - ' 中 国 北 京 人 ， 。 ａ ##ａ 1 2 ##2 i ß σ ς ##ς ##σ ο ##δ ##ο γ
"""
TINY = _PIECES.split()
REAL = ("bert-base-uncased", "bert-base-cased", "bert-base-chinese")


@functools.cache
def tiny_tokenizer(do_lower_case: bool = True) -> BertTokenizer:
    return BertTokenizer(TINY, do_lower_case=do_lower_case)


@functools.cache
def real_tokenizer(name: str) -> BertTokenizer:
    return BertTokenizer(vocabulary_file(name), do_lower_case="-cased" not in name)


def vocabulary_file(name: str) -> Path:
    return data_file(f"vocab/{name}/vocab.txt")


def data_file(path: str) -> Path:
    """The file `path` of the shared data; the test is skipped where it is absent."""
    if not (DATA / path).is_file():
        pytest.skip(f"no {DATA / path}: set BERTWRIGHT_DATA to the folder of the shared data")
    return DATA / path


@pytest.fixture(scope="session")
def tiny() -> BertTokenizer:
    return tiny_tokenizer()


@pytest.fixture(scope="session")
def tiny_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tiny") / "vocab.txt"
    path.write_text("\n".join(TINY) + "\n", encoding="utf-8", newline="\n")
    return path


@pytest.fixture
def tiny_peer(tiny_file: Path) -> Any:
    """The tokenizer of `transformers` for the tiny vocabulary; a new one for every test, for it remembers calls."""
    transformers = pytest.importorskip("transformers")
    return transformers.BertTokenizerFast(vocab=str(tiny_file), model_max_length=512)


@pytest.fixture
def ours() -> BertTokenizer:
    """A tokenizer of the tiny vocabulary of one's own, which a test may change."""
    return BertTokenizer(TINY, do_lower_case=True)


@pytest.fixture(params=["tiny", *REAL])
def each(request: pytest.FixtureRequest, tiny_file: Path) -> tuple[BertTokenizer, Path]:
    """Every tokenizer there is, with the file of its vocabulary."""
    if request.param == "tiny":
        return tiny_tokenizer(), tiny_file
    return real_tokenizer(request.param), vocabulary_file(request.param)


@pytest.fixture
def peer_of() -> Callable[..., object]:
    """The fast tokenizer of `transformers` for a vocabulary file."""
    transformers = pytest.importorskip("transformers")

    @functools.cache
    def peer(path: Path, do_lower_case: bool = True) -> object:
        return transformers.BertTokenizerFast(vocab=str(path), do_lower_case=do_lower_case, model_max_length=512)

    return peer
