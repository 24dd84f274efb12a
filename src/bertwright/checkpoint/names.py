"""One table of tensor names, read both ways: ours, and those of Hugging Face.

`{i}` stands for the number of a layer. The encoder's names carry the prefix `bert.` in a model with a head and
none in a bare encoder, on both sides alike. Three tensors of theirs in one row are one of ours, stacked along
the first axis.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

PREFIX = "bert."

# ours, theirs; the tails `.weight` and `.bias` go with both.
_MODULES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("encoder.embeddings.word", ("embeddings.word_embeddings",)),
    ("encoder.embeddings.position", ("embeddings.position_embeddings",)),
    ("encoder.embeddings.token_type", ("embeddings.token_type_embeddings",)),
    ("encoder.embeddings.norm", ("embeddings.LayerNorm",)),
    (
        "encoder.layers.{i}.attention.qkv",
        tuple(f"encoder.layer.{{i}}.attention.self.{part}" for part in ("query", "key", "value")),
    ),
    ("encoder.layers.{i}.attention.output", ("encoder.layer.{i}.attention.output.dense",)),
    ("encoder.layers.{i}.attention_norm", ("encoder.layer.{i}.attention.output.LayerNorm",)),
    ("encoder.layers.{i}.feed_forward.up", ("encoder.layer.{i}.intermediate.dense",)),
    ("encoder.layers.{i}.feed_forward.down", ("encoder.layer.{i}.output.dense",)),
    ("encoder.layers.{i}.feed_forward_norm", ("encoder.layer.{i}.output.LayerNorm",)),
    ("pooler.dense", ("pooler.dense",)),
    ("mlm.dense", ("cls.predictions.transform.dense",)),
    ("mlm.norm", ("cls.predictions.transform.LayerNorm",)),
    ("mlm.decoder", ("cls.predictions.decoder",)),
    ("mlm", ("cls.predictions",)),  # its bias
    ("nsp", ("cls.seq_relationship",)),
    ("classifier", ("classifier",)),
    ("qa_outputs", ("qa_outputs",)),
)
_THEIRS = dict(_MODULES)

# Tensors in files of theirs that carry nothing: counters, and copies of tied weights.
_EMPTY = re.compile(r"(embeddings\.(position_ids|token_type_ids)|cls\.predictions\.decoder\.bias)$")
_TIED = "cls.predictions.decoder.weight"


def theirs(ours: str) -> tuple[str, ...]:
    """Their names for our tensor: one, or the three that ours stacks.

    Raises:
        KeyError: for a name that is not in the table.
    """
    prefix = PREFIX if ours.startswith(PREFIX) else ""
    module, tail = ours.removeprefix(prefix).rsplit(".", 1)
    layer = re.search(r"\.(\d+)\.", module)
    pattern = module if layer is None else module.replace(layer[0], ".{i}.", 1)
    number = "" if layer is None else layer[1]
    return tuple(f"{prefix}{name.replace('{i}', number)}.{tail}" for name in _THEIRS[pattern])


def canonical(name: str) -> str:
    """Their name without what differs between releases: wrappers, `bert.`, and `gamma`/`beta` of TF days."""
    name = name.removeprefix("module.").removeprefix(PREFIX)
    name = re.sub(r"LayerNorm\.gamma$", "LayerNorm.weight", name)
    return re.sub(r"LayerNorm\.beta$", "LayerNorm.bias", name)


def is_empty(name: str, wanted: Iterable[str]) -> bool:
    """Whether a tensor of theirs that nothing reads is no loss, for a model whose own names are `wanted`."""
    if _EMPTY.search(name):
        return True
    wanted = set(wanted)
    return name.endswith(_TIED) and "mlm.bias" in wanted and "mlm.decoder.weight" not in wanted


def is_head(ours: str) -> bool:
    """Whether our tensor may be missing from a checkpoint: it belongs to a head or to the pooler."""
    return not ours.removeprefix(PREFIX).startswith("encoder.")
