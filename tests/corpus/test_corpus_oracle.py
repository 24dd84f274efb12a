"""The ids in the store are those of `BertTokenizer` of `transformers`, on real text of some length."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import transformers

from bertwright.corpus.prepare import prepare_corpus
from bertwright.corpus.prepare_settings import PrepareSettings
from bertwright.text.sentences import split_sentences
from bertwright.text.tokenizer.tokenizer import BertTokenizer
from tests.corpus.test_pretrain_statistics import beginning


@pytest.mark.parametrize(
    "size", [pytest.param(500_000, id="500kB"), pytest.param(10_000_000, id="10MB", marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("name", ["en", "zh"])
def test_real_text(real_data: Path, tmp_path: Path, name: str, size: int) -> None:
    vocab = real_data / "vocab" / {"en": "bert-base-cased", "zh": "bert-base-chinese"}[name]
    file = beginning(real_data, name, size, tmp_path)
    store = prepare_corpus([file], vocab, tmp_path / "store", PrepareSettings(repeats="keep"), workers=2)
    lower_case = bool(BertTokenizer.from_pretrained(vocab).do_lower_case)
    peer = transformers.BertTokenizer(vocab=str(vocab / "vocab.txt"), do_lower_case=lower_case)
    blocks = [block.split("\n") for block in file.read_text(encoding="utf-8").split("\n\n")]
    documents = [[s for line in block for s in split_sentences(line)] for block in blocks if any(map(str.strip, block))]
    sentences = [sentence for document in documents for sentence in document]
    ids = peer(sentences, add_special_tokens=False, verbose=False)["input_ids"]
    shard = store.shards[0]
    assert len(store.shards) == 1
    expected = np.array([token for sentence in ids for token in sentence])
    equal = int((shard.tokens == expected).sum()) if len(expected) == len(shard.tokens) else 0
    print(f"{name}: {equal:,} of {len(expected):,} token ids are the peer's")
    assert equal == len(expected) > size / 6
    lengths = np.array([len(sentence) for sentence in ids])
    assert np.diff(shard.sentences).tolist() == lengths[lengths > 0].tolist()
    assert store.documents == len(documents)
