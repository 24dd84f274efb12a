"""`BertConfig`: the shape of a BERT, in the words of its `config.json`."""

from __future__ import annotations

import copy
import dataclasses
import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import filterfalse
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from bertwright.checkpoint.hub import weights_folder
from bertwright.checkpoint.hub_request import HubRequest
from bertwright.checkpoint.json_files import read_json_file
from bertwright.checkpoint.replacing import write_text
from bertwright.errors import BertwrightError, nearest
from bertwright.model.call_arguments import settle
from bertwright.model.config_keywords import (
    OF_CALLS,
    USUAL,
    WITHOUT_EFFECT,
    as_json,
    keeps_unknown_words,
    plain,
    refuse_foreign,
)
from bertwright.model.config_rules import RULES
from bertwright.model.label_names import OF_CLASSES, by_index, names_not_meant, unnamed
from bertwright.wording import Phrase


@keeps_unknown_words
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
        problem_type: of the loss; None: as `num_labels` and the type of the labels say, as in the peers.
        is_decoder, add_cross_attention: must be false here: an encoder.
        extra: what this class does not know: keys of a `config.json`, keywords, attributes that a program sets. They
            read as attributes, are kept and are written back. `output_hidden_states`, `output_attentions` and
            `return_dict` are what the model's calls do where these say nothing.
        model_type: what `config.json` says it is.
    """

    model_type: ClassVar[str] = "bert"

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
        self.extra = dict(self.extra)  # not that of the config which this one was made from
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
            names = unnamed(self.num_labels or 2) if self.label2id is None else by_index(self.label2id)
        if self.num_labels not in (None, len(names)):
            self._refuse("num_labels", self.num_labels, Phrase("{n}, the number of names in id2label", n=len(names)))
        self.id2label = {index: str(label) for index, label in names.items()}  # and with it the others

    def __setattr__(self, name: str, value: Any) -> None:
        """`num_labels`, `id2label` and `label2id` say the same, in a config that is changed, too.

        Raises:
            BertwrightError: BW310 names that are not those of 0, 1, 2, …
        """
        in_constructor = "extra" not in vars(self)
        if name not in OF_CLASSES or in_constructor:
            if in_constructor or name in type(self).__dataclass_fields__:
                super().__setattr__(name, value)
            else:
                self.extra[name] = value
            return
        if name == "label2id":
            value = by_index(value)
        elif name == "num_labels":
            value = self.id2label if self.id2label is not None and value == len(self.id2label) else unnamed(value)
        if sorted(map(str, value)) != sorted(map(str, range(len(value)))):
            self._refuse("id2label", value, Phrase("a name for each of 0, 1, 2, …"))
        of_index = {int(index): label for index, label in value.items()}
        of_label = {label: index for index, label in of_index.items()}
        vars(self).update(id2label=of_index, label2id=of_label, num_labels=len(of_index))

    if not TYPE_CHECKING:  # which is to find what is misspelt in this package

        def __getattr__(self, name: str) -> Any:
            """What is no value of its own: from `extra`, or as usual."""
            extra = vars(self).get("extra", {})
            if name in extra:
                return extra[name]
            if name in USUAL:
                return USUAL[name]
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    @property
    def use_return_dict(self) -> bool:
        """What calls of the model return where they are not told: an output, or a tuple."""
        return self.of_calls("return_dict")

    def of_calls(self, name: str) -> bool:
        """What the model's calls do where they do not say it themselves."""
        return bool(self.extra.get(name, OF_CALLS[name]))

    def __copy__(self) -> Self:
        """A config that can be changed beside this one."""
        return copy.deepcopy(self)

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
        refuse_foreign(values, cls.model_type)
        fields = cls.words()
        of_constructor = inspect.signature(cls).parameters  # a class of somebody's own may have more
        own = fields | {name for name, one in of_constructor.items() if one.kind is not one.VAR_KEYWORD} - {"extra"}
        known = own | USUAL.keys() | values.keys()
        if wrong := next(filterfalse(known.__contains__, changes), None):
            raise BertwrightError("BW313", key=wrong, nearest=nearest(wrong, fields) or ", ".join(sorted(fields)))
        left_out = names_not_meant(values, changes)
        extra = {key: value for key, value in values.items() if key not in left_out} | changes
        given = {key: extra.pop(key) for key in own & extra.keys()}
        extra.pop("model_type", None)
        return cls(**given, extra=extra)

    @classmethod
    def from_pretrained(cls, folder_or_name: str | Path, **changes: Any) -> Self:
        """From the `config.json` of a folder or of a hub name.

        Args:
            folder_or_name: see `checkpoint.hub.weights_folder`.
            **changes: laid over what the file says; `cache_dir`, `revision` and their kind are for the hub.

        Raises:
            BertwrightError: BW301, BW302, BW314 (no JSON object), BW316 an argument that cannot be honoured, and those
                of `from_dict`.
        """
        request = HubRequest.taken_from(changes)
        settle(f"{cls.__name__}.from_pretrained", changes)
        folder = weights_folder(folder_or_name, download=True, request=request)
        return cls.from_json_file(folder / "config.json", **changes)

    @classmethod
    def from_json_file(cls, file: str | Path, **changes: Any) -> Self:
        """From a file with the keys of a `config.json`, with `changes` laid over them.

        Raises:
            BertwrightError: BW302 there is none, BW314 no JSON object, and those of `from_dict`.
        """
        if not (file := Path(file)).is_file():
            raise BertwrightError("BW302", folder=file.parent, file=file.name)
        try:
            values = read_json_file(file)
        except (OSError, ValueError) as error:
            raise BertwrightError("BW314", file=file, reason=error) from error
        if not isinstance(values, dict):
            raise BertwrightError("BW314", file=file, reason=Phrase("not an object"))
        return cls.from_dict(values, **changes)

    @classmethod
    def of(cls, config: BertConfig | str | Path | Any) -> Self:
        """A config of this class: the one that is given, one of the peers, or that of a folder or a name.

        Raises:
            BertwrightError: those of `from_pretrained`.
        """
        if isinstance(config, cls):
            return config
        return cls.from_dict(config.to_dict()) if hasattr(config, "to_dict") else cls.from_pretrained(config)

    @classmethod
    def words(cls) -> set[str]:
        """The names of its values."""
        return {entry.name for entry in dataclasses.fields(cls)} - {"extra"}

    def changed(self, **changes: Any) -> Self:
        """A copy with `changes`.

        Raises:
            BertwrightError: those of `from_dict`.
        """
        return self.from_dict(self.to_dict(), **changes) if changes else copy.deepcopy(self)

    def to_dict(self) -> dict[str, Any]:
        """What `config.json` holds; `extra` is kept."""
        own = {key: value for key, value in vars(self).items() if key not in ("extra", "num_labels")}
        own = {key: value for key, value in own.items() if value is not None or key == "pad_token_id"}
        extra = {key: plain(value) for key, value in self.extra.items()}
        return {**extra, **own, "model_type": self.model_type}

    def to_diff_dict(self) -> dict[str, Any]:
        """What of `to_dict()` is not as in a config of which nothing was said."""
        usual = type(self)().to_dict() | USUAL
        return {
            key: value
            for key, value in self.to_dict().items()
            if key == "model_type" or key not in usual or usual[key] != value
        }

    def to_json_string(self, use_diff: bool = True) -> str:
        """`to_diff_dict()`, or `to_dict()`, as JSON."""
        return as_json(self.to_diff_dict() if use_diff else self.to_dict())

    def to_json_file(self, file: str | Path, use_diff: bool = True) -> None:
        """Write `to_json_string()`.

        Raises:
            BertwrightError: BW501 where the disk or the permissions do not allow it.
        """
        write_text(Path(file), self.to_json_string(use_diff))

    def update(self, values: Mapping[str, Any]) -> None:
        """Set attributes; raises as setting them one by one."""
        for name, value in values.items():
            setattr(self, name, value)

    def get_text_config(self, *_: Any, **__: Any) -> Self:
        """Itself: there are no other parts, such as pictures."""
        return self

    def save_pretrained(self, folder: str | Path, **_: Any) -> None:
        """Write `config.json` into `folder`, which is made where it is missing."""
        self.write(folder)

    def write(self, folder: str | Path, **more: object) -> None:
        """Write `config.json` with the keys `more` laid over it.

        Raises:
            BertwrightError: BW501 where the disk or the permissions do not allow it.
        """
        try:
            (folder := Path(folder)).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BertwrightError("BW501", folder=folder, reason=error.strerror or error) from error
        values = self.to_dict() | more
        if "dtype" in more:
            values.pop("torch_dtype", None)  # its older name
        write_text(folder / "config.json", as_json(values))

    def unknown_keys(self) -> list[str]:
        """Keys of the file that this class neither honours nor knows to be without effect."""
        as_usual = {key for key, value in self.extra.items() if key in USUAL and value == USUAL[key]}
        return sorted(set(self.extra) - WITHOUT_EFFECT - OF_CALLS.keys() - as_usual)
