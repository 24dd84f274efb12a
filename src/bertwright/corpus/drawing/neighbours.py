"""How often the tokens of a store occur, and next to which others.

Shapes: V vocabulary, K context tokens.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bertwright.corpus.store import CorpusStore

REACH = 5  # tokens to either side
_TOKENS_AT_ONCE = 1 << 22
_MOST_TOKENS = 1 << 27


@dataclass(frozen=True, slots=True)
class Neighbours:
    """What was counted.

    Attributes:
        tokens: `[V]` int64: how often each token occurs.
        beside: `[V, 2K]` float32: how often, weighted by 1 / distance, each of the K most frequent tokens stands up to
            five tokens before it, and in the second half of the columns after it.
    """

    tokens: NDArray[np.int64]
    beside: NDArray[np.float32]


def token_counts(store: CorpusStore, vocab_size: int, limit: int = _MOST_TOKENS) -> NDArray[np.int64]:
    """`[V]`: how often each token occurs in a store, in `limit` tokens at most: of every shard the same share."""
    counts = np.zeros(vocab_size, dtype=np.int64)
    for shard in store.shards:
        counts += np.bincount(shard.tokens[: _share(len(shard.tokens), store, limit)], minlength=vocab_size)
    return counts


def count_neighbours(
    store: CorpusStore, vocab_size: int, kept: NDArray[np.bool_], contexts: int, limit: int = _MOST_TOKENS
) -> Neighbours:
    """Count in the documents that `kept` `[documents]` marks, within each; `limit`: see `token_counts`."""
    tokens = np.zeros(vocab_size, dtype=np.int64)
    for ids, _ in _chunks(store, kept, limit):
        tokens += np.bincount(ids, minlength=vocab_size)
    column = np.full(vocab_size, -1, dtype=np.int64)
    frequent = np.argsort(-tokens, kind="stable")[:contexts]
    column[frequent] = np.arange(len(frequent))
    width = 2 * len(frequent)
    beside = np.zeros(vocab_size * width, dtype=np.float32)
    for ids, owner in _chunks(store, kept, limit):
        columns = column[ids]
        rows = ids.astype(np.int64) * width
        for distance in range(1, REACH + 1):
            same = owner[distance:] == owner[:-distance]
            weight = np.float32(1 / distance)
            before = same & (columns[:-distance] >= 0)
            np.add.at(beside, rows[distance:][before] + columns[:-distance][before], weight)
            after = same & (columns[distance:] >= 0)
            np.add.at(beside, rows[:-distance][after] + columns[distance:][after] + len(frequent), weight)
    return Neighbours(tokens, beside.reshape(vocab_size, width))


def _chunks(
    store: CorpusStore, kept: NDArray[np.bool_], limit: int
) -> Iterator[tuple[NDArray[Any], NDArray[np.uint32]]]:
    """Tokens of kept documents, some million at a time, and the document of each."""
    document = 0
    for shard in store.shards:
        edges = shard.sentences[shard.documents].astype(np.int64)
        owner = np.repeat(np.arange(document, document + len(edges) - 1, dtype=np.uint32), np.diff(edges))
        wanted = kept[owner]
        end = _share(len(owner), store, limit)
        for begin in range(0, end, _TOKENS_AT_ONCE):
            part = slice(begin, min(begin + _TOKENS_AT_ONCE, end))
            yield np.asarray(shard.tokens[part])[wanted[part]], owner[part][wanted[part]]
        document += len(edges) - 1


def _share(tokens: int, store: CorpusStore, limit: int) -> int:
    """How many of a shard's tokens are read."""
    return tokens if store.tokens <= limit else tokens * limit // store.tokens
