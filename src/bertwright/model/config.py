"""`BertConfig`: the shape of a BERT, in the words of its `config.json`."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import filterfalse
from pathlib import Path
from typing import Any, Self

from bertwright.checkpoint.folders import write_text
from bertwright.checkpoint.hub import weights_folder
from bertwright.checkpoint.json_files import read_json_file
from bertwright.errors import BertwrightError, nearest
from bertwright.model.config_rules import RULES
from bertwright.wording import Phrase

# Written by every version of the peers, and without effect on what a BERT encoder computes.
_WITHOUT_EFFECT = {
    "_name_or_path", "transformers_version", "use_cache", "gradient_checkpointing", "directionality",
    "pooler_fc_size", "pooler_num_attention_heads", "pooler_num_fc_layers", "pooler_size_per_head",
    "pooler_type", "chunk_size_feed_forward", "torch_dtype", "dtype", "architectures", "attn_implementation",
    "_attn_implementation",
    "bos_token_id", "eos_token_id", "sep_token_id", "cls_token_id", "model_type",
    "_num_labels",
}  # fmt: skip
_OF_CLASSES = {"num_labels", "id2label", "label2id"}
# What every call does here unless it is told otherwise.
OF_CALLS = {"output_attentions": False, "output_hidden_states": False, "return_dict": True}
# Keys by which a config can name code to run. They are refused, never followed.
_NAMES_CODE = ("auto_map", "_attn_implementation_internal", "trust_remote_code", "custom_pipelines")


@dataclass(kw_only=True)
class BertConfig:
    """Names and defaults are those of the field's `config.json` (Devlin et al. 2019, appendix A.2).

    Attributes:
        vocab_size: V, rows of the word table.
        hidden_size: H.
        num_hidden_layers: L.
        num_attention_heads: A; H must be a multiple of it.
        intermediate_size: I, width of the feed-forward layer.
        hidden_act: activation of the feed-forward layer and of the MLM head.
        hidden_dropout_prob: dropout on embeddings and on both outputs of a layer.
        attention_probs_dropout_prob: dropout on attention weights.
        max_position_embeddings: rows of the position table: the longest sequence.
        type_vocab_size: rows of the token type table.
        initializer_range: standard deviation of fresh weights.
        layer_norm_eps: added to the variance in every LayerNorm.
        pad_token_id: the row of the word table that starts at zero and, as an input, gets no gradient.
        position_embedding_type: only `absolute`; relative positions are refused.
        classifier_dropout: dropout before a classifier; None means `hidden_dropout_prob`.
        tie_word_embeddings: whether the MLM head shares the word table.
        num_labels: C; follows from `id2label` where that is given.
        id2label: names of the classes.
        problem_type: `regression`, `single_label_classification`, `multi_label_classification`, or None to
            follow from `num_labels` and the type of the labels, as in the peers.
        is_decoder, add_cross_attention: must be false here: an encoder.
        extra: keys of a `config.json` that this class does not know; kept and written back.
    """

    vocab_size: int = 30522
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1
    max_position_embeddings: int = 512
    type_vocab_size: int = 2
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12
    pad_token_id: int | None = 0
    position_embedding_type: str = "absolute"
    classifier_dropout: float | None = None
    tie_word_embeddings: bool = True
    num_labels: int | None = None
    id2label: dict[int, str] | None = None
    label2id: dict[str, int] | None = None
    problem_type: str | None = None
    is_decoder: bool = False
    add_cross_attention: bool = False
    extra: dict[str, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        for rule in RULES:
            if not rule.holds(value := getattr(self, rule.name)):
                self._refuse(rule.name, value, rule.allowed)
        if self.pad_token_id is not None and not 0 <= self.pad_token_id < self.vocab_size:
            self._refuse("pad_token_id", self.pad_token_id, Phrase("0 to {last}, or null", last=self.vocab_size - 1))
        if self.hidden_size % self.num_attention_heads:
            heads = Phrase("a multiple of num_attention_heads {n}", n=self.num_attention_heads)
            self._refuse("hidden_size", self.hidden_size, heads)
        names = self.id2label
        if names is None:
            names = _unnamed(self.num_labels or 2) if self.label2id is None else _by_index(self.label2id)
        if self.num_labels not in (None, len(names)):
            self._refuse("num_labels", self.num_labels, Phrase("{n}, the number of names in id2label", n=len(names)))
        self.id2label = {index: str(label) for index, label in names.items()}  # and with it the others

    def __setattr__(self, name: str, value: Any) -> None:
        """`num_labels`, `id2label` and `label2id` say the same, in a config that is changed, too.

        Raises:
            BertwrightError: BW310 names that are not those of 0, 1, 2, …
        """
        in_constructor = "extra" not in vars(self)
        if in_constructor or name not in _OF_CLASSES:
            super().__setattr__(name, value)
            return
        if name == "label2id":
            value = _by_index(value)
        elif name == "num_labels":
            value = self.id2label if self.id2label is not None and value == len(self.id2label) else _unnamed(value)
        if sorted(map(str, value)) != sorted(map(str, range(len(value)))):
            self._refuse("id2label", value, Phrase("a name for each of 0, 1, 2, …"))
        of_index = {int(index): label for index, label in value.items()}
        of_label = {label: index for index, label in of_index.items()}
        vars(self).update(id2label=of_index, label2id=of_label, num_labels=len(of_index))

    @staticmethod
    def _refuse(key: str, value: object, allowed: object) -> None:
        raise BertwrightError("BW310", key=key, value=value, allowed=allowed)

    @property
    def head_size(self) -> int:
        """D."""
        return self.hidden_size // self.num_attention_heads

    def kept_per_token(self, max_length: int, checkpointing: bool) -> int:
        """Bytes that training keeps of a token for the backward pass, in fp32: an estimate from the shape.

        Args:
            max_length: S.
            checkpointing: whether only the input of each layer is kept, and one layer at a time computed once more.
        """
        layers = 2 if checkpointing else self.num_hidden_layers
        return layers * self._kept_per_layer(max_length) + 4 * self.hidden_size * self.num_hidden_layers

    def _kept_per_layer(self, max_length: int) -> int:
        """Input, qkv, mix, two residual sums, two norms and their masks, both sides of the activation; and for each
        head a row of attention weights with its mask.
        """
        return 4 * (12 * self.hidden_size + 3 * self.intermediate_size) + 6 * self.num_attention_heads * max_length

    @property
    def most_layers(self) -> int:
        """Layers of the part that has most."""
        return self.num_hidden_layers

    @property
    def labels(self) -> list[str]:
        """The names of the classes, in the order of the scores."""
        assert self.id2label is not None
        return [self.id2label[index] for index in range(len(self.id2label))]

    @classmethod
    def from_dict(cls, values: dict[str, Any], **changes: Any) -> Self:
        """From the keys of a `config.json`, with `changes` laid over them.

        Raises:
            BertwrightError: BW310 a value this class cannot honour, BW311 another architecture,
                BW312 a key that names code, BW313 a change of a key that does not exist.
        """
        if key := next(filter(values.get, _NAMES_CODE), None):
            raise BertwrightError("BW312", key=key, value=values[key])
        if (architecture := values.get("model_type", "bert")) != "bert":
            raise BertwrightError("BW311", architecture=architecture)
        known = {entry.name for entry in dataclasses.fields(cls)} - {"extra"}
        if wrong := next(filterfalse(known.__contains__, changes), None):
            raise BertwrightError("BW313", key=wrong, nearest=nearest(wrong, known) or ", ".join(sorted(known)))
        left_out = _names_not_meant(values, changes)
        extra = {key: value for key, value in values.items() if key not in left_out}
        given = {key: extra.pop(key) for key in known & extra.keys()}
        return cls(**(given | changes), extra=extra)

    @classmethod
    def from_pretrained(cls, folder_or_name: str | Path, **changes: Any) -> Self:
        """From the `config.json` of a folder or of a hub name.

        Raises:
            BertwrightError: BW301, BW302, BW314 (no JSON object), and those of `from_dict`.
        """
        folder = weights_folder(folder_or_name, download=True)
        path = folder / "config.json"
        if not path.is_file():
            raise BertwrightError("BW302", folder=folder, file="config.json")
        try:
            values = read_json_file(path)
        except (OSError, ValueError) as error:
            raise BertwrightError("BW314", file=path, reason=error) from error
        if not isinstance(values, dict):
            raise BertwrightError("BW314", file=path, reason=Phrase("not an object"))
        return cls.from_dict(values, **changes)

    def to_dict(self) -> dict[str, Any]:
        """What `config.json` holds; `extra` is kept."""
        own = {key: value for key, value in vars(self).items() if key not in ("extra", "num_labels")}
        own = {key: value for key, value in own.items() if value is not None or key == "pad_token_id"}
        return {**self.extra, **own, "model_type": "bert"}

    def save_pretrained(self, folder: str | Path) -> None:
        """Write `config.json` into `folder`, which is made where it is missing."""
        self.write(folder)

    def write(self, folder: str | Path, **more: object) -> None:
        """Write `config.json` with the keys `more` laid over it.

        Raises:
            BertwrightError: BW501 where the disk or the permissions do not allow it.
        """
        folder = Path(folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BertwrightError("BW501", folder=folder, reason=error.strerror or error) from error
        values = self.to_dict() | more
        if "dtype" in more:
            values.pop("torch_dtype", None)  # its older name
        text = json.dumps(values, indent=2, ensure_ascii=False, sort_keys=True) + "\n"
        write_text(folder / "config.json", text)

    def unknown_keys(self) -> list[str]:
        """Keys of the file that this class neither honours nor knows to be without effect."""
        usual = {key for key, value in OF_CALLS.items() if self.extra.get(key, value) == value}
        return sorted(set(self.extra) - _WITHOUT_EFFECT - usual)


def _unnamed(count: int) -> dict[int, str]:
    return {index: f"LABEL_{index}" for index in range(count)}


def _by_index(label2id: Mapping[str, int]) -> dict[int, str]:
    return {index: label for label, index in label2id.items()}


def _names_not_meant(values: Mapping[str, Any], changes: Mapping[str, Any]) -> set[str]:
    """What a file's `values` say of classes and is not read: what says it twice; all of it where `changes` differ."""
    names = values.get("id2label")
    told = changes.keys() & _OF_CLASSES
    as_many = isinstance(names, dict) and changes.get("num_labels") == len(names)
    if told and not (as_many and told == {"num_labels"}):  # the names of the file are those of another task
        return _OF_CLASSES
    return {"label2id"} if names is None else {"label2id", "num_labels"}
