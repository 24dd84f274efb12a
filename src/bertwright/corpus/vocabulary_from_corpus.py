"""A vocabulary from a corpus, with an account of what it covers; and new words for one that is there."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from bertwright.checkpoint.folders import MANIFEST, publishing, unlisted
from bertwright.corpus.word_counts import WordCounts
from bertwright.errors import BertwrightError
from bertwright.text.tokenizer.token_table import CONTINUATION
from bertwright.text.tokenizer.tokenizer import BertTokenizer
from bertwright.text.vocabulary.wordpiece_training import train_wordpiece, without_room
from bertwright.wording import said, shown

log = logging.getLogger("bertwright")

_WORDS_AT_ONCE = 1000
LEAST_COUNT = 5  # of a word that is worth a token
LEAST_UNKNOWN = 2  # of one that cannot be read without
_FILES = {"vocab.txt", "tokenizer.json", "tokenizer_config.json", MANIFEST}  # of a vocabulary


@dataclass(frozen=True, slots=True)
class Coverage:
    """How a vocabulary fits a text.

    Attributes:
        words: words of the text.
        whole: share of them that are one token.
        unknown: share of its tokens that are [UNK].
        tokens_a_word: tokens for each word.
        held_out: whether the text was kept apart from what the vocabulary was made from.
        left_out: characters of the text that are no tokens where they stand, with their counts, the most frequent
            first.
    """

    words: int
    whole: float
    unknown: float
    tokens_a_word: float
    held_out: bool
    left_out: Mapping[str, int]

    def to_json(self) -> dict[str, Any]:
        """A JSON object, with the 100 most frequent of the characters that are left out."""
        return asdict(self) | {"left_out": dict(islice(self.left_out.items(), 100))}


def make_vocabulary(
    counts: WordCounts, size: int, *, cased: bool, out: Path, fold_width: bool = False, overwrite: bool = False
) -> tuple[BertTokenizer, Coverage]:
    """Train a vocabulary and write the folder of its tokenizer, whole or not at all.

    Raises:
        BertwrightError: BW127 a size without room; BW501 it cannot be written; and those of `require_room`.
    """
    require_room(out, overwrite=overwrite)
    tokenizer = BertTokenizer(
        train_wordpiece(counts.words, size, cased=cased), do_lower_case=not cased, fold_width=fold_width
    )
    with publishing(out) as staging:
        tokenizer.save_pretrained(staging)
    if missing := without_room(counts.words, list(tokenizer.get_vocab()), cased=cased):
        log.warning(
            said(
                "no room for {n:,} characters that texts may have: {listed}; a larger --size holds them",
                n=len(missing), listed=shown(missing, 12),
            )
        )  # fmt: skip
    return tokenizer, measure(tokenizer, counts.held_out, held_out=counts.held_out is not counts.words)


def measure(tokenizer: BertTokenizer, counts: Mapping[str, int], *, held_out: bool = True) -> Coverage:
    """How a vocabulary fits a text of which the words are counted."""
    words = whole = unknown = tokens = 0
    left_out: Counter[str] = Counter()
    vocabulary = tokenizer.get_vocab()
    for word, count, ids in _encoded(tokenizer, counts):
        words += count
        tokens += count * len(ids)
        whole += count * (len(ids) == 1 and ids[0] != tokenizer.unk_token_id)
        unknown += count * ids.count(tokenizer.unk_token_id)
        if tokenizer.unk_token_id in ids:
            for at, character in enumerate(word):
                if (CONTINUATION if at else "") + character not in vocabulary:
                    left_out[character] += count
    shares = (whole / max(words, 1), unknown / max(tokens, 1), tokens / max(words, 1))
    return Coverage(words, *shares, held_out, dict(left_out.most_common()))


def worthy_words(tokenizer: BertTokenizer, counts: Mapping[str, int], most: int) -> list[str]:
    """The words that a vocabulary would gain the most from: occurrences times the tokens that each would spare.

    Words that occur at least five times and are no token yet; equal ones in the order of the alphabet.
    """
    gains: Counter[str] = Counter()
    for word, count, ids in _encoded(tokenizer, counts):
        if count >= LEAST_COUNT:
            # An unknown word is worth as much as one of two pieces.
            gains[word] = count * max(len(ids) - 1, int(tokenizer.unk_token_id in ids))
    ranked = sorted((-gain, word) for word, gain in gains.items() if gain)
    return [word for _, word in ranked[:most]]


def unknown_words(tokenizer: BertTokenizer, counts: Mapping[str, int], most: int) -> list[str]:
    """The words in which the vocabulary lacks a character, the most frequent first, that occur at least twice."""
    unknown = [
        (-count, word)
        for word, count, ids in _encoded(tokenizer, counts)
        if tokenizer.unk_token_id in ids and count >= LEAST_UNKNOWN
    ]
    return [word for _, word in sorted(unknown)[:most]]


def _encoded(tokenizer: BertTokenizer, counts: Mapping[str, int]) -> Iterator[tuple[str, int, list[int]]]:
    words = list(counts)
    for begin in range(0, len(words), _WORDS_AT_ONCE):
        some = words[begin : begin + _WORDS_AT_ONCE]
        for word, encoding in zip(some, tokenizer.pipeline.encode_batch_fast(some, add_special_tokens=False)):
            yield word, counts[word], encoding.ids


def require_room(out: Path, *, overwrite: bool = False) -> None:
    """Refuse a place for a vocabulary where something is that it would delete.

    Raises:
        BertwrightError: BW503 a file; BW630 a folder that is not empty; with `overwrite` BW631 one that holds more than
            a vocabulary which was written here.
    """
    if out.exists() and not out.is_dir():
        raise BertwrightError("BW503", folder=out)
    if not out.is_dir() or not any(out.iterdir()):
        return
    if not overwrite:
        raise BertwrightError("BW630", folder=out)
    names = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_symlink() or not path.is_dir()}
    if others := sorted({*unlisted(out), *(names - _FILES)}):
        raise BertwrightError("BW631", folder=out, files=shown(others, 3))
