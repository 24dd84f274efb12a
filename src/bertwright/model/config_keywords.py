"""What a `BertConfig` keeps beside its own values: words of the peers, and those of people's programs."""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Mapping
from typing import Any, TypeVar

import torch

from bertwright.errors import BertwrightError, nearest

# What every call does here unless it, or the config, says otherwise.
OF_CALLS = {"output_attentions": False, "output_hidden_states": False, "return_dict": True}
# What programs ask a config, which says nothing of it: as it is in the peers.
USUAL: dict[str, Any] = {
    **OF_CALLS,
    "architectures": None, "bos_token_id": None, "chunk_size_feed_forward": 0, "cls_token_id": None, "dtype": None,
    "eos_token_id": None, "finetuning_task": None, "gradient_checkpointing": False, "is_encoder_decoder": False,
    "name_or_path": "", "_name_or_path": "", "sep_token_id": None, "tokenizer_class": None, "torch_dtype": None,
    "torchscript": False, "use_cache": False,
}  # fmt: skip
# Written by every version of the peers, and without effect on what a BERT encoder computes.
WITHOUT_EFFECT = {
    "_name_or_path", "transformers_version", "use_cache", "gradient_checkpointing", "directionality",
    "pooler_fc_size", "pooler_num_attention_heads", "pooler_num_fc_layers", "pooler_size_per_head",
    "pooler_type", "chunk_size_feed_forward", "torch_dtype", "dtype", "architectures", "attn_implementation",
    "_attn_implementation",
    "bos_token_id", "eos_token_id", "sep_token_id", "cls_token_id", "model_type",
    "_num_labels",
}  # fmt: skip
# Keys by which a config can name code to run. They are refused, never followed.
_NAMES_CODE = ("auto_map", "_attn_implementation_internal", "trust_remote_code", "custom_pipelines")
_ALIKE = 0.86  # beyond, two names are the same one, misspelt


Kind = TypeVar("Kind")


def keeps_unknown_words(kind: type[Kind]) -> type[Kind]:
    """Let the constructor of a dataclass keep in `extra` what it does not know, as that of the peers does.

    Raises:
        BertwrightError: (of the constructor) BW311 and BW312 as `refuse_foreign`, BW313 what can only be a misspelt
            name of its own.
    """
    made_class: Any = kind
    made = made_class.__init__
    own = {field.name for field in dataclasses.fields(made_class)}

    @functools.wraps(made)
    def construct(self: Any, **values: Any) -> None:
        unknown = {name: value for name, value in values.items() if name not in own}
        refuse_foreign(unknown, made_class.model_type, type(self).model_type)
        for name in unknown.keys() - USUAL.keys() - WITHOUT_EFFECT:
            if meant := nearest(name, own, _ALIKE):
                raise BertwrightError("BW313", key=name, nearest=meant)
        unknown.pop("model_type", None)
        known = {name: value for name, value in values.items() if name in own}
        made(self, **known | {"extra": {**values.get("extra", {}), **unknown}})

    made_class.__init__ = construct
    return kind


def refuse_foreign(values: Mapping[str, Any], *architectures: str) -> None:
    """Refuse what is the config of another architecture, or names code.

    Raises:
        BertwrightError: BW311, BW312.
    """
    if key := next(filter(values.get, _NAMES_CODE), None):
        raise BertwrightError("BW312", key=key, value=values[key])
    if (architecture := values.get("model_type") or "bert") not in ("bert", *architectures):
        raise BertwrightError("BW311", architecture=architecture)


def plain(value: Any) -> Any:
    """A value as JSON can hold it: types of tensors by their name."""
    return str(value).removeprefix("torch.") if isinstance(value, torch.dtype) else value


def as_json(values: Mapping[str, Any]) -> str:
    """The text of a `config.json`."""
    return json.dumps(values, indent=2, ensure_ascii=False, sort_keys=True) + "\n"
