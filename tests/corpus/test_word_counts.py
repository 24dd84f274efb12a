"""Counting words: one document in a hundred is held out, and no corpus is too small for that."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest

from bertwright.corpus.parts import Source
from bertwright.corpus.repeats import hash_lines
from bertwright.corpus.word_counts import CountingJob, count_words
from bertwright.errors import BertwrightError


def held_out_line() -> str:
    """A document of one line that is held out."""
    lines = (f"The cat of number {number}." for number in count())
    return next(line for line in lines if int(hash_lines([[line]])[1][0]) % 100 == 0)


def test_documents_that_are_held_out(tmp_path: Path) -> None:
    file = tmp_path / "c.txt"
    file.write_text(f"A dog.\n\n{held_out_line()}\n", encoding="utf-8")
    counts = count_words(Source((file,)), CountingJob(True))
    assert set(counts.words) == {"a", "dog", "."}
    assert "cat" in counts.held_out


def test_a_corpus_of_which_every_document_would_be_held_out(tmp_path: Path) -> None:
    file = tmp_path / "c.txt"
    file.write_text(held_out_line(), encoding="utf-8")
    counts = count_words(Source((file,)), CountingJob(True))
    assert counts.words["cat"] == 1
    assert counts.held_out is counts.words
    file.write_text(" \n", encoding="utf-8")
    with pytest.raises(BertwrightError) as caught:
        count_words(Source((file,)), CountingJob(True))
    assert caught.value.code == "BW291"
