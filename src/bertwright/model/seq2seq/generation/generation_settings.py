"""How an output is written, in the words of the peers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import Field

from bertwright.settings import Settings

MOST_BEAMS = 100  # each holds the keys and values of an output, and at every step a score for each token


class GenerationSettings(Settings):
    """What `--set key=value` may say. Lengths count the token that begins an output, and the one that ends it."""

    former_words: ClassVar[Mapping[str, str]] = {"max_length": "max_output_length"}

    max_output_length: int = Field(128, ge=2, description="tokens of an output, at most")
    min_length: int = Field(0, ge=0, description="an output does not end before it has so many tokens")
    num_beams: int = Field(
        1, ge=1, le=MOST_BEAMS, description="1: the likeliest token each time; more: so many beginnings at once"
    )
    # Powers of a length that fp32 holds, and that leave a difference between scores.
    length_penalty: float = Field(
        1.0,
        ge=-5,
        le=5,
        description="beam search: scores are divided by length to this power; above 0: longer, below: shorter",
    )
    early_stopping: bool = Field(
        False, description="beam search: stop when as many outputs as beams have ended, though a better one may come"
    )
    no_repeat_ngram_size: int = Field(0, ge=0, description="no run of so many tokens comes twice; 0: any may")
    do_sample: bool = Field(False, description="draw each token by its probability")
    temperature: float = Field(
        1.0, ge=1e-3, le=1e3, description="sampling: below 1 likelier tokens become likelier still"
    )
    top_k: int = Field(0, ge=0, description="sampling: among so many tokens only; 0: among all")
    top_p: float = Field(
        1.0, gt=0, le=1, description="sampling: among the likeliest tokens that together have this probability"
    )
    seed: int = Field(42, ge=0, description="sampling: the same seed and source give the same output")

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """From what a `task.json` holds, of this version or of the one before."""
        renamed = {cls.former_words.get(name, name): value for name, value in values.items()}
        return cls.model_validate(renamed, strict=True)
