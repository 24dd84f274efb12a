"""What is done with one part of a corpus: first its lines are hashed, then what is to stay becomes token ids.

Both are pure functions of the part and the job, so any process may do any of them, in a pool or on a cluster.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bertwright.corpus.documents import documents_of
from bertwright.corpus.fast_ids import MemoEncoder
from bertwright.corpus.parts import Part
from bertwright.corpus.repeats import Hashes, hash_lines
from bertwright.corpus.store import id_type
from bertwright.errors import BertwrightError
from bertwright.text.chinese_words import chinese_segmenter
from bertwright.text.sentences import split_sentences
from bertwright.text.tokenizer.tokenizer import BertTokenizer

_SENTENCES_AT_ONCE = 4096


@dataclass(frozen=True, slots=True)
class EncodingJob:
    """What is needed to read a part.

    Attributes:
        vocabulary: the folder of the tokenizer.
        skip_bad: pass over lines that cannot be read.
        whole_words: find Chinese words.
        packaged: find them by the segmenter of the extra `zh`.
        words: Chinese words of one's own.
    """

    vocabulary: Path
    skip_bad: bool = False
    whole_words: bool = False
    packaged: bool = True
    words: tuple[str, ...] = ()

    def make(self) -> PartReader:
        """The reader of one process."""
        return PartReader(self)


@dataclass(frozen=True, slots=True)
class Scanned:
    """The hashes of one part, whose content is left out here, and its lines and what was passed over, counted."""

    part: Part
    lines: Hashes
    documents: Hashes
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class EncodedPart:
    """The tokens of one part.

    Attributes:
        ids: `[n]` ids as bytes.
        goes_on: `[n]` a byte each, 1 within a Chinese word; empty where none are looked for.
        sentences: `[s]` uint32: tokens of each sentence.
        documents: `[d]` uint32: sentences of each document.
        counts: tokens that are [UNK] or go on within a word; documents of which every line was dropped, or became no
            token; documents that were left out, and lines of others.
    """

    ids: bytes
    goes_on: bytes
    sentences: NDArray[np.uint32]
    documents: NDArray[np.uint32]
    counts: Mapping[str, int]


class PartReader:
    """Reads parts; holds a tokenizer and a memory of chunks, nothing that changes a result."""

    def __init__(self, job: EncodingJob) -> None:
        with _quiet():
            tokenizer = BertTokenizer.from_pretrained(job.vocabulary)
        segmenter = chinese_segmenter(job.words, packaged=job.packaged) if job.whole_words else None
        self._skip_bad = job.skip_bad
        self._unknown = tokenizer.unk_token_id
        self.dtype = id_type(tokenizer)
        self._encoder = MemoEncoder(tokenizer, self.dtype, segmenter)

    def scan(self, part: Part) -> Scanned:
        """The hashes of the lines and documents of a part.

        Raises:
            BertwrightError: BW281, BW286 a line that cannot be read.
        """
        found = documents_of(part, skip_bad=self._skip_bad)
        lines, documents = hash_lines(found.lines)
        counts = {
            "lines": len(lines),
            "empty_documents": found.empty,
            "skipped_lines": found.skipped_lines,
            "skipped_bytes": found.skipped_bytes,
            "cut_documents": int(part.goes_on),
        }
        return Scanned(replace(part, content=b""), lines, documents, counts)

    def encode(self, part: Part, dropped: NDArray[np.uint8], dropped_documents: NDArray[np.uint8]) -> EncodedPart:
        """The tokens of a part.

        Args:
            part: the part.
            dropped: for each of its lines whether it is left out.
            dropped_documents: for each of its documents whether it is left out.

        Raises:
            BertwrightError: BW553 the file changed since it was scanned.
        """
        documents = documents_of(part, skip_bad=self._skip_bad).lines
        if len(documents) != len(dropped_documents) or sum(map(len, documents)) != len(dropped):
            raise BertwrightError("BW553", file=part.path)
        marks = dropped.tolist()
        sentences: list[str] = []
        of_documents: list[int] = []
        at = dropped_lines = 0
        for document, is_dropped in zip(documents, dropped_documents.tolist()):
            before = len(sentences)
            if not is_dropped:
                for line, is_repeated in zip(document, marks[at : at + len(document)]):
                    if is_repeated:
                        dropped_lines += 1
                    else:
                        sentences += split_sentences(line)
                of_documents.append(len(sentences) - before)
            at += len(document)
        left_out = {"duplicate_documents": int(dropped_documents.sum()), "duplicate_lines": dropped_lines}
        return self._encode(sentences, np.array(of_documents, dtype=np.int64), left_out)

    def _encode(
        self, sentences: list[str], of_documents: NDArray[np.int64], left_out: Mapping[str, int]
    ) -> EncodedPart:
        ids: list[bytes] = []
        goes_on: list[bytes] = []
        for begin in range(0, len(sentences), _SENTENCES_AT_ONCE):
            some, going = self._encoder.encode(sentences[begin : begin + _SENTENCES_AT_ONCE])
            ids += some
            goes_on += going
        size = self.dtype.itemsize
        lengths = np.fromiter(map(len, ids), dtype=np.int64, count=len(ids)) // size
        # Sentences that hold nothing but characters which a BERT deletes are none.
        filled = np.concatenate([[0], np.cumsum(lengths > 0)])
        ends = np.cumsum(of_documents)
        of_documents = filled[ends] - filled[ends - of_documents]
        whole = b"".join(ids)
        return EncodedPart(
            ids=whole,
            goes_on=b"".join(goes_on),
            sentences=lengths[lengths > 0].astype(np.uint32),
            documents=of_documents[of_documents > 0].astype(np.uint32),
            counts={
                "unknown": int((np.frombuffer(whole, self.dtype) == self._unknown).sum()),
                "within_words": sum(one.count(1) for one in goes_on),
                "emptied_documents": int((of_documents == 0).sum()),
                **left_out,
            },
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """What there is to say of a tokenizer was said when the preparation began; not again by every process."""
    log = logging.getLogger("bertwright")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(level)
