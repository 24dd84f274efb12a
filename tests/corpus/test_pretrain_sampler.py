"""Pairs and masks: everything is read once an epoch, the shares are those of the paper, and order does not matter."""

from __future__ import annotations

import pickle
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bertwright.corpus.drawing.held_out import held_out_documents
from bertwright.corpus.drawing.sampler import PretrainExample, PretrainSampler
from bertwright.corpus.drawing.sampling_settings import Masking, Objective, SamplingSettings
from bertwright.corpus.prepare_settings import PrepareSettings
from bertwright.corpus.store import CorpusStore
from bertwright.errors import BertwrightError
from bertwright.text.tokenizer.tokenizer import BertTokenizer
from tests.corpus.corpus_samples import documents, prepare, stored, vocabulary, write_blocks


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sampler")


@pytest.fixture(scope="module")
def tokenizer(folder: Path) -> BertTokenizer:
    return BertTokenizer.from_pretrained(vocabulary(folder / "vocab"))


@pytest.fixture(scope="module")
def store(folder: Path, tokenizer: BertTokenizer) -> CorpusStore:
    file = write_blocks(folder / "c.txt", documents(120))
    words = folder / "words.txt"
    words.write_text("老人\n湖边\n自行车\n孩子们\n书店\n", encoding="utf-8")
    return prepare([file], folder / "vocab", folder / "store", PrepareSettings(words=words), shard_tokens=1500)


def original(example: PretrainExample) -> list[int]:
    ids = example.input_ids.copy()
    ids[example.masked_positions] = example.labels
    return ids.tolist()


def halves(example: PretrainExample, tokenizer: BertTokenizer) -> tuple[list[int], list[int]]:
    """The two texts without special tokens and masks."""
    ids = original(example)
    second = int(example.token_type_ids.argmax()) or len(ids)
    assert ids[0] == tokenizer.cls_token_id
    assert ids[second - 1] == ids[-1] == tokenizer.sep_token_id
    assert not example.token_type_ids[:second].any()
    assert example.token_type_ids[second:].all()
    return ids[1 : second - 1], ids[second:-1]


def tokens_of(store: CorpusStore, held_out: float, split: str) -> Counter[int]:
    marks = held_out_documents(store.documents, held_out)
    wanted = marks if split == "held_out" else ~marks
    return Counter(t for made, is_in in zip(stored(store), wanted) if is_in for ids in made for t in ids)


@pytest.mark.parametrize("objective", ["mlm+nsp", "mlm+sop", "mlm"])
@pytest.mark.parametrize("split", ["train", "held_out"])
@pytest.mark.parametrize("max_length", [24, 64, 512])
def test_an_epoch_reads_every_token_once(
    store: CorpusStore, tokenizer: BertTokenizer, objective: Objective, split: str, max_length: int
) -> None:
    settings = SamplingSettings(objective=objective, max_length=max_length, held_out=0.2)
    sampler = PretrainSampler(store, tokenizer, settings, seed=5, split=split)  # type: ignore[arg-type]
    for epoch in (0, 3):
        examples = [sampler.example(epoch, position) for position in range(sampler.count(epoch))]
        read = Counter(token for example in examples for half in halves(example, tokenizer) for token in half)
        there = tokens_of(store, 0.2, split)
        assert not read - there
        assert (there - read).total() == sum(example.tokens_cut for example in examples)
        assert max(map(len, examples)) <= max_length
        if max_length == 512 and objective != "mlm+nsp":
            assert read == there, "nothing is cut where everything fits"


@pytest.fixture(scope="module")
def numbered(folder: Path) -> tuple[CorpusStore, BertTokenizer, np.ndarray[Any, Any]]:
    """A store in which no token stands twice: the ids count on through the corpus; and the document of each id."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words = [f"w{number}" for number in range(6000)]
    BertTokenizer([*special, *words], do_lower_case=True).save_pretrained(folder / "numbers")
    draw = np.random.default_rng(0)
    made: list[list[str]] = []
    owner = [-1] * len(special)
    while words:
        lines = []
        for _ in range(draw.integers(1, 30)):
            count = int(draw.integers(1, 20))
            line, words = words[:count], words[count:]
            lines.append(" ".join(line))
            owner += [len(made)] * len(line)
        made.append([line for line in lines if line])
    file = write_blocks(folder / "numbers.txt", made)
    store = prepare([file], folder / "numbers", folder / "numbered", shard_tokens=2000)
    return store, BertTokenizer.from_pretrained(folder / "numbers"), np.array(owner)


@pytest.mark.parametrize("max_length", [16, 48, 512])
def test_pairs(
    numbered: tuple[CorpusStore, BertTokenizer, np.ndarray[Any, Any]],
    max_length: int,
) -> None:
    """Each half is a run of a document; b goes on from a where the label says so, else it is of another document."""
    store, tokenizer, owner = numbered
    settings = SamplingSettings(max_length=max_length, held_out=0)
    sampler = PretrainSampler(store, tokenizer, settings, seed=2)
    labels: Counter[int | None] = Counter()
    seen: Counter[int] = Counter()
    for position in range(sampler.count(0)):
        example = sampler.example(0, position)
        first, second = halves(example, tokenizer)
        for half in (first, second):
            assert half == list(range(half[0], half[0] + len(half)))
            assert len(set(owner[half])) == 1
        seen.update([*first, *second])
        labels[example.next_sentence_label] += 1
        if example.next_sentence_label:
            assert owner[first[0]] != owner[second[0]]
        else:
            assert owner[first[0]] == owner[second[0]]
            assert first[-1] < second[0]
            assert example.tokens_cut or first[-1] + 1 == second[0]
    assert set(seen.values()) == {1}, "nothing is read twice"
    assert labels[0] > 10
    assert labels[1] > 10


def test_sentence_order(numbered: tuple[CorpusStore, BertTokenizer, np.ndarray[Any, Any]]) -> None:
    store, tokenizer, _ = numbered
    sampler = PretrainSampler(store, tokenizer, SamplingSettings(objective="mlm+sop", max_length=512), seed=2)
    labels: Counter[int | None] = Counter()
    for position in range(sampler.count(0)):
        example = sampler.example(0, position)
        first, second = halves(example, tokenizer)
        in_order = [*second, *first] if example.next_sentence_label else [*first, *second]
        assert in_order == list(range(in_order[0], in_order[0] + len(in_order)))
        labels[example.next_sentence_label] += 1
    assert min(labels[0], labels[1]) > 10


def test_any_order_and_any_process_draws_the_same(store: CorpusStore, tokenizer: BertTokenizer) -> None:
    sampler = PretrainSampler(store, tokenizer, SamplingSettings(max_length=40, masking="span"), seed=8)
    total = sampler.count(0) + 20
    forward = sampler.samples(0, total)
    other = pickle.loads(pickle.dumps(sampler))
    backward = [other.sample(index) for index in reversed(range(total))][::-1]
    for one, two in zip(forward, backward):
        for name in ("input_ids", "token_type_ids", "masked_positions", "labels"):
            assert (getattr(one, name) == getattr(two, name)).all()
        assert (one.next_sentence_label, one.tokens_cut) == (two.next_sentence_label, two.tokens_cut)
    assert sampler.locate(sampler.count(0) + 3) == (1, 3)
    with pytest.raises(IndexError):
        sampler.example(0, sampler.count(0))


def test_seeds_and_epochs_differ(store: CorpusStore, tokenizer: BertTokenizer) -> None:
    settings = SamplingSettings(max_length=64)
    samplers = [PretrainSampler(store, tokenizer, settings, seed=seed) for seed in (1, 2)]
    drawn = [
        tuple(tuple(sampler.example(epoch, position).input_ids.tolist()) for position in range(20))
        for sampler in samplers
        for epoch in (0, 1)
    ]
    assert len(set(drawn)) == 4
    held = [PretrainSampler(store, tokenizer, settings, seed=seed, split="held_out") for seed in (1, 2)]
    assert (held[0]._kept == held[1]._kept).all(), "the same documents, whatever the seed"


def test_sentences_longer_than_the_room_and_tiny_ones(folder: Path, tokenizer: BertTokenizer) -> None:
    made = [[" ".join(["cat"] * 300)], ["rain"], ["old cat"], [" ".join(["bus"] * 50), "sea"]]
    store = prepare([write_blocks(folder / "long.txt", made)], folder / "vocab", folder / "long", overwrite=True)
    objectives: list[tuple[Objective, int]] = [("mlm", 354), ("mlm+sop", 353)]  # one token does not make two halves
    for objective, there in objectives:
        sampler = PretrainSampler(store, tokenizer, SamplingSettings(objective, 32, held_out=0))
        for epoch in range(4):
            examples = [sampler.example(epoch, position) for position in range(sampler.count(epoch))]
            read = sum(len(half) for example in examples for half in halves(example, tokenizer))
            assert read + sum(example.tokens_cut for example in examples) == there


def test_a_document_that_holds_nearly_everything(folder: Path, tokenizer: BertTokenizer) -> None:
    made = [
        [f"{line} Number {i}." for i, line in enumerate(["The old cat slept."] * 80)],
        ["The sea.", "The bus came."],
    ]
    store = prepare([write_blocks(folder / "one.txt", made)], folder / "vocab", folder / "one", overwrite=True)
    settings = SamplingSettings(max_length=32, held_out=0)
    sampler = PretrainSampler(store, tokenizer, settings, seed=1)
    other = {token for ids in stored(store)[1] for token in ids}
    labels: Counter[int | None] = Counter()
    for epoch in range(20):
        for position in range(sampler.count(epoch)):
            example = sampler.example(epoch, position)
            first, second = halves(example, tokenizer)
            labels[example.next_sentence_label] += 1
            if example.next_sentence_label:
                assert set(first) <= other or set(second) <= other, "never twice the same document"
    assert 0.4 < labels[1] / labels.total() < 0.6


def test_too_few_documents_and_too_short_a_length(folder: Path, tokenizer: BertTokenizer, store: CorpusStore) -> None:
    one = prepare([write_blocks(folder / "1.txt", documents(1))], folder / "vocab", folder / "single", overwrite=True)
    with pytest.raises(BertwrightError) as caught:
        PretrainSampler(one, tokenizer, SamplingSettings(held_out=0))
    assert caught.value.code == "BW293"
    assert PretrainSampler(one, tokenizer, SamplingSettings(objective="mlm", held_out=0)).count(0) >= 1
    with pytest.raises(BertwrightError) as caught:
        PretrainSampler(one, tokenizer, SamplingSettings(objective="mlm"))
    assert caught.value.fields["split"] == "train"
    with pytest.raises(BertwrightError) as caught:
        PretrainSampler(store, tokenizer, SamplingSettings(max_length=7))
    assert caught.value.code == "BW294"
    with pytest.raises(BertwrightError) as caught:
        PretrainSampler(store, BertTokenizer(tokenizer.get_vocab(), do_lower_case=False), SamplingSettings())
    assert caught.value.code == "BW289"


@pytest.mark.parametrize("objective", ["mlm+nsp", "mlm+sop"])
def test_documents_of_a_single_token(folder: Path, tokenizer: BertTokenizer, objective: Objective) -> None:
    made = [["cat"], ["rain"], ["bus"], ["sea"]]
    store = prepare([write_blocks(folder / "words.txt", made)], folder / "vocab", folder / "w", overwrite=True)
    for split, share in (("train", 0.0), ("held_out", 0.5)):
        sampler = PretrainSampler(store, tokenizer, SamplingSettings(objective, held_out=share), split=split)  # type: ignore[arg-type]
        for ask in (sampler.count, sampler.sample):
            with pytest.raises(BertwrightError) as caught:
                ask(0)
            assert caught.value.code == "BW296"
    assert PretrainSampler(store, tokenizer, SamplingSettings("mlm", held_out=0.0)).count(0) == 4


def test_held_out_documents() -> None:
    for count, share, expected in ((1000, 0.1, 100), (50, 0.01, 2), (3, 0.5, 2), (1, 0.5, 1), (100, 0.0, 0)):
        assert held_out_documents(count, share).sum() == expected
    marks = held_out_documents(10_000, 0.1)
    assert 400 < marks[:5000].sum() < 600, "spread over the corpus"


@pytest.mark.parametrize("masking", ["token", "word", "ngram", "span"])
def test_masks(store: CorpusStore, tokenizer: BertTokenizer, masking: Masking) -> None:
    settings = SamplingSettings(masking=masking, max_length=64, held_out=0)
    sampler = PretrainSampler(store, tokenizer, settings, seed=3)
    special = set(tokenizer.all_special_ids)
    for position in range(sampler.count(0)):
        example = sampler.example(0, position)
        assert (np.diff(example.masked_positions) > 0).all()
        assert len(example.labels) == len(example.masked_positions) >= 1
        assert not special - {tokenizer.unk_token_id} & set(example.labels.tolist())
        outside = np.delete(example.input_ids, example.masked_positions)
        assert tokenizer.mask_token_id not in outside
        size = len(example) - 3
        assert len(example.labels) <= max(np.ceil(0.15 * size), 3)
