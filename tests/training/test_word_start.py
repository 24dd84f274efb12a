"""A word table from counts: what stands in like places lies close together."""

from __future__ import annotations

import numpy as np
import torch

from bertwright.corpus.drawing.neighbours import Neighbours
from bertwright.training.pretraining.word_start import word_vectors


def counted(beside: np.ndarray) -> Neighbours:
    return Neighbours(beside.sum(1).astype(np.int64), beside.astype(np.float32))


def test_words_in_like_places_lie_together() -> None:
    rng = np.random.default_rng(0)
    places = rng.random((3, 24)) ** 4  # three kinds of words, and where each kind stands
    kind = np.arange(60) % 3
    beside = rng.poisson(200 * places[kind]).astype(np.float64)
    beside[59] = 0
    vectors = word_vectors(counted(beside), 8)
    assert vectors.shape == (60, 8)
    assert not vectors[59].any()
    torch.testing.assert_close(vectors[:59].norm(dim=1), torch.ones(59))
    likeness = vectors[:59] @ vectors[:59].T
    same = torch.from_numpy(kind[:59, None] == kind[None, :59])
    assert likeness[same].min() > likeness[~same].max()


def test_more_columns_than_there_is_to_say_are_zero() -> None:
    beside = np.ones((5, 4))
    beside[0, 0] = 9
    assert word_vectors(counted(beside), 6).shape == (5, 6)
    assert word_vectors(counted(np.zeros((5, 4))), 6).abs().sum() == 0
