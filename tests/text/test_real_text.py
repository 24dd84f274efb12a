"""Two thousand lines of each of several real data sets, token by token and offset by offset."""

from __future__ import annotations

import json
import lzma
from collections.abc import Callable
from itertools import islice
from typing import Any

import pytest

from tests.text import reference_wordpiece as reference
from tests.text.conftest import data_file, real_tokenizer, vocabulary_file

LINES = 2_000


def lines_of(path: str) -> list[str]:
    opened = lzma.open if path.endswith(".xz") else open
    with opened(data_file(path), "rt", encoding="utf-8") as lines:
        return [line.rstrip("\n") for line in islice(lines, LINES)]


def paragraphs_of_drcd(path: str) -> list[str]:
    articles = json.loads(data_file(path).read_bytes())["data"]
    paragraphs = [paragraph for article in articles for paragraph in article["paragraphs"]]
    questions = [answered["question"] for paragraph in paragraphs for answered in paragraph["qas"]]
    return [paragraph["context"] for paragraph in paragraphs[:200]] + questions[:LINES]


SETS: list[tuple[str, str, Callable[[str], list[str]]]] = [
    ("bert-base-uncased", "en/sst2/train.tsv", lines_of),
    ("bert-base-cased", "en/conll2003/eng.train", lines_of),
    ("bert-base-uncased", "pretrain/wikipedia_en.txt.xz", lines_of),
    ("bert-base-cased", "pretrain/novels_en.txt.xz", lines_of),
    ("bert-base-chinese", "zh/chnsenticorp/train.tsv", lines_of),
    ("bert-base-chinese", "zh/drcd/dev.json", paragraphs_of_drcd),
    ("bert-base-chinese", "zh/tnews/dev.json", lines_of),
    ("bert-base-chinese", "pretrain/wikipedia_zh.txt.xz", lines_of),
]


@pytest.mark.parametrize(("name", "path", "read"), SETS, ids=[path for _, path, _ in SETS])
def test_real_lines(name: str, path: str, read: Any, peer_of: Any) -> None:
    tokenizer, texts = real_tokenizer(name), read(path)
    rows = tokenizer.encode_batch(texts, truncation=False)
    peer = peer_of(vocabulary_file(name), tokenizer.do_lower_case)
    theirs = peer(texts, return_offsets_mapping=True, verbose=False)
    vocabulary = tokenizer.get_vocab()
    for index, (text, row) in enumerate(zip(texts, rows)):
        assert row.input_ids.tolist() == theirs["input_ids"][index], text
        assert list(map(tuple, row.offsets.tolist())) == theirs["offset_mapping"][index], text
        expected = reference.tokens(text, vocabulary, bool(tokenizer.do_lower_case))
        assert tokenizer.convert_ids_to_tokens(row.input_ids[1:-1]) == expected, text
        assert row.unknown == len(row.slices_of(tokenizer.unk_token_id, text)) == expected.count("[UNK]")
