"""The token ids of much text, fast and exact: what recurs is looked up, the rest is asked of the tokenizer once.

A BERT splits at white space and around every Han character and every mark of punctuation before it looks for pieces,
so the ids of a text are those of its chunks end to end, and chunks recur. `tests/text/test_memo.py` holds this against
the tokenizer; where a tokenizer or a text is of another kind, the library reads the whole text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from itertools import chain

import numpy as np
from numpy.typing import DTypeLike
from tokenizers import Tokenizer
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

from bertwright.text.chinese_words import Segmenter
from bertwright.text.tokenizer.token_table import CONTINUATION
from bertwright.text.tokenizer.tokenizer import BertTokenizer
from bertwright.text.width import narrowed

# White space as the library sees it. Python's \s has control characters, too, which a BERT deletes.
_SPACE = " \t\n\r\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
# Characters that are tokens by themselves wherever they stand: most Han characters, and punctuation that is frequent.
_HAN = "\u3400-\u4dbf\u4e00-\u9fff"
_POINTS = re.escape("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~“”‘’–—…。，、！？：；（）《》「」『』·")
_CHUNKS = re.compile(rf"[{_HAN}{_POINTS}]|[^{_SPACE}{_HAN}{_POINTS}]+")
_CHUNKS_AND_RUNS = re.compile(rf"[{_HAN}]+|[{_POINTS}]|[^{_SPACE}{_HAN}{_POINTS}]+")
_ENTRIES = 1 << 17
_WORDS_AT_ONCE = 64
_LONGEST_RUN = 8  # longer runs of Han characters hardly recur, and would fill the memory


class MemoEncoder:
    """Texts to the ids that `tokenizer` gives, without special tokens around.

    Args:
        tokenizer: whose ids they are.
        dtype: of the ids, as bytes.
        segmenter: if given, `encode` also says which tokens go on within a Chinese word.
        entries: how many chunks are remembered at most; then it begins anew.
    """

    def __init__(
        self,
        tokenizer: BertTokenizer,
        dtype: DTypeLike = np.uint32,
        segmenter: Segmenter | None = None,
        entries: int = _ENTRIES,
    ) -> None:
        self._pipeline, self._fold_width = tokenizer.pipeline, tokenizer.fold_width
        self.dtype = np.dtype(dtype)
        self._entries = entries
        self._ids: dict[str, bytes] = {}
        self._goes_on: dict[str, bytes] = {}
        self._cut = segmenter.cut if segmenter is not None else None
        self._pattern = _CHUNKS if segmenter is None else _CHUNKS_AND_RUNS
        self._within = tokenizer.continuations()
        added = self._pipeline.get_added_tokens_decoder().values()
        self._added = [token.content for token in added]
        self._mark = next(iter(sorted(set.intersection(*map(set, self._added)))), "")  # mostly [
        self.by_chunks = _knows_borders(self._pipeline) and not any(token.normalized for token in added)

    def encode(self, texts: Sequence[str]) -> tuple[list[bytes], list[bytes]]:
        """For each text its ids, and, with a segmenter, for each id a byte that is 1 within a Chinese word, but 0
        at its beginning and everywhere else. Without a segmenter the second list is empty.
        """
        if self._fold_width:
            texts = [narrowed(text) for text in texts]
        if not self.by_chunks:
            return self._whole(texts)
        if any(map(self._names_special, texts)):
            return self._one_by_one(texts)
        ids, goes_on = self._ids.__getitem__, self._goes_on.__getitem__
        found: list[bytes] = []
        marks: list[bytes] = []
        new: list[tuple[int, list[str]]] = []
        missing: set[str] = set()
        # Each text by itself: its chunks are still in the processor's cache when they are looked up.
        for text in texts:
            chunks: list[str] = self._pattern.findall(text)
            try:
                whole = b"".join(map(ids, chunks))
            except KeyError:
                missing.update([chunk for chunk in chunks if chunk not in self._ids])
                new.append((len(found), chunks))
                found.append(b"")
                marks.append(b"")
                continue
            found.append(whole)
            if self._cut is not None:
                marks.append(b"".join(map(goes_on, chunks)))
        if new:
            self._complete(new, missing, found, marks)
        return found, marks if self._cut is not None else []

    def _complete(
        self, new: list[tuple[int, list[str]]], missing: set[str], found: list[bytes], marks: list[bytes]
    ) -> None:
        """Learn the chunks that are missing, and put in what stands at the places of the `new` texts."""
        if len(self._ids) + len(missing) > self._entries:
            self._ids.clear()
            self._goes_on.clear()
            missing = set(chain.from_iterable(chunks for _, chunks in new))
        self._learn(missing)
        for place, chunks in new:
            found[place] = b"".join(map(self._ids.__getitem__, chunks))
            if self._cut is not None:
                marks[place] = b"".join(map(self._goes_on.__getitem__, chunks))
        for run in self._runs(missing):
            if len(run) > _LONGEST_RUN:
                del self._ids[run], self._goes_on[run]

    def _runs(self, chunks: Collection[str]) -> list[str]:
        """Han characters side by side; none where no words are looked for."""
        return [] if self._cut is None else [chunk for chunk in chunks if len(chunk) > 1 and _is_han(chunk)]

    def _names_special(self, text: str) -> bool:
        """Whether a special token stands in the text by its name: it is one token wherever it stands."""
        return self._mark in text and any(token in text for token in self._added)

    def _whole(self, texts: Sequence[str]) -> tuple[list[bytes], list[bytes]]:
        ids = self._of_library(texts)
        return ids, [] if self._cut is None else [bytes(len(one) // self.dtype.itemsize) for one in ids]

    def _one_by_one(self, texts: Sequence[str]) -> tuple[list[bytes], list[bytes]]:
        """Texts of which some hold the name of a special token."""
        ids: list[bytes] = []
        goes_on: list[bytes] = []
        for text in texts:
            one, going = self._whole([text]) if self._names_special(text) else self.encode([text])
            ids += one
            goes_on += going
        return ids, goes_on

    def _learn(self, missing: set[str]) -> None:
        if runs := self._runs(missing):
            characters = set("".join(runs))
            missing = {one for one in missing.difference(runs) | characters if one not in self._ids}
        plain = [chunk for chunk in missing if chunk.isascii() and chunk.isalnum()]
        odd = list(missing.difference(plain))
        self._ids.update(zip(odd, self._of_library(odd)))
        self._ids.update(zip(plain, self._of_plain_words(plain)))
        if self._cut is None:
            return
        size = self.dtype.itemsize
        self._goes_on.update((chunk, bytes(len(self._ids[chunk]) // size)) for chunk in missing)
        if runs:
            self._learn_runs(runs, characters, self._cut)

    def _learn_runs(self, runs: list[str], characters: Collection[str], cut: Callable[[str], list[str]]) -> None:
        """Runs of Han `characters`, each of which is one token and is known by now.

        They are cut as lines of one text: a call for each costs far more, and no word goes beyond a line.
        """
        text = "\n".join(runs)
        sizes = np.fromiter(map(len, cut(text)), dtype=np.int64)
        starts = np.cumsum(sizes) - sizes
        marks = np.ones(len(text), dtype=np.uint8)
        marks[starts] = 0
        of_character = np.zeros(1 << 16, dtype=self.dtype)
        of_character[[*map(ord, characters)]] = np.frombuffer(
            b"".join(map(self._ids.__getitem__, characters)), self.dtype
        )
        codes = np.frombuffer(text.encode("utf-16-le"), dtype="<u2")
        edges = np.flatnonzero(codes == ord("\n"))
        assert sizes.sum() == len(text)
        assert not marks[edges].any()
        assert not marks[edges + 1].any()
        ids, goes_on, width = of_character[codes].tobytes(), marks.tobytes(), self.dtype.itemsize
        begins, ends = [0, *(edges + 1).tolist()], [*edges.tolist(), len(text)]
        for run, begin, end in zip(runs, begins, ends):
            self._ids[run] = ids[begin * width : end * width]
            self._goes_on[run] = goes_on[begin:end]

    def _of_plain_words(self, words: Sequence[str]) -> list[bytes]:
        """Many words in one text cost the library less than each alone."""
        texts = [" ".join(words[at : at + _WORDS_AT_ONCE]) for at in range(0, len(words), _WORDS_AT_ONCE)]
        found: list[bytes] = []
        for encoding in self._pipeline.encode_batch_fast(texts, add_special_tokens=False):
            ids = np.array(encoding.ids, dtype=self.dtype)
            places = (np.flatnonzero(~self._within[ids]) * self.dtype.itemsize).tolist()
            whole = ids.tobytes()
            found += [whole[begin:end] for begin, end in zip(places, [*places[1:], len(whole)])]
        assert len(found) == len(words)
        return found

    def _of_library(self, texts: Sequence[str]) -> list[bytes]:
        encodings = self._pipeline.encode_batch_fast(list(texts), add_special_tokens=False)
        return [np.array(encoding.ids, dtype=self.dtype).tobytes() for encoding in encodings]


def chunks_of(text: str) -> list[str]:
    """What a BERT reads apart from the rest: end to end, but for white space, the text. Some hold several words."""
    found: list[str] = _CHUNKS.findall(text)
    return found


def _is_han(text: str) -> bool:
    return "\u3400" <= text[0] <= "\u4dbf" or "\u4e00" <= text[0] <= "\u9fff"


def _knows_borders(pipeline: Tokenizer) -> bool:
    """Whether this pipeline splits at white space, around Han characters and around punctuation, as a BERT does."""
    normalizer = pipeline.normalizer
    return (
        isinstance(normalizer, BertNormalizer)
        and normalizer.clean_text
        and normalizer.handle_chinese_chars
        and isinstance(pipeline.pre_tokenizer, BertPreTokenizer)
        and pipeline.model.continuing_subword_prefix == CONTINUATION
        and pipeline.truncation is None
        and pipeline.padding is None
    )
