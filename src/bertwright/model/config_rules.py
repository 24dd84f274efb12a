"""What the values of a `BertConfig` must be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bertwright.model.activations import ACTIVATIONS
from bertwright.wording import Phrase

_SIZES = (
    "vocab_size", "hidden_size", "num_attention_heads", "intermediate_size", "max_position_embeddings",
    "type_vocab_size",
)  # fmt: skip
_PROBLEMS = ("regression", "single_label_classification", "multi_label_classification")


@dataclass(frozen=True, slots=True)
class Rule:
    """What a value must be.

    Attributes:
        name: of the value.
        holds: whether it is so.
        allowed: the same in words.
    """

    name: str
    holds: Callable[[Any], bool]
    allowed: str | Phrase


def _is_share(value: object) -> bool:
    return isinstance(value, int | float) and 0 <= value <= 1


def _one_of(*allowed: str | None) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str | None) and value in allowed


_WHOLE, _SHARE = Phrase("a whole number of at least 1"), Phrase("a number from 0 to 1")
_ENCODER = Phrase("false: this is an encoder")
RULES = (
    *(Rule(name, lambda value: isinstance(value, int) and value >= 1, _WHOLE) for name in _SIZES),
    Rule("num_hidden_layers", lambda value: isinstance(value, int) and value >= 0, _WHOLE),
    *(Rule(name, _is_share, _SHARE) for name in ("hidden_dropout_prob", "attention_probs_dropout_prob")),
    Rule("classifier_dropout", lambda value: value is None or _is_share(value), _SHARE),
    Rule("layer_norm_eps", lambda value: isinstance(value, int | float) and value > 0, Phrase("a number above 0")),
    Rule(
        "initializer_range",
        lambda value: isinstance(value, int | float) and value >= 0,
        Phrase("a number of at least 0"),
    ),
    Rule("pad_token_id", lambda value: isinstance(value, int | None), Phrase("a whole number, or null")),
    Rule("num_labels", lambda value: isinstance(value, int | None), Phrase("a whole number, or null")),
    Rule("num_labels", lambda value: value is None or value >= 1, Phrase("at least 1")),
    Rule("problem_type", _one_of(None, *_PROBLEMS), ", ".join(_PROBLEMS)),
    Rule("hidden_act", _one_of(*ACTIVATIONS), ", ".join(ACTIVATIONS)),
    Rule("position_embedding_type", _one_of(None, "absolute"), "absolute"),
    *(Rule(name, lambda value: not value, _ENCODER) for name in ("is_decoder", "add_cross_attention")),
)
