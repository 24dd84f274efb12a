"""What the names of an encoder-decoder have that no others have.

It puts `encoder.` before its encoder, `decoder.bert.` before its decoder and `decoder.` before the head of it. The
canonical names of a decoder's tensors are those of the encoder with `decoder.` in front.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

DECODER = "decoder."
_IN_FILES = "decoder.bert."


def has_decoder(names: Iterable[str]) -> bool:
    """Whether one of the canonical names is that of a decoder."""
    return any(name.startswith(DECODER) for name in names)


def bare(name: str) -> str:
    """Their name without what a file of two parts puts before it; a decoder's keeps `decoder.`."""
    if name.startswith(DECODER + "cls."):
        return name.removeprefix(DECODER)
    if name.startswith(_IN_FILES):
        return DECODER + name.removeprefix(_IN_FILES)
    return re.sub(r"^encoder\.(?=embeddings\.|encoder\.|pooler\.)", "", name)


def of_the_encoder(canonical_name: str) -> str:
    """The tensor of an encoder that a decoder's begins as; the name itself of all others, and of cross-attention."""
    return canonical_name if ".crossattention." in canonical_name else canonical_name.removeprefix(DECODER)


def of_the_decoder(canonical_name: str) -> str:
    """The tensor of a decoder that is made like one of an encoder's embeddings; the name itself of all others."""
    return DECODER + canonical_name if canonical_name.startswith("embeddings.") else canonical_name


def in_words(ours: str) -> str | None:
    """What people call the part that our tensor belongs to; None for what is no decoder's."""
    if not ours.startswith(_IN_FILES):
        return None
    return "cross-attention" if ".crossattention." in ours else "decoder"
