"""Which documents are kept for evaluation: a function of their number and the share, whatever the seed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_LEAST = 2  # with one document there is no random second text


def held_out_documents(count: int, share: float) -> NDArray[np.bool_]:
    """`[count]`: a share of the documents, at least two unless the share is 0, spread evenly at random."""
    marks = np.zeros(count, dtype=np.bool_)
    if share > 0:
        wanted = min(max(round(share * count), _LEAST), count)
        hashes = _mixed(np.arange(count, dtype=np.uint64))
        marks[np.argpartition(hashes, wanted - 1)[:wanted]] = True
    return marks


def _mixed(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Numbers that look random, different for different ones: the finalizer of SplitMix64 (Steele et al. 2014)."""
    mixed = numbers * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
