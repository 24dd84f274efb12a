"""Whether what is masked, and what a store knows of Chinese words, go together."""

from __future__ import annotations

import logging

import numpy as np

from bertwright.corpus.drawing.neighbours import token_counts
from bertwright.corpus.drawing.sampling_settings import Masking
from bertwright.corpus.store import CorpusStore
from bertwright.text.han import is_han
from bertwright.text.tokenizer.tokenizer import BertTokenizer
from bertwright.wording import said

log = logging.getLogger("bertwright")

_LEAST = 0.01  # of the tokens, from which a corpus is called Chinese


def say_of_words(store: CorpusStore, tokenizer: BertTokenizer, masking: Masking) -> None:
    """A warning where words are to be masked and nobody knows where those of Chinese begin; a remark where somebody
    does, and tokens are masked.
    """
    if masking == "token":
        if store.has_words:
            log.info(said("the store knows Chinese words; masking=word would mask whole ones"))
        return
    if store.has_words:
        return
    ids = [at for token, at in tokenizer.get_vocab().items() if len(token) == 1 and is_han(token)]
    counts = token_counts(store, len(tokenizer))
    share = float(counts[np.array(ids, dtype=np.int64)].sum() / max(counts.sum(), 1))
    if share >= _LEAST:
        log.warning(
            said(
                "masking={masking}: {share:.1f} % of the tokens are Chinese characters, and the store does not know "
                "which of them are one word: each is taken for a word; prepare the corpus again with --wwm",
                masking=masking, share=100 * share,
            )
        )  # fmt: skip
