"""The stories that come with the package are what they are said to be."""

from __future__ import annotations

import re

import pytest

from bertwright.data.samples import stories
from bertwright.text.sentences import split_sentences


@pytest.mark.parametrize("language", ["en", "zh"])
def test_stories_are_documents_of_a_few_sentences_that_share_nothing(language: str) -> None:
    documents = stories(language).read_text(encoding="utf-8").strip().split("\n\n")
    assert len(documents) == 40
    pattern, length = (r"[\w'-]+", 5) if language == "en" else ("[一-鿿]", 8)
    owner: dict[tuple[str, ...], int] = {}
    for number, document in enumerate(documents):
        assert "\n" not in document
        assert 5 <= len(split_sentences(document)) <= 7, document
        words = re.findall(pattern, document.lower())
        for begin in range(len(words) - length + 1):
            run = tuple(words[begin : begin + length])
            assert owner.setdefault(run, number) == number, run
