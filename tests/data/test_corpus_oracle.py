"""The ids in the store are those of the tokenizer, on real text of some length."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from test_pretrain_statistics import beginning

from bertwright.data.corpus.prepare import prepare_corpus
from bertwright.data.corpus.settings import PrepareSettings
from bertwright.text.sentences import split_sentences
from bertwright.text.tokenizer import BertTokenizer


@pytest.mark.parametrize(
    "size", [pytest.param(500_000, id="500kB"), pytest.param(10_000_000, id="10MB", marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("name", ["en", "zh"])
def test_real_text(real_data: Path, tmp_path: Path, name: str, size: int) -> None:
    vocab = real_data / "vocab" / {"en": "bert-base-cased", "zh": "bert-base-chinese"}[name]
    file = beginning(real_data, name, size, tmp_path)
    store = prepare_corpus([file], vocab, tmp_path / "store", PrepareSettings(repeats="keep"), workers=2)
    tokenizer = BertTokenizer.from_pretrained(vocab)
    blocks = [block.split("\n") for block in file.read_text(encoding="utf-8").split("\n\n")]
    documents = [[s for line in block for s in split_sentences(line)] for block in blocks if any(map(str.strip, block))]
    sentences = [sentence for document in documents for sentence in document]
    encodings = tokenizer.pipeline.encode_batch(sentences, add_special_tokens=False)
    ids = [encoding.ids for encoding in encodings]
    shard = store.shards[0]
    assert len(store.shards) == 1
    assert shard.tokens.tolist() == [token for sentence in ids for token in sentence]
    lengths = np.array([len(sentence) for sentence in ids])
    assert np.diff(shard.sentences).tolist() == lengths[lengths > 0].tolist()
    assert store.documents == len(documents)
