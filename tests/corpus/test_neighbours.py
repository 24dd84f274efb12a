"""Counts of neighbours against a count by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bertwright.corpus.drawing.neighbours import REACH, count_neighbours, token_counts
from bertwright.corpus.store import CorpusStore
from bertwright.text.tokenizer.tokenizer import BertTokenizer
from tests.corpus.corpus_samples import documents, prepare, stored, vocabulary, write_blocks


def store_of(folder: Path) -> tuple[CorpusStore, int]:
    vocab = vocabulary(folder / "vocab")
    file = write_blocks(folder / "c.txt", documents(30))
    return prepare([file], vocab, folder / "store", shard_tokens=300), len(BertTokenizer.from_pretrained(vocab))


def test_neighbours_are_those_of_a_count_by_hand(tmp_path: Path) -> None:
    store, vocab_size = store_of(tmp_path)
    kept = np.random.default_rng(0).random(store.documents) < 0.7
    found = count_neighbours(store, vocab_size, kept, contexts=20)
    texts = [[token for sentence in made for token in sentence] for made in stored(store)]
    counts = np.bincount([token for text, wanted in zip(texts, kept) if wanted for token in text], minlength=vocab_size)
    assert (found.tokens == counts).all()
    contexts = {token: column for column, token in enumerate(np.argsort(-counts, kind="stable")[:20].tolist())}
    expected = np.zeros((vocab_size, 40))
    for text, wanted in zip(texts, kept):
        for i, token in enumerate(text if wanted else []):
            for j in range(max(i - REACH, 0), min(i + REACH + 1, len(text))):
                if j != i and text[j] in contexts:
                    expected[token, contexts[text[j]] + (20 if j > i else 0)] += 1 / abs(i - j)
    assert expected.sum() > 1000
    np.testing.assert_allclose(found.beside, expected, rtol=1e-4)


def test_a_limit_takes_of_every_shard(tmp_path: Path) -> None:
    store, vocab_size = store_of(tmp_path)
    assert len(store.shards) > 2
    half = token_counts(store, vocab_size, store.tokens // 2)
    assert 0 <= store.tokens // 2 - half.sum() <= len(store.shards), "of every shard the same share"
    assert (half > 0).sum() > 0.9 * (token_counts(store, vocab_size) > 0).sum()
    everything = np.ones(store.documents, dtype=np.bool_)
    some = count_neighbours(store, vocab_size, everything, contexts=20, limit=store.tokens // 4).beside.sum()
    more = count_neighbours(store, vocab_size, everything, contexts=20, limit=store.tokens // 2).beside.sum()
    assert 0 < some < 0.7 * more
