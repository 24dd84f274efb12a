"""Which pieces of which documents an epoch reads, in which order: a function of the store, the settings and the seed.

A document of n tokens is cut, at the ends of sentences, where windows of R tokens end (R: the room of an example)
that begin at a random place: ceil(n / R) pieces, or one less. Some pieces are cut once more, so that a share of the
examples is short. Sentences longer than R are cut too. So every token is in exactly one piece.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bertwright.corpus.drawing.sampling_settings import SamplingSettings
from bertwright.corpus.store import CorpusStore, Shard

Places = NDArray[np.int64]
_SENTENCES_AT_ONCE = 1 << 21
_ROUNDS = 20


@dataclass(frozen=True, slots=True)
class Plan:
    """The pieces of an epoch.

    Attributes:
        begins: `[N]` int64: the token of the whole store at which each begins.
        lengths: `[N]` uint32: its tokens.
        order: `[N]` uint32: the piece at each position. Positions 2m and 2m + 1 are partners.
        where: `[ceil(N / 2)]` float32: at which share of their lengths the two pieces of a pair are halved.
        exchanged: `[ceil(N / 2)]` whether the two pieces of a pair exchange their second halves.
        alone: the pairs, few and mostly none, whose two pieces are of one document.
    """

    begins: Places
    lengths: NDArray[np.uint32]
    order: NDArray[np.uint32]
    where: NDArray[np.float32]
    exchanged: NDArray[np.bool_]
    alone: frozenset[int]

    def __len__(self) -> int:
        return len(self.order)


def make_plan(store: CorpusStore, kept: NDArray[np.bool_], settings: SamplingSettings, seed: int, epoch: int) -> Plan:
    """The plan of an epoch. `kept`: `[documents]` which documents belong to the split."""
    rng = np.random.default_rng((seed, epoch, 1))
    begins: list[Places] = []
    lengths: list[NDArray[np.uint32]] = []
    documents: list[NDArray[np.uint32]] = []
    for token, document, shard, first, end in _groups(store):
        of_group = kept[document : document + end - first]
        begin, length, owner = _pieces(shard, first, end, of_group, settings, rng)
        begins.append(begin + token)
        lengths.append(length.astype(np.uint32))
        documents.append((owner + document).astype(np.uint32))
    order = rng.permutation(sum(map(len, begins))).astype(np.uint32)
    alone: frozenset[int] = frozenset()
    if settings.objective == "mlm+nsp" and len(order):
        alone = _part_relatives(order, np.concatenate(documents), rng)
    pairs = (len(order) + 1) // 2
    where, exchanged = rng.random(pairs, dtype=np.float32), rng.random(pairs) < 0.5
    return Plan(np.concatenate(begins), np.concatenate(lengths), order, where, exchanged, alone)


def _groups(store: CorpusStore) -> Iterator[tuple[int, int, Shard, int, int]]:
    """Documents of a shard, not too many at a time: tokens and documents before the shard and group, and which."""
    token = document = 0
    for shard in store.shards:
        first, count = 0, len(shard.documents) - 1
        while first < count:
            limit = int(shard.documents[first]) + _SENTENCES_AT_ONCE
            end = max(int(np.searchsorted(shard.documents, limit, side="right")) - 1, first + 1)
            yield token, document + first, shard, first, end
            first = end
        token += int(shard.sentences[-1])
        document += count


def _pieces(
    shard: Shard, first: int, end: int, kept: NDArray[np.bool_], settings: SamplingSettings, rng: np.random.Generator
) -> tuple[Places, Places, Places]:
    """Begin, length and document (counted from `first`) of every piece of the kept documents `first` to `end`."""
    room = settings.room
    of_documents = shard.documents[first : end + 1].astype(np.int64)
    sentences = shard.sentences[of_documents[0] : of_documents[-1] + 1].astype(np.int64)
    edges = sentences[of_documents - of_documents[0]]  # where documents begin, and the end
    starts, owner = sentences[:-1], np.repeat(np.arange(end - first), np.diff(of_documents))
    starts, owner = _cut_long(starts, owner, np.diff(sentences), room)

    tokens = np.diff(edges)
    slack = -(-tokens // room) * room - tokens
    phase = (rng.random(len(tokens)) * (slack + 1)).astype(np.int64)
    window = (starts - edges[owner] + phase[owner]) // room
    is_first = np.ones(len(starts), dtype=np.bool_)
    is_first[1:] = (owner[1:] != owner[:-1]) | (window[1:] != window[:-1])
    is_first |= _short_cuts(starts, np.flatnonzero(is_first), int(edges[-1]), settings.short_share, rng)

    at = np.flatnonzero(is_first)
    begin = starts[at]
    length = np.diff(begin, append=edges[-1])
    wanted = kept[owner[at]]
    if settings.objective != "mlm":
        wanted &= length > 1  # of a single token no two halves can be made
    return begin[wanted], length[wanted], owner[at][wanted]


def _cut_long(starts: Places, owner: Places, lengths: Places, room: int) -> tuple[Places, Places]:
    """Let sentences of more than `room` tokens begin anew every `room` tokens."""
    more = (lengths - 1) // room
    if not more.any():
        return starts, owner
    parts = more + 1
    which = np.repeat(np.arange(len(starts)), parts)
    number = np.arange(len(which)) - np.repeat(np.cumsum(parts) - parts, parts)
    return starts[which] + number * room, owner[which]


def _short_cuts(starts: Places, firsts: Places, end: int, share: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Which sentences begin a piece in addition: cuts at random places in pieces of several sentences.

    A cut makes two short pieces of one, so q = share / (2 - share) of the pieces are cut.
    """
    cuts = np.zeros(len(starts), dtype=np.bool_)
    last = np.append(firsts[1:], len(starts))
    begins = starts[firsts]
    lengths = np.append(begins[1:], end) - begins
    place = begins + 1 + (rng.random(len(firsts)) * (lengths - 1)).astype(np.int64)
    sentence = np.searchsorted(starts, place)
    sentence = np.where(sentence < last, sentence, last - 1)
    cut = (rng.random(len(firsts)) < share / (2 - share)) & (sentence > firsts)
    cuts[sentence[cut]] = True
    return cuts


def _part_relatives(
    order: NDArray[np.uint32], documents: NDArray[np.uint32], rng: np.random.Generator
) -> frozenset[int]:
    """Exchange pieces, in place, until no two partners are of one document; the pairs that are left."""
    pairs = order[: len(order) // 2 * 2].reshape(-1, 2)
    related = np.flatnonzero(documents[pairs[:, 0]] == documents[pairs[:, 1]])
    for _ in range(_ROUNDS):
        if not len(related):
            break
        other = rng.permutation(len(pairs))[: len(related)]
        other_first, other_second = documents[pairs[other, 0]], documents[pairs[other, 1]]
        mine = documents[pairs[related, 0]]
        fits = (other_second != mine) & (other_first != mine) & ~np.isin(other, related)
        here, there = related[fits], other[fits]
        pairs[here, 1], pairs[there, 1] = pairs[there, 1].copy(), pairs[here, 1].copy()
        related = related[~fits]
    return frozenset(related.tolist())
