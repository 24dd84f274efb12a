"""Which tokens of an example are masked, and by what (Devlin et al. 2018, section 3.1, task 1).

Shapes: n tokens that are not special, M chosen ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bertwright.corpus.drawing.sampling_settings import Masking
from bertwright.text.tokenizer.tokenizer import BertTokenizer

_MASKED = 0.8
_RANDOM = 0.1
_LONGEST_NGRAM = 3
_LONGEST_SPAN = 10
_SPAN_END = 0.2  # the parameter of the geometric distribution of span lengths


@dataclass(frozen=True, slots=True)
class Masker:
    """Chooses tokens and replaces them.

    Attributes:
        masking: tokens, whole words, runs of words, or spans.
        share: of the tokens that are chosen.
        mask_id: the id of [MASK].
        ordinary: `[v]` int32: the ids that a random replacement is drawn from: all but special ones.
        within: `[V]` whether the token of each id goes on within a word.
    """

    masking: Masking
    share: float
    mask_id: int
    ordinary: NDArray[np.int32]
    within: NDArray[np.bool_]

    @classmethod
    def of(cls, tokenizer: BertTokenizer, masking: Masking, share: float) -> Masker:
        """The masker for a vocabulary; raises BW401 where it has no [MASK]."""
        known = np.array(sorted(tokenizer.get_vocab().values()), dtype=np.int32)
        ordinary = np.setdiff1d(known, tokenizer.all_special_ids).astype(np.int32)
        return cls(masking, share, tokenizer.mask_token_id, ordinary, tokenizer.continuations())

    def choose(
        self, rng: np.random.Generator, ids: NDArray[np.int32], goes_on: NDArray[np.bool_], second: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Choose tokens of an example.

        Args:
            rng: draws.
            ids: `[n]` its tokens without special ones.
            goes_on: `[n]` which of them go on within a Chinese word.
            second: where the second text begins.

        Returns:
            `[M]` the chosen places in ascending order, and `[M]` the span that each is in (a number of its own for
            each token but with spans).
        """
        exact = self.share * len(ids)
        # The fraction of a token is drawn, so that the mean share is exact.
        budget = max(1, int(exact) + int(rng.random() < exact - int(exact)))
        if self.masking == "token":
            chosen = np.sort(np.argpartition(rng.random(len(ids)), budget - 1)[:budget])
            return chosen, np.arange(len(chosen))
        begins = ~(self.within[ids] | goes_on)
        begins[0] = True
        if second < len(ids):
            begins[second] = True
        words = np.flatnonzero(begins)
        lengths = np.diff(words, append=len(ids))
        if self.masking == "word":
            taken = _words(rng, lengths, budget)
            chosen = np.sort(_spread(words[taken], lengths[taken]))
            return chosen, np.arange(len(chosen))
        wished = _ngrams(rng, len(words)) if self.masking == "ngram" else _spans(rng, len(words))
        runs = _runs(rng, lengths, wished, budget, int(np.searchsorted(words, second)))
        ends = np.append(words, len(ids))
        chosen = _spread(words[runs[:, 0]], ends[runs[:, 1]] - words[runs[:, 0]])
        order = np.argsort(chosen, kind="stable")
        span = np.repeat(np.arange(len(runs)), ends[runs[:, 1]] - words[runs[:, 0]])[order]
        return chosen[order], span if self.masking == "span" else np.arange(len(chosen))

    def replacements(
        self, rng: np.random.Generator, labels: NDArray[np.int32], span: NDArray[np.int64]
    ) -> NDArray[np.int32]:
        """`[M]` what stands in the chosen places: [MASK] with 80 %, a random token with 10 %, the token itself with
        10 %; decided for each token, and with spans for each span as a whole.
        """
        draw = rng.random(len(labels)) if self.masking != "span" else rng.random(int(span.max()) + 1)[span]
        random = self.ordinary[rng.integers(len(self.ordinary), size=len(labels))]
        return np.where(draw < _MASKED, np.int32(self.mask_id), np.where(draw < _MASKED + _RANDOM, random, labels))


def _spread(begins: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """The places of all tokens of words that begin and are so long."""
    before = np.cumsum(lengths) - lengths
    return np.repeat(begins - before, lengths) + np.arange(int(lengths.sum()))


def _words(rng: np.random.Generator, lengths: NDArray[np.int64], budget: int) -> NDArray[np.int64]:
    """Words in random order until the budget is spent; one that is too long for what is left is passed over."""
    order = np.argsort(rng.random(len(lengths)))
    ordered = lengths[order]
    spent = np.cumsum(ordered)
    count = int(np.searchsorted(spent, budget, side="right"))
    taken = list(range(count))
    left = budget - (int(spent[count - 1]) if count else 0)
    at = count + 1
    while left and len(fitting := np.flatnonzero(ordered[at:] <= left)):
        at += int(fitting[0])
        taken.append(at)
        left -= int(ordered[at])
        at += 1
    if not taken:  # every word is longer than the budget
        taken = [int(np.argmin(ordered))]
    return order[taken]


def _ngrams(rng: np.random.Generator, count: int) -> list[int]:
    """Lengths in words: n with a probability as 1/n."""
    return _drawn(rng, 1 / np.arange(1, _LONGEST_NGRAM + 1), count)


def _spans(rng: np.random.Generator, count: int) -> list[int]:
    """Lengths in words: geometric, of those up to ten."""
    return _drawn(rng, (1 - _SPAN_END) ** np.arange(_LONGEST_SPAN), count)


def _drawn(rng: np.random.Generator, weights: NDArray[np.floating[Any]], count: int) -> list[int]:
    """1, 2, … with probabilities as the weights."""
    edges = np.cumsum(weights / weights.sum())[:-1]
    found: list[int] = (np.searchsorted(edges, rng.random(count), side="right") + 1).tolist()
    return found


def _runs(
    rng: np.random.Generator, lengths: NDArray[np.int64], wished: list[int], budget: int, second: int
) -> NDArray[np.int64]:
    """`[r, 2]`: runs of words from one to before another, within one text, that do not overlap and fit the budget.

    One that does not fit is made shorter; one of which no word fits is passed over.
    """
    order = np.argsort(rng.random(len(lengths))).tolist()
    length = lengths.tolist()
    free = [True] * len(length)
    runs: list[tuple[int, int]] = []
    left = budget
    for word, wish in zip(order, wished):
        limit = min(word + wish, second if word < second else len(length))
        end = word
        while end < limit and free[end] and length[end] <= left:
            free[end] = False
            left -= length[end]
            end += 1
        if end > word:
            runs.append((word, end))
        if not left:
            break
    if not runs:
        shortest = int(np.argmin(lengths))
        runs.append((shortest, shortest + 1))
    return np.array(runs, dtype=np.int64)
