"""What a model's `forward` returns: named tensors that are a dict, and read as attributes and as a tuple, too.

Shapes: B sequences, S longest sequence, H hidden size, A heads, V vocabulary, C classes.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from torch import Tensor
from torch.utils import _pytree

_LAST = ("hidden_states", "attentions")


@dataclass(eq=False)
class ModelOutput(OrderedDict[str, Any]):
    """Fields that are None do not exist for the dict and the tuple, as users of the peers expect.

    Whoever takes nested tensors apart and puts them together again (`nn.DataParallel`, accelerate) makes one from the
    pairs or the dict that the first argument then is.

    Attributes:
        loss: scalar, where labels were given.
        hidden_states: `L + 1` tensors `[B, S, H]`, where asked for.
        attentions: L tensors `[B, A, S, S]`, where asked for.
    """

    loss: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None

    def __init_subclass__(cls) -> None:
        """What looks through nested tensors looks into it (`torch.func`, a distributed run with a static graph)."""
        _pytree.register_pytree_node(
            cls,
            lambda output: (list(output.values()), list(output)),
            lambda values, names: cls(**dict(zip(names, values))),
            serialized_type_name=f"{cls.__module__}.{cls.__name__}",
        )

    def __post_init__(self) -> None:
        pairs: Any = self.loss
        if isinstance(pairs, Mapping | Iterator | list):
            self.loss = None
            for name, value in dict(pairs).items():
                setattr(self, name, value)
        self._order()

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if all(field.name in vars(self) for field in fields(self)):  # else it is being made
            self._order()

    def _order(self) -> None:
        """Loss first, then scores, then states."""
        super().clear()
        names = sorted((field.name for field in fields(self)), key=_LAST.__contains__)
        for name in names:
            if (value := getattr(self, name)) is not None:
                super().__setitem__(name, value)

    def to_tuple(self) -> tuple[Any, ...]:
        """The values of `keys()`."""
        return tuple(self.values())

    def __getitem__(self, key: str | int | slice) -> Any:
        return super().__getitem__(key) if isinstance(key, str) else self.to_tuple()[key]

    def __setitem__(self, key: str, value: Any) -> None:
        setattr(self, key, value)

    def __delitem__(self, key: str) -> None:
        super().__getitem__(key)
        setattr(self, key, None)


@dataclass(eq=False)
class EncoderOutput(ModelOutput):
    """`last_hidden_state [B, S, H]` and `pooler_output [B, H]`."""

    last_hidden_state: Tensor | None = None
    pooler_output: Tensor | None = None


@dataclass(eq=False)
class ScoresOutput(ModelOutput):
    """`logits`: `[B, C]` for texts, `[B, S, C]` for tokens, `[B, S, V]` for masked words."""

    logits: Tensor | None = None


@dataclass(eq=False)
class PreTrainingOutput(ModelOutput):
    """`prediction_logits [B, S, V]` and `seq_relationship_logits [B, 2]`."""

    prediction_logits: Tensor | None = None
    seq_relationship_logits: Tensor | None = None


@dataclass(eq=False)
class QuestionAnsweringOutput(ModelOutput):
    """`start_logits [B, S]` and `end_logits [B, S]`, the lowest number of their type at pads."""

    start_logits: Tensor | None = None
    end_logits: Tensor | None = None


@dataclass(eq=False)
class Seq2SeqOutput(ModelOutput):
    """`logits [B, S, V]` over the targets and `encoder_last_hidden_state [B, K, H]` of the sources."""

    logits: Tensor | None = None
    encoder_last_hidden_state: Tensor | None = None
