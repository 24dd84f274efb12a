"""Which tokens go on within a word: WordPiece marks them with ##."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bertwright.text.tokenizer.token_table import TokenTable

CONTINUATION = "##"


def continuations(tokenizer: TokenTable) -> NDArray[np.bool_]:
    """`[V]`: whether the token of each id goes on within a word. Ids without a token do not."""
    marks = np.zeros(len(tokenizer), dtype=np.bool_)
    for token, token_id in tokenizer.get_vocab().items():
        marks[token_id] = token.startswith(CONTINUATION)
    return marks
