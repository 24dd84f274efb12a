"""Spans of long texts: the answers of windows are joined in room that grows with the text, not with its square."""

from __future__ import annotations

import random
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from bertwright import BertTokenizer
from bertwright.data.examples import Example, Where
from bertwright.data.tagged.encoded_units import EncodedUnits
from bertwright.data.windows import Reading
from bertwright.tasks.entities.entities import EntityPrediction
from bertwright.tasks.entities.span_pointing import SpanPointing

TASK = SpanPointing(("LOC", "PER"))
Found = dict[tuple[int, int, int], float]


@pytest.fixture(scope="module")
def tokenizer(tagger_model: Path) -> BertTokenizer:
    return BertTokenizer.from_pretrained(tagger_model)


def encoded_text(tokenizer: BertTokenizer, words: int, reading: Reading) -> EncodedUnits:
    chosen = random.Random(words).choices(["Anna", "lives", "in", "Oslo", "unreadably", "."], k=words)
    encoded = TASK.encode(tokenizer, [Example(" ".join(chosen), None, Where("x", 1))], reading)
    assert isinstance(encoded, EncodedUnits)
    return encoded


def random_scores(encoded: EncodedUnits, each: int) -> list[Tensor]:
    """Candidates anywhere in each input, special tokens and later pieces included."""
    rng = np.random.default_rng(5)
    found = []
    for one in encoded.inputs:
        ends = np.sort(rng.integers(0, len(one), (each, 2)), axis=1)
        rows = np.concatenate([ends, rng.integers(0, 2, (each, 1)), rng.uniform(0.1, 9, (each, 1))], 1)
        found.append(torch.from_numpy(np.unique(rows, axis=0)).float())
    return found


def found_plainly(scores: list[Tensor], encoded: EncodedUnits) -> Found:
    """The same by a table of every input and every unit of the one text."""
    count = len(encoded.units[0])
    before, after = (np.full((len(encoded.inputs), count), -1.0) for _ in range(2))
    for index, one in enumerate(encoded.inputs):
        for position, unit in enumerate(one.word_ids.tolist()):
            if unit >= 0:
                before[index, unit], after[index, unit] = position, len(one) - 1 - position
        if before[index, 0] >= 0:
            before[index, before[index] >= 0] = np.inf
        if after[index, -1] >= 0:
            after[index, after[index] >= 0] = np.inf
    found: Found = {}
    for index, rows in enumerate(scores):
        word_ids = encoded.inputs[index].word_ids.tolist()
        for first, last, kind, value in rows.tolist():
            start, end = word_ids[int(first)], word_ids[int(last)]
            if min(start, end) < 0:
                continue
            whole = (before[:, start : end + 1] >= 0).all(1)
            contexts = np.where(whole, np.minimum(before[:, start], after[:, end]), -1.0)
            if contexts[index] >= 0 and contexts[index] == contexts.max():
                found[start, end + 1, int(kind)] = max(value, found.get((start, end + 1, int(kind)), 0.0))
    return found


@pytest.mark.parametrize("words", [1, 7, 60, 300])
@pytest.mark.parametrize("reading", [Reading(16, "window", 5), Reading(40, "window", 0), Reading(24, "head+tail", 0)])
def test_windows_speak_as_a_plain_table_says(tokenizer: BertTokenizer, words: int, reading: Reading) -> None:
    encoded = encoded_text(tokenizer, words, reading)
    scores = random_scores(encoded, 60)
    answer = TASK.decode(scores, encoded)[0]
    assert isinstance(answer, EntityPrediction)
    plain = found_plainly(scores, encoded)
    units = encoded.units[0]
    expected = [
        (int(units[start, 0]), int(units[end - 1, 1]), TASK.types[kind], float(torch.tensor(value).sigmoid()))
        for (start, end, kind), value in sorted(plain.items())
    ]
    assert [(one.start, one.end, one.type, one.score) for one in answer.entities] == expected


def test_a_long_text_takes_room_that_grows_with_its_length(tokenizer: BertTokenizer) -> None:
    encoded = encoded_text(tokenizer, 6_000, Reading(32, "window", 8))
    assert len(encoded.inputs) > 250  # a table of all units for each would take 50 MB
    scores = random_scores(encoded, 4)
    tracemalloc.start()
    try:
        TASK.decode(scores, encoded)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 10e6, f"{most / 1e6:.0f} MB"
