"""The shares of pairs and masks on real English and Chinese text, with bounds of five standard deviations."""

from __future__ import annotations

import lzma
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bertwright.corpus.drawing.masking import Masker, _ngrams, _spans
from bertwright.corpus.drawing.sampler import PretrainExample, PretrainSampler
from bertwright.corpus.drawing.sampling_settings import Masking, SamplingSettings
from bertwright.corpus.prepare import prepare_corpus
from bertwright.corpus.prepare_settings import PrepareSettings
from bertwright.corpus.store import CorpusStore
from bertwright.text.tokenizer.tokenizer import BertTokenizer

SIZE = 1_500_000
Corpus = tuple[CorpusStore, BertTokenizer]


def beginning(real_data: Path, name: str, size: int, into: Path) -> Path:
    """The first whole documents of a corpus."""
    with lzma.open(real_data / "pretrain" / f"wikipedia_{name}.txt.xz") as file:
        content = file.read(size)
    path = into / f"{name}.txt"
    path.write_bytes(content[: content.rfind(b"\n\n") + 1])
    return path


@pytest.fixture(scope="module", params=["en", "zh"])
def corpus(request: pytest.FixtureRequest, real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    folder = tmp_path_factory.mktemp("real")
    vocab = real_data / "vocab" / {"en": "bert-base-uncased", "zh": "bert-base-chinese"}[request.param]
    settings = PrepareSettings(wwm=request.param == "zh")
    if settings.wwm:
        pytest.importorskip("rjieba")
    store = prepare_corpus([beginning(real_data, request.param, SIZE, folder)], vocab, folder / "store", settings)
    return store, BertTokenizer.from_pretrained(vocab)


def examples(corpus: Corpus, settings: SamplingSettings, most: int = 3000) -> list[PretrainExample]:
    sampler = PretrainSampler(*corpus, settings, seed=11)
    epochs = (sampler.example(epoch, position) for epoch in range(9) for position in range(sampler.count(epoch)))
    return [one for one, _ in zip(epochs, range(most))]


def within(count: float, mean: float, deviation: float) -> bool:
    return abs(count - mean) <= 5 * deviation


@pytest.mark.parametrize("masking", ["token", "word", "ngram", "span"])
def test_the_shares_of_masks(corpus: Corpus, masking: Masking) -> None:
    _, tokenizer = corpus
    drawn = examples(corpus, SamplingSettings(masking=masking))
    sizes = np.array([len(one) - 3 for one in drawn])
    exact = np.maximum(0.15 * sizes, 1)
    chosen = sum(len(one.labels) for one in drawn)
    fractions = exact % 1
    if masking == "token":
        assert within(chosen, exact.sum(), math.sqrt((fractions * (1 - fractions)).sum()))
    else:  # where only long words are left, a token or two are not spent
        assert 0.99 * exact.sum() < chosen < 1.01 * exact.sum()
    masked = sum(int((one.input_ids[one.masked_positions] == tokenizer.mask_token_id).sum()) for one in drawn)
    kept = sum(int((one.input_ids[one.masked_positions] == one.labels).sum()) for one in drawn)
    together = 12 if masking == "span" else 1  # tokens of a span have one fate
    for count, share in ((masked, 0.8), (kept, 0.1), (chosen - masked - kept, 0.1)):
        assert within(count, share * chosen, math.sqrt(share * (1 - share) * chosen * together) + chosen * 2e-5)
    places = np.concatenate([one.masked_positions / (len(one) - 1) for one in drawn])
    assert within(places.mean(), 0.5, math.sqrt(together / 12 / len(places)) + 0.002), "anywhere in the example"


def test_half_of_the_pairs_are_random(corpus: Corpus) -> None:
    drawn = examples(corpus, SamplingSettings())
    random = sum(one.next_sentence_label for one in drawn)
    assert within(random, len(drawn) / 2, math.sqrt(2 * len(drawn)) / 2), "partners share their fate"
    swapped = sum(one.next_sentence_label for one in examples(corpus, SamplingSettings(objective="mlm+sop")))
    assert within(swapped, len(drawn) / 2, math.sqrt(len(drawn)) / 2)


def test_labels_cannot_be_told_from_lengths(corpus: Corpus) -> None:
    drawn = examples(corpus, SamplingSettings(max_length=256))
    firsts = np.array([int(one.token_type_ids.argmax()) for one in drawn])
    labels = np.array([one.next_sentence_label for one in drawn])
    spread = firsts.std() * math.sqrt(2 / (labels == 0).sum() + 2 / (labels == 1).sum())
    assert within(firsts[labels == 0].mean(), firsts[labels == 1].mean(), spread)


def test_the_share_of_short_examples(corpus: Corpus) -> None:
    counts = []
    for share in (0.0, 0.1):
        sampler = PretrainSampler(*corpus, SamplingSettings(max_length=512, short_share=share), seed=4)
        counts.append(sum(sampler.count(epoch) for epoch in range(20)))
    pieces, cut = counts[0], counts[1] - counts[0]
    deviation = math.sqrt(0.1 * 0.9 * pieces)
    if not corpus[0].has_words:
        assert within(2 * cut, 0.1 * counts[1], 2 * deviation)
    else:  # many Chinese articles are a single sentence, which is not cut
        assert 0.05 * counts[1] < 2 * cut < 0.1 * counts[1] + 5 * deviation


def test_whole_words_of_examples(corpus: Corpus) -> None:
    store, tokenizer = corpus
    within_word = tokenizer.continuations()
    checked = 0
    for masking in ("word", "ngram", "span"):
        for one in examples(corpus, SamplingSettings(masking=masking), 400):
            ids = one.input_ids.copy()
            ids[one.masked_positions] = one.labels
            begins = ~within_word[ids]
            begins[[1, int(one.token_type_ids.argmax())]] = True  # a text may begin within a word that was cut
            chosen = np.zeros(len(ids), dtype=bool)
            chosen[one.masked_positions] = True
            for word in np.split(chosen, np.flatnonzero(begins)):
                assert len(set(word.tolist())) <= 1
                checked += len(word) > 1
    assert checked > (1000 if not store.has_words else 50)


def test_whole_chinese_words(corpus: Corpus) -> None:
    store, tokenizer = corpus
    if not store.has_words:
        pytest.skip("English: the pieces tell")
    masker = Masker.of(tokenizer, "word", 0.15)
    shard = store.shards[0]
    rng = np.random.default_rng(0)
    whole = 0
    for begin in range(0, 40_000, 100):
        ids = shard.tokens[begin : begin + 100].astype(np.int32)
        goes_on = shard.goes_on(begin, begin + 100)
        chosen = np.zeros(100, dtype=bool)
        chosen[masker.choose(rng, ids, goes_on, 50)[0]] = True
        begins = ~(goes_on | masker.within[ids])
        begins[[0, 50]] = True
        for word in np.split(chosen, np.flatnonzero(begins)[1:]):
            assert len(set(word.tolist())) == 1
            whole += len(word) > 1 and bool(word[0])
    assert whole > 300


@pytest.mark.parametrize(
    ("lengths", "shares"),
    [
        (_ngrams, [6 / 11, 3 / 11, 2 / 11]),
        (_spans, [0.2 * 0.8**n / (1 - 0.8**10) for n in range(10)]),  # Joshi et al.: what is above ten is not drawn
    ],
    ids=["ngram", "span"],
)
def test_lengths_of_runs(lengths: Callable[[np.random.Generator, int], list[int]], shares: list[float]) -> None:
    count = 50_000
    drawn = np.bincount(lengths(np.random.default_rng(0), count), minlength=len(shares) + 1)
    assert drawn[0] == 0
    assert len(drawn) == len(shares) + 1
    for found, share in zip(drawn[1:], shares):
        assert within(found, share * count, math.sqrt(share * (1 - share) * count))
