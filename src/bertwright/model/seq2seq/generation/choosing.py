"""Which tokens may come next, and drawing one of them.

Shapes: R rows, t tokens written, V vocabulary.
"""

from __future__ import annotations

import zlib

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bertwright.model.seq2seq.generation.generation_settings import GenerationSettings


def forbid(scores: Tensor, written: Tensor, settings: GenerationSettings, end: int) -> Tensor:
    """`scores [R, V]`, in place, minus infinity for what the settings do not allow after `written [R, t]`."""
    if written.shape[1] < settings.min_length:
        scores[:, end] = -torch.inf
    size = settings.no_repeat_ngram_size
    if size and written.shape[1] >= size:
        rows, tokens = _that_repeat(written, size)
        scores[rows, tokens] = -torch.inf
    return scores


def _that_repeat(written: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Rows, and tokens that would end a run of `size` tokens that the row has already."""
    runs = written.unfold(1, size, 1)  # [R, runs, size]
    last = written[:, written.shape[1] - size + 1 :]  # [R, size - 1]
    rows, places = (runs[:, :, :-1] == last[:, None]).all(-1).nonzero(as_tuple=True)
    return rows, runs[rows, places, -1]


def sampled(scores: Tensor, settings: GenerationSettings, dice: Tensor) -> Tensor:
    """One token `[R]` a row, drawn from `scores [R, V]` by `dice [R]`, numbers from 0 to 1.

    Source: Fan et al. 2018, section 5.4, for `top_k`; Holtzman et al. 2020, section 3.1, for `top_p`.
    """
    scores = scores.double() / settings.temperature
    count = min(settings.top_k or scores.shape[1], scores.shape[1])
    best, tokens = scores.topk(count, sorted=True)
    chances = best.softmax(-1)
    summed = chances.cumsum(-1)
    kept = summed - chances < settings.top_p  # the one that reaches the share is in
    chances = chances * kept
    summed = chances.cumsum(-1)
    place = torch.searchsorted(summed, (dice.to(summed.dtype) * summed[:, -1])[:, None], right=True)
    place = torch.minimum(place, kept.sum(-1, keepdim=True) - 1)
    return tokens.gather(1, place).squeeze(1)


def dice_for(sources: list[NDArray[np.int64]], settings: GenerationSettings) -> Tensor:
    """`[n, max_output_length]` numbers from 0 to 1: a function of seed and source, whatever else is in the batch."""
    seeds = [(settings.seed, zlib.crc32(source.astype("<i8").tobytes())) for source in sources]
    rows = [np.random.default_rng(seed).random(settings.max_output_length) for seed in seeds]
    return torch.from_numpy(np.stack(rows))
