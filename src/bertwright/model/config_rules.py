"""What each value of a `config.json` must be, before a model is built from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bertwright.model.activations import ACTIVATIONS
from bertwright.wording import Phrase

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


def _is_number(value: object, least: float, most: float) -> bool:
    """Of what JSON calls true nobody means 1."""
    return isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most


def _is_share(value: object) -> bool:
    return _is_number(value, 0, 1)


def _is_whole(least: int, most: int) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and least <= value <= most


def _one_of(*allowed: str | None) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str | None) and value in allowed


def _are_names(value: object) -> bool:
    """Whether each class, by its number, has a name, or a number for a name."""
    return value is None or (isinstance(value, dict) and all(type(one) in (str, int, float) for one in value.values()))


def _are_numbers(value: object) -> bool:
    return value is None or (isinstance(value, dict) and all(type(one) is int for one in value.values()))


# Beyond every model that there is, and far below where products of two sizes leave 64 bits.
_MOST_ROWS, _WIDEST, _MOST_LAYERS, _MOST_CLASSES = 1 << 28, 1 << 20, 10_000, 100_000
_SHARE = Phrase("a number from 0 to 1")
_ENCODER = Phrase("false: this is an encoder")
_SIZES = {
    "vocab_size": _MOST_ROWS, "max_position_embeddings": _MOST_ROWS, "type_vocab_size": _MOST_ROWS,
    "hidden_size": _WIDEST, "num_attention_heads": _WIDEST, "intermediate_size": _WIDEST,
}  # fmt: skip
_SWITCHES = ("tie_word_embeddings", "is_decoder", "add_cross_attention")


def _whole(least: int, most: int) -> Phrase:
    return Phrase("a whole number from {least} to {most:,}", least=least, most=most)


RULES = (
    *(Rule(name, _is_whole(1, most), _whole(1, most)) for name, most in _SIZES.items()),
    Rule("num_hidden_layers", _is_whole(0, _MOST_LAYERS), _whole(0, _MOST_LAYERS)),
    *(Rule(name, _is_share, _SHARE) for name in ("hidden_dropout_prob", "attention_probs_dropout_prob")),
    Rule("classifier_dropout", lambda value: value is None or _is_share(value), _SHARE),
    Rule("layer_norm_eps", lambda value: _is_number(value, 5e-324, 1), Phrase("a number above 0, at most 1")),
    Rule("initializer_range", lambda value: _is_number(value, 0, 100), Phrase("a number from 0 to 100")),
    Rule("pad_token_id", lambda value: value is None or type(value) is int, Phrase("a whole number, or null")),
    Rule(
        "num_labels",
        lambda value: value is None or _is_whole(1, _MOST_CLASSES)(value),
        _whole(1, _MOST_CLASSES),
    ),
    Rule("id2label", _are_names, Phrase("a name for each of 0, 1, 2, …")),
    Rule("label2id", _are_numbers, Phrase("a number for each name")),
    *(
        Rule(
            name,
            lambda value: value is None or len(value) <= _MOST_CLASSES,
            Phrase("at most {most:,} classes", most=_MOST_CLASSES),
        )
        for name in ("id2label", "label2id")
    ),
    Rule("problem_type", _one_of(None, *_PROBLEMS), ", ".join(_PROBLEMS)),
    Rule("hidden_act", _one_of(*ACTIVATIONS), ", ".join(ACTIVATIONS)),
    Rule("position_embedding_type", _one_of(None, "absolute"), "absolute"),
    *(Rule(name, lambda value: value is None or type(value) is bool, Phrase("true or false")) for name in _SWITCHES),
    *(Rule(name, lambda value: not value, _ENCODER) for name in ("is_decoder", "add_cross_attention")),
)
