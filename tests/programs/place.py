"""What every program is given: a checkpoint, texts, room to write; and how two results are compared.

A program is a function `(lib, place)`: `lib` is the library, as after `import transformers as lib`. It returns what it
computed: numbers, tensors, texts, in lists and dicts.
"""

from __future__ import annotations

import io
import logging
import math
import shutil
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from torch import Tensor, nn

import bertwright

Program = Callable[[Any, "Place"], Any]

# Small, and without dropout: what both libraries draw at random differs.
SHAPE: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 64,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
}
TEXTS = [
    "the soup was warm and the bread was good",
    "the waiter was rude",
    "good coffee , good music !",
    "the bread was cold and the coffee was bitter",
]
LABELS = [1, 0, 1, 0]
PAIRS = [
    ("was the soup warm ?", "the soup was warm"),
    ("was the music good ?", "the waiter was rude"),
    ("was the bread warm ?", "the bread was cold"),
]
QUESTION = "who was rude ?"
CONTEXT = (
    "the soup was warm and the bread was good . the waiter was rude . the coffee was bitter and the music was good ."
)
WORDS = [["the", "waiters", "of", "Rome", "were", "rude"], ["Ada", "likes", "warm", "soup"]]
TAGS = [[0, 0, 0, 1, 0, 0], [2, 0, 0, 0]]
CHINESE = ["汤很好喝", "服务员很粗鲁，咖啡太苦。"]
_WORDS = (
    "the soup was were warm and bread good waiter rude coffee music cold bitter who of rome ada likes "
    "a b c d e f g h i j k l m n o p q r s t u v w x y z . , ! ? ' - ##ing ##ly"
)
VOCABULARY = [
    "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]",
    *_WORDS.split(), *(f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"), *"汤很好喝服务员粗鲁咖啡太苦，。",
]  # fmt: skip


@dataclass(frozen=True)
class Place:
    """Where a program runs.

    Attributes:
        base: the folder of a checkpoint with both pre-training heads, and its tokenizer.
        scratch: an empty folder.
        tokenizer: the class of the tokenizer; that of the peer takes calls of its version 4, too.
    """

    base: Path
    scratch: Path
    tokenizer: Any

    def read(self, texts: Any, pairs: Any = None, **options: Any) -> Any:
        """The texts as tensors, padded."""
        tokenizer = self.tokenizer.from_pretrained(self.base)
        return tokenizer(texts, pairs, padding=True, truncation=True, return_tensors="pt", **options)

    @property
    def labels(self) -> Tensor:
        return torch.tensor(LABELS)


def other(lib: Any) -> Any:
    """The other library."""
    return transformers if lib is bertwright else bertwright


def alike(model: Any, encoder: str = "bert") -> Any:
    """The model, what stands on its encoder given values that are a function of their names: fresh ones differ."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if not name.startswith(f"{encoder}."):
                generator = torch.Generator().manual_seed(zlib.crc32(name.encode()))
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.3)
    return model


def classifier(lib: Any, place: Place, classes: int = 2, **options: Any) -> Any:
    """A model of sequence classification from the checkpoint, its head the same in both libraries."""
    return alike(lib.BertForSequenceClassification.from_pretrained(place.base, num_labels=classes, **options))


def make_checkpoint(folder: Path) -> Path:
    """A random model of the peer with both heads, every bias and norm random, too."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n", encoding="utf-8")
    transformers.BertTokenizer(vocab=str(folder / "vocab.txt"), model_max_length=64).save_pretrained(folder)
    torch.manual_seed(0)
    model = transformers.BertForPreTraining(transformers.BertConfig(vocab_size=len(VOCABULARY), **SHAPE))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.1 if parameter.dim() == 1 else 0.06)
    with quiet():
        model.save_pretrained(folder)
    return folder


class Version4Tokenizer(transformers.BertTokenizer):
    """The peer's tokenizer with the calls that its version 4 had and version 5 dropped."""

    def encode_plus(self, text: Any, text_pair: Any = None, **options: Any) -> Any:
        if options.pop("pad_to_max_length", False):
            options["padding"] = "max_length"
        if options.get("max_length") is not None:
            options.setdefault("truncation", True)
        return self(text, text_pair, **options)

    def batch_encode_plus(self, texts: Any, **options: Any) -> Any:
        return self.encode_plus(texts, **options)

    def build_inputs_with_special_tokens(self, first: list[int], second: list[int] | None = None) -> list[int]:
        end = [] if second is None else [*second, self.sep_token_id]
        return [self.cls_token_id, *first, self.sep_token_id, *end]

    def create_token_type_ids_from_sequences(self, first: list[int], second: list[int] | None = None) -> list[int]:
        return [0] * (len(first) + 2) + [1] * (0 if second is None else len(second) + 1)


@contextmanager
def quiet() -> Iterator[None]:
    """Without the bars and remarks of the peers."""
    levels = {name: logging.getLogger(name).level for name in ("bertwright", "transformers", "accelerate")}
    for name in levels:
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


def run(program: Program, lib: Any, base: Path, scratch: Path) -> Any:
    """What a program gives with a library."""
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002 some programs of the field draw from it
    tokenizer = Version4Tokenizer if lib is transformers else lib.BertTokenizer
    with quiet():
        return program(lib, Place(base, scratch, tokenizer))


def differences(ours: Any, theirs: Any, path: str = "result") -> list[str]:
    """Where two results differ by more than rounding: 1e-4 and a thousandth of the value."""
    ours, theirs = _plain(ours), _plain(theirs)
    if isinstance(ours, dict) and isinstance(theirs, dict):
        if ours.keys() != theirs.keys():
            return [f"{path}: {sorted(map(str, ours))} is not {sorted(map(str, theirs))}"]
        return [line for key in theirs for line in differences(ours[key], theirs[key], f"{path}[{key!r}]")]
    if isinstance(ours, list) and isinstance(theirs, list):
        if len(ours) != len(theirs):
            return [f"{path}: {len(ours)} is not {len(theirs)} long"]
        return [line for at, pair in enumerate(zip(ours, theirs)) for line in differences(*pair, f"{path}[{at}]")]
    if isinstance(theirs, float) and isinstance(ours, float):
        near = math.isclose(ours, theirs, rel_tol=1e-3, abs_tol=1e-4) or (math.isnan(ours) and math.isnan(theirs))
        return [] if near else [f"{path}: {ours} is not {theirs}"]
    return [] if type(ours) is type(theirs) and ours == theirs else [f"{path}: {ours!r} is not {theirs!r}"]


def _plain(value: Any) -> Any:
    if isinstance(value, nn.Parameter | Tensor):
        return value.detach().float().tolist() if value.is_floating_point() else value.tolist()
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    return list(value) if isinstance(value, tuple) else value
