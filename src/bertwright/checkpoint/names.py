"""Names of tensors: ours are those of Hugging Face, but for what we keep as one matrix and they as three or two.

Queries, keys and values of self-attention are one product, keys and values of cross-attention another; what a model
of ours has as one tensor, stacked along the first axis, is several in every file. What is said of decoders stands in
`encoder_decoder_names.py`.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator

from bertwright.checkpoint import encoder_decoder_names as two_parts

PREFIX = "bert."

# ours, and the parts of it in files.
STACKED = {
    "attention.self.qkv": tuple(f"attention.self.{part}" for part in ("query", "key", "value")),
    "crossattention.self.key_value": tuple(f"crossattention.self.{part}" for part in ("key", "value")),
}

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
_TWICE = {"cls.predictions.bias": ("cls.predictions.decoder.weight", _DECODER_BIAS)}


def theirs(ours: str) -> tuple[str, ...]:
    """Their names for our tensor: the same one, or those of the parts that ours stacks."""
    for stacked, parts in STACKED.items():
        if f"{stacked}." in ours:
            return tuple(ours.replace(stacked, part) for part in parts)
    return (ours,)


def second(ours: str, model: Container[str]) -> str | None:
    """Their other name for our tensor, where a model with the tensors `model` (ours) keeps it twice."""
    part = two_parts.DECODER if ours.startswith(two_parts.DECODER) else ""
    sign, name = _TWICE.get(ours.removeprefix(part), ("", ""))
    return part + name if part + sign in model else None


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


def places(ours: str, model: Container[str], of_two_parts: bool) -> Iterator[dict[str, str]]:
    """Where a file may hold our tensor of a model with the tensors `model` (ours), the best place first.

    Each is a whole: the canonical names of its parts in the file, with what messages call them. The last one of a
    file without a decoder, `of_two_parts` False, is that of the encoder's tensor which a decoder's begins as.
    """
    if other := second(ours, model):
        yield {canonical(other): other}
    usual = {canonical(name): name for name in theirs(ours)}
    yield usual
    if not _is_untied(model):
        yield {_STAND_INS.get(part, part): name for part, name in usual.items()}
    if not of_two_parts:
        yield {two_parts.of_the_encoder(part): name for part, name in usual.items()}


def _is_untied(model: Container[str]) -> bool:
    head = "cls.predictions.decoder.weight"
    return head in model or two_parts.DECODER + head in model


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
    """Whether our tensor may be missing from a checkpoint: it belongs to a head, to the pooler or to a decoder."""
    return not canonical(ours).startswith(("embeddings.", "encoder."))
