"""What is drawn from a store in pre-training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Objective = Literal["mlm+nsp", "mlm+sop", "mlm"]
Masking = Literal["token", "word", "ngram", "span"]


@dataclass(frozen=True, slots=True)
class SamplingSettings:
    """How examples are made.

    Attributes:
        objective: masked tokens with next sentence prediction (Devlin et al. 2018, section 3.1), with sentence order
            prediction (Lan et al. 2019, section 3.1), or alone.
        max_length: tokens of an example, special ones included.
        short_share: share of the examples that are shorter, of a random length (0.1 in the code of Devlin et al.).
        masking: what is chosen: tokens; whole words, English and Chinese; runs of one to three words, n of them with
            a probability as 1/n (Lan et al. 2019, section 4.1); or spans of words with a geometric length (Joshi et
            al. 2019, section 3.1).
        mask_share: of the tokens that are not special; at least one of an example.
        held_out: share of the documents that is kept for evaluation: the same for every seed.
    """

    objective: Objective = "mlm+nsp"
    max_length: int = 128
    short_share: float = 0.1
    masking: Masking = "token"
    mask_share: float = 0.15
    held_out: float = 0.01

    @property
    def special(self) -> int:
        """Special tokens of an example."""
        return 2 if self.objective == "mlm" else 3

    @property
    def room(self) -> int:
        """Tokens of an example that are not special."""
        return self.max_length - self.special
