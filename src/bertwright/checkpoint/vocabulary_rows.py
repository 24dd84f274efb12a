"""Whether a vocabulary and the word table of a model belong together."""

from __future__ import annotations

import logging
import os

from bertwright.errors import BertwrightError
from bertwright.wording import said

log = logging.getLogger("bertwright")

_PADDING = 128  # rows that a table may have beyond its tokens, to be a multiple of some number


def check_rows(model: str | os.PathLike[str], tokens: int, rows: int) -> None:
    """Warn of rows that no token has, more of them than a table is padded with.

    Raises:
        BertwrightError: BW325 fewer rows than tokens.
    """
    if tokens > rows:
        raise BertwrightError("BW325", model=model, tokens=tokens, rows=rows)
    if rows - tokens > _PADDING:
        log.warning(
            said(
                "{model}: {rows:,} rows in the word table, but only {tokens:,} tokens in the vocabulary: unless it was "
                "made so, vocab.txt belongs to other weights, and the model reads other words than it learnt",
                model=model, rows=rows, tokens=tokens,
            )
        )  # fmt: skip
