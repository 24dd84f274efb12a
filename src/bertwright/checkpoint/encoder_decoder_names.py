"""What the table of names must know of an encoder-decoder, and nothing else does.

A decoder's names are the encoder's with `decoder.` in front, on both sides. In files of theirs an encoder-decoder puts
`encoder.` before its encoder, `decoder.bert.` before its decoder and `decoder.` before the head of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

DECODER = "decoder."
_IN_FILES = "decoder.bert."

Modules = tuple[tuple[str, tuple[str, ...]], ...]  # ours, theirs; see `names`

_CROSS_ATTENTION: Modules = (
    ("decoder.layers.{i}.cross_attention.query", ("decoder.encoder.layer.{i}.crossattention.self.query",)),
    (
        "decoder.layers.{i}.cross_attention.key_value",
        tuple(f"decoder.encoder.layer.{{i}}.crossattention.self.{part}" for part in ("key", "value")),
    ),
    ("decoder.layers.{i}.cross_attention.output", ("decoder.encoder.layer.{i}.crossattention.output.dense",)),
    ("decoder.layers.{i}.cross_attention_norm", ("decoder.encoder.layer.{i}.crossattention.output.LayerNorm",)),
    ("bridge", ("enc_to_dec_proj",)),
)


def modules(encoder: Modules) -> Modules:
    """The rows of the table for a decoder, given those of the `encoder`."""
    rows = (
        (DECODER + ours.removeprefix("encoder."), tuple(DECODER + name for name in theirs)) for ours, theirs in encoder
    )
    return (*rows, *_CROSS_ATTENTION)


def has_decoder(names: Iterable[str]) -> bool:
    """Whether one of the names, ours or canonical ones of theirs, is that of a decoder."""
    return any(name.startswith(DECODER) for name in names)


def bare(name: str) -> str:
    """Their name without what a file of two parts puts before it; a decoder's keeps `decoder.`."""
    if name.startswith(DECODER + "cls."):
        return name.removeprefix(DECODER)
    if name.startswith(_IN_FILES):
        return DECODER + name.removeprefix(_IN_FILES)
    return re.sub(r"^encoder\.(?=embeddings\.|encoder\.|pooler\.)", "", name)


def published(bare_name: str) -> str:
    """Their name as a file of two parts has it."""
    if bare_name.startswith(DECODER):
        return _IN_FILES + bare_name.removeprefix(DECODER)
    if bare_name.startswith("cls."):
        return DECODER + bare_name
    return bare_name if bare_name.startswith("enc_to_dec_proj") else f"encoder.{bare_name}"


def of_the_encoder(canonical_name: str) -> str:
    """The tensor of an encoder that a decoder's begins as; the name itself of all others, and of cross-attention."""
    return canonical_name if ".crossattention." in canonical_name else canonical_name.removeprefix(DECODER)


def of_the_decoder(canonical_name: str) -> str:
    """The tensor of a decoder that is made like one of an encoder's embeddings; the name itself of all others."""
    return DECODER + canonical_name if canonical_name.startswith("embeddings.") else canonical_name


def in_words(ours: str) -> str | None:
    """What people call the part that our tensor belongs to; None for what is no decoder's."""
    if not ours.startswith(DECODER):
        return None
    return "cross-attention" if "cross_attention" in ours else "decoder"
