"""The best path through a linear-chain CRF (Viterbi 1967; Forney 1973), for a ragged batch at once.

Shapes: T positions in the batch, B sequences, S longest half of a sequence, C tags.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bertwright.model.crf.layout import Groups, Layout, arrays_of, contiguous, groups_of, library_of


def best_paths(emissions: Tensor, transitions: Tensor, start: Tensor, end: Tensor, layout: Layout) -> Tensor:
    """`[T]` int64: the tags of the best path of each sequence.

    Each sequence is walked from both ends at once, which halves the steps: the chains meet in the middle, where
    the best pair of tags (for an odd length: the best tag) is chosen, and the paths are followed back from there.
    """
    scores = arrays_of(emissions, transitions, start, end)
    found = _best_paths(scores, layout, layout.on_device if isinstance(scores[0], Tensor) else np.asarray)
    return found if isinstance(found, Tensor) else torch.from_numpy(found)


def _best_paths(scores: Sequence[Any], layout: Layout, as_array: Callable[[Any], Any]) -> Any:
    """`best_paths` over arrays of numpy or torch; `as_array` makes such ones of numbers on the host."""
    emissions, transitions, start, end = scores
    library, tags, rows = library_of(emissions), emissions.shape[1], layout.rows
    halves = [(length + 1) // 2 for length in layout.sorted_lengths]
    steps, chains = halves[0], 2 * rows
    # Chain 2b runs over the first half of row b, chain 2b + 1 over the second half, from the end. Where the length
    # is odd, the second one takes a last step onto the middle without its emission.
    is_left = layout.time < ((layout.lengths + 1) // 2)[layout.owner]  # [T]
    step = np.where(is_left, layout.time, layout.from_end)  # [T]
    place = as_array(step * chains + 2 * layout.row_of[layout.owner] + ~is_left)  # [T], in [S, 2B]
    given = library.tile(library.zeros_like(emissions[:1]), (steps * chains, 1))  # [S·2B, C]
    given[place] = emissions
    given = contiguous(given.reshape(steps, chains, tags).swapaxes(1, 2))  # [S, C, 2B]
    moves = library.tile(library.stack([transitions, transitions.T], -1), (1, 1, rows))  # [from, to, 2B]
    best = library.empty_like(given)  # [S, C, 2B]
    best[0] = given[0] + library.tile(library.stack([start, end], -1), (1, rows))  # [C, 2B]
    groups = [(begin, stop, 2 * count) for begin, stop, count in groups_of(halves)]
    _best_over_paths((given, best, moves), _merged(groups))

    # The middle: of even lengths the best pair of tags there, of odd lengths the best tag, which is the same twice.
    best = contiguous(best.swapaxes(1, 2))  # [S, 2B, C]
    last = as_array(np.repeat(np.maximum(halves, 1) - 1, 2) * chains + np.arange(chains))  # [2B], in [S, 2B]
    ends = best.reshape(-1, tags)[last].reshape(rows, 2, tags)  # [B, 2, C]
    is_odd = as_array(np.array(layout.sorted_lengths) % 2 == 1)  # [B]
    same = as_array(np.where(np.eye(tags, dtype=bool), 0.0, -np.inf).astype(np.float32))  # [C, C]
    join = library.where(is_odd[:, None, None], same, transitions)  # [B, C, C]
    pairs = ends[:, 0, :, None] + join + ends[:, 1, None, :]  # [B, left, right]
    meeting = pairs.reshape(rows, -1).argmax(1)  # [B], in [C, C]
    entry = library.stack([meeting // tags, meeting % tags + tags], 1).reshape(-1)  # [2B]

    offsets = as_array(np.arange(chains) % 2 * tags)  # [2B]: the second chain's tags count from C
    found = library.tile(library.zeros_like(entry), (steps,))  # [S·2B]
    found[last] = entry
    found = found.reshape(steps, chains)  # [S, 2B]
    table = library.concatenate([transitions.T, transitions])  # [2C, from]: what leads to each tag, by direction
    _follow_back((best, table, found, offsets), groups)
    return found.reshape(-1)[place] % tags  # [T]


def _merged(groups: Groups) -> Groups:
    """Fewer groups, of at most twice the rows: whole arrays are faster than parts of them nearly as large."""
    merged: list[tuple[int, int, int]] = []
    for begin, stop, count in groups:
        if merged and 2 * count > merged[-1][2]:
            merged[-1] = (merged[-1][0], stop, merged[-1][2])
        else:
            merged.append((begin, stop, count))
    return merged


def _best_over_paths(arrays: Sequence[Any], groups: Groups) -> None:
    """Fill `best [S, C, 2B]` from step 1 on: the best of the step before plus `moves [C, C, 2B]`, plus `given`."""
    given, best, moves = arrays
    library = library_of(best)
    work = library.empty_like(moves)  # [from, to, 2B]
    largest = np.maximum.reduce if library is np else torch.amax
    for begin, stop, count in groups:
        before = list(best[begin - 1 : stop - 1, :, None, :count])  # [from, 1, count] each
        after = list(best[begin:stop, :, :count])  # [to, count] each
        emissions = list(given[begin:stop, :, :count])  # [to, count] each
        move, candidates = moves[:, :, :count], work[:, :, :count]  # [from, to, count]
        for here, there, emission in zip(before, after, emissions):
            library.add(here, move, out=candidates)
            largest(candidates, 0, out=there)
            library.add(there, emission, out=there)


def _follow_back(arrays: Sequence[Any], groups: Groups) -> None:
    """Fill `found [S, 2B]`, which holds the last tag of each chain, towards the first step.

    `best [S, 2B, C]`; a tag is a row of `table [2C, C]`, its direction's `offsets` added.
    """
    best, table, found, offsets = arrays
    library = library_of(best)
    for begin, stop, count in reversed(groups):
        scores = list(best[begin - 1 : stop - 1, :count])  # [count, C] each
        tags = list(found[begin - 1 : stop, :count])  # [count] each
        offset = offsets[:count]
        for index in range(stop - begin - 1, -1, -1):
            candidates = table[tags[index + 1]]  # [count, from]
            candidates += scores[index]
            library.add(candidates.argmax(-1), offset, out=tags[index])
