"""What a model's `forward` returns: named tensors that also read as a dict and as a tuple.

Shapes: B sequences, S longest sequence, H hidden size, A heads, V vocabulary, C classes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from torch import Tensor


@dataclass
class ModelOutput:
    """Fields that are None do not exist for the dict and the tuple, as users of the peers expect.

    Attributes:
        loss: scalar, where labels were given.
        hidden_states: `L + 1` tensors `[B, S, H]`, where asked for.
        attentions: L tensors `[B, A, S, S]`, where asked for.
    """

    loss: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None

    def keys(self) -> list[str]:
        """Names of the fields that are there: loss first, then scores, then states."""
        order = sorted(fields(self), key=lambda field: field.name in ("hidden_states", "attentions"))
        return [field.name for field in order if getattr(self, field.name) is not None]

    def values(self) -> list[Any]:
        """The values of `keys()`."""
        return [getattr(self, key) for key in self.keys()]

    def items(self) -> list[tuple[str, Any]]:
        """Names with values, in the order of `keys()`."""
        return list(zip(self.keys(), self.values()))

    def get(self, key: str, default: Any = None) -> Any:
        """The field `key`, or `default` where it is not there."""
        return self[key] if key in self.keys() else default

    def to_tuple(self) -> tuple[Any, ...]:
        """The values of `keys()`."""
        return tuple(self.values())

    def __getitem__(self, key: str | int | slice) -> Any:
        if isinstance(key, str):
            if key in self.keys():
                return getattr(self, key)
            raise KeyError(key)
        return self.to_tuple()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __len__(self) -> int:
        return len(self.keys())


@dataclass
class EncoderOutput(ModelOutput):
    """`last_hidden_state [B, S, H]` and `pooler_output [B, H]`."""

    last_hidden_state: Tensor | None = None
    pooler_output: Tensor | None = None


@dataclass
class ScoresOutput(ModelOutput):
    """`logits`: `[B, C]` for texts, `[B, S, C]` for tokens, `[B, S, V]` for masked words."""

    logits: Tensor | None = None


@dataclass
class PreTrainingOutput(ModelOutput):
    """`prediction_logits [B, S, V]` and `seq_relationship_logits [B, 2]`."""

    prediction_logits: Tensor | None = None
    seq_relationship_logits: Tensor | None = None


@dataclass
class QuestionAnsweringOutput(ModelOutput):
    """`start_logits [B, S]` and `end_logits [B, S]`, the lowest number of their type at pads."""

    start_logits: Tensor | None = None
    end_logits: Tensor | None = None


@dataclass
class Seq2SeqOutput(ModelOutput):
    """`logits [B, S, V]` over the targets and `encoder_last_hidden_state [B, K, H]` of the sources."""

    logits: Tensor | None = None
    encoder_last_hidden_state: Tensor | None = None
