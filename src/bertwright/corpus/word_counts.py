"""How often the words of a corpus occur, in bounded memory.

A word is what a BERT looks up pieces of: lower-cased if it does so, between white space, punctuation and Han
characters, each of which is one by itself. Two rules bound the memory and the time, and both are said when they come
in: of a corpus of more than `SAMPLED_ABOVE` bytes on the disk every n-th part is read; and when more than `MOST_WORDS`
different words are known, the rarest are forgotten.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from tokenizers.normalizers import BertNormalizer, Normalizer
from tokenizers.pre_tokenizers import BertPreTokenizer, PreTokenizer

from bertwright.corpus.documents import documents_of
from bertwright.corpus.fast_ids import chunks_of
from bertwright.corpus.parts import PART_BYTES, Part, Source, read_parts, reading_pool
from bertwright.corpus.repeats import hash_lines
from bertwright.errors import BertwrightError
from bertwright.text.width import narrowed

SAMPLED_ABOVE = 4 << 30
MOST_WORDS = 1 << 21
_HELD_OUT_OF = 100
_LONGEST_WORD = 100  # characters; a BERT makes [UNK] of what is longer
_CHUNKS_REMEMBERED = 1 << 18


@dataclass(frozen=True, slots=True)
class CountingJob:
    """What is needed to count the words of a part.

    Attributes:
        lower_case: whether text is lower-cased.
        strip_accents: whether accents are taken off; None: where text is lower-cased.
        skip_bad: pass over lines that cannot be read.
        fold_width: whether digits and letters of double width are counted as those of ASCII.
    """

    lower_case: bool
    strip_accents: bool | None = None
    skip_bad: bool = False
    fold_width: bool = False

    def make(self) -> WordCounter:
        """The counter of one process."""
        return WordCounter(self)


@dataclass(slots=True)
class WordCounts:
    """Words with their counts, and what was read and left out.

    Attributes:
        words: of the texts to learn from.
        held_out: of one document in a hundred, by its hash.
        documents: documents read.
        skipped_lines, skipped_bytes: what could not be read.
        too_long: words of more than a hundred characters.
        every: every so many parts one was read.
        forgotten: occurrences of words that were forgotten for want of room.
    """

    words: Counter[str] = field(default_factory=Counter)
    held_out: Counter[str] = field(default_factory=Counter)
    documents: int = 0
    skipped_lines: int = 0
    skipped_bytes: int = 0
    too_long: int = 0
    every: int = 1
    forgotten: int = 0

    def add(self, more: WordCounts, most: int) -> None:
        """Take the counts of a part, and forget the rarest words where there are too many."""
        self.words.update(more.words)
        self.held_out.update(more.held_out)
        for name in ("documents", "skipped_lines", "skipped_bytes", "too_long"):
            setattr(self, name, getattr(self, name) + getattr(more, name))
        rarest = 1
        while len(self.words) > most:
            kept = Counter({word: count for word, count in self.words.items() if count > rarest})
            self.forgotten += self.words.total() - kept.total()
            self.words, rarest = kept, rarest + 1
        if len(self.held_out) > most:
            self.held_out = Counter(dict(self.held_out.most_common(most // 2)))


class WordCounter:
    """Counts the words of parts."""

    def __init__(self, job: CountingJob) -> None:
        self._skip_bad, self._fold_width = job.skip_bad, job.fold_width
        self._normalizer: Normalizer = BertNormalizer(lowercase=job.lower_case, strip_accents=job.strip_accents)
        self._splitter: PreTokenizer = BertPreTokenizer()
        self._words: dict[str, tuple[str, ...]] = {}

    def count(self, part: Part) -> WordCounts:
        """The words of a part; errors as `documents_of`."""
        found = documents_of(part, skip_bad=self._skip_bad)
        result = WordCounts(
            documents=len(found.lines), skipped_lines=found.skipped_lines, skipped_bytes=found.skipped_bytes
        )
        _, hashes = hash_lines(found.lines)
        chunks: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
        for document, hashed in zip(found.lines, hashes.tolist()):
            of_document = chunks[hashed % _HELD_OUT_OF == 0]
            for line in document:
                of_document.update(chunks_of(line))
        for counted, words in zip(chunks, (result.words, result.held_out)):
            for chunk, count in counted.items():
                for word in self._words_of(chunk):
                    if len(word) > _LONGEST_WORD:
                        result.too_long += count
                    else:
                        words[word] += count
        return result

    def count_texts(self, texts: Iterable[str]) -> WordCounts:
        """The words of texts that are in memory, none of them held out."""
        result = WordCounts()
        for text in texts:
            result.documents += 1
            for chunk in chunks_of(text):
                for word in self._words_of(chunk):
                    if len(word) > _LONGEST_WORD:
                        result.too_long += 1
                    else:
                        result.words[word] += 1
        return result

    def _words_of(self, chunk: str) -> tuple[str, ...]:
        words = self._words.get(chunk)
        if words is None:
            if len(self._words) >= _CHUNKS_REMEMBERED:
                self._words.clear()
            folded = narrowed(chunk) if self._fold_width else chunk
            split = self._splitter.pre_tokenize_str(self._normalizer.normalize_str(folded))
            words = self._words[chunk] = tuple(word for word, _ in split)
        return words


def count_words(
    source: Source,
    job: CountingJob,
    *,
    workers: int = 1,
    report: Callable[[str, float], None] | None = None,
    part_bytes: int = PART_BYTES,
    sampled_above: int = SAMPLED_ABOVE,
    most: int = MOST_WORDS,
) -> WordCounts:
    """The words of a corpus.

    Args:
        source: the corpus.
        job: how words are told.
        workers: how many processes work; the result does not depend on it.
        report: called with `counting` and the share that is done.
        part_bytes: how much is read at a time.
        sampled_above, most: the bounds; see the module.

    Raises:
        BertwrightError: as `read_parts` and `documents_of`; BW291 no word in it.
    """
    sizes = [file.stat().st_size for file in source.files]
    total = WordCounts(every=max(1, math.ceil(sum(sizes) / sampled_above)))

    def parts() -> Iterator[tuple[Part]]:
        for part in read_parts(source, part_bytes):
            if part.index % total.every == 0:
                yield (part,)
            if report is not None:
                report("counting", min(1.0, (sum(sizes[: part.file]) + part.read) / max(sum(sizes), 1)))

    with reading_pool(job.make, workers) as pool:
        for counted in pool.map(WordCounter.count, parts()):
            total.add(counted, most)
    known = total.words or total.held_out
    if not known:
        raise BertwrightError("BW291", source=", ".join(map(str, source.files[:3])))
    if not (total.words and total.held_out):  # a small corpus: measured on what was learnt, which is said
        total.words = total.held_out = known
    return total
