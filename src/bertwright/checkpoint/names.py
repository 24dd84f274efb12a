"""One table of tensor names, read both ways: ours, and those of Hugging Face.

`{i}` stands for the number of a layer. The encoder's names carry the prefix `bert.` in a model with a head and
none in a bare encoder, on both sides alike. Three tensors of theirs in one row are one of ours, stacked along
the first axis. What is said of decoders stands in `encoder_decoder_names.py`.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator

from bertwright.checkpoint import encoder_decoder_names as two_parts

PREFIX = "bert."

# ours, theirs; the tails `.weight` and `.bias` go with both.
_ENCODER: tuple[tuple[str, tuple[str, ...]], ...] = (
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
)
_MODULES: tuple[tuple[str, tuple[str, ...]], ...] = (
    *_ENCODER,
    *two_parts.modules(_ENCODER),
    ("pooler.dense", ("pooler.dense",)),
    ("mlm.dense", ("cls.predictions.transform.dense",)),
    ("mlm.norm", ("cls.predictions.transform.LayerNorm",)),
    ("mlm.decoder", ("cls.predictions.decoder",)),
    ("mlm", ("cls.predictions",)),  # its bias
    ("nsp", ("cls.seq_relationship",)),
    ("classifier", ("classifier",)),
    ("qa_outputs", ("qa_outputs",)),
    # `transformers` has no such tensors, and passes over them.
    ("crf", ("crf",)),
    ("pointer.ends", ("pointer.ends",)),
    ("pointer.types", ("pointer.types",)),
)
_THEIRS = dict(_MODULES)

# Tensors in files of theirs that carry nothing: counters, and those that repeat another one.
_COUNTERS = re.compile(r"embeddings\.(position_ids|token_type_ids)$")
_DECODER_BIAS = "cls.predictions.decoder.bias"
_REPEATS = {
    "cls.predictions.decoder.weight": "embeddings.word_embeddings.weight",
    _DECODER_BIAS: "cls.predictions.bias",
    "cls.predictions.bias": _DECODER_BIAS,
}
# Files of tied models may hold the second of two equal tensors only.
_STAND_INS = {
    "embeddings.word_embeddings.weight": "cls.predictions.decoder.weight",
    "cls.predictions.bias": _DECODER_BIAS,
}
# An untied MLM head keeps its bias twice in their files, and their decoder adds the second one.
_TWICE = {"mlm.bias": ("mlm.decoder.weight", _DECODER_BIAS)}


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


def second(ours: str, model: Container[str]) -> str | None:
    """Their other name for our tensor, where a model with the tensors `model` (ours) keeps it twice."""
    sign, name = _TWICE.get(ours, ("", None))
    return name if sign in model else None


def canonical(name: str) -> str:
    """Their name without what differs between releases and between kinds of models: wrappers, the prefixes of
    `bare`, and `gamma`/`beta` of TF days.
    """
    name = bare(name.removeprefix("module.").removeprefix("_orig_mod."))
    name = re.sub(r"LayerNorm\.gamma$", "LayerNorm.weight", name)
    return re.sub(r"LayerNorm\.beta$", "LayerNorm.bias", name)


def bare(name: str) -> str:
    """Their name without the prefix that says of which part of a model it is; a decoder's keeps `decoder.`."""
    return two_parts.bare(name).removeprefix(PREFIX)


def published(name: str) -> str:
    """What `canonical` takes away, put before a name again for an encoder-decoder."""
    return two_parts.published(name.removeprefix(PREFIX))


def places(ours: str, model: Container[str], of_two_parts: bool) -> Iterator[dict[str, str]]:
    """Where a file may hold our tensor of a model with the tensors `model` (ours), the best place first.

    Each is a whole: the canonical names of its parts in the file, with what messages call them. The last one of a
    file without a decoder, `of_two_parts` False, is that of the encoder's tensor which a decoder's begins as.
    """
    if other := second(ours, model):
        yield {other: other}
    usual = {canonical(name): name for name in theirs(ours)}
    yield usual
    if "mlm.decoder.weight" not in model:  # of tied models
        yield {_STAND_INS.get(part, part): name for part, name in usual.items()}
    if not of_two_parts:
        yield {two_parts.of_the_encoder(part): name for part, name in usual.items()}


def is_counter(canonical_name: str) -> bool:
    """Whether a tensor of theirs only counts 0, 1, 2 … or is all zero by construction."""
    return _COUNTERS.search(canonical_name) is not None


def repeated(canonical_name: str, of_two_parts: bool = False) -> str | None:
    """The tensor of theirs that this one repeats, where both hold the same numbers; `of_two_parts`: the head is that
    of a decoder.
    """
    original = _REPEATS.get(canonical_name)
    return two_parts.of_the_decoder(original) if of_two_parts and original is not None else original


def is_head(ours: str) -> bool:
    """Whether our tensor may be missing from a checkpoint: it belongs to a head or to the pooler."""
    return not ours.removeprefix(PREFIX).startswith("encoder.")
