"""Corpus files to a store: scanned for repetition, encoded, written; in constant memory, by all cores, resumable.

The store is a function of the files, the vocabulary and the settings: the number of workers and any stops between
change no byte of it.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bertwright.checkpoint.folders import MANIFEST
from bertwright.checkpoint.hub import weights_folder
from bertwright.checkpoint.lock import sole_writer
from bertwright.checkpoint.replacing import settle, write_text
from bertwright.corpus.document_ids import EncodingJob, PartReader, Scanned
from bertwright.corpus.journal import Column, Journal
from bertwright.corpus.manifest import describe_store, job_digest, made_from
from bertwright.corpus.parts import PART_BYTES, Part, Source, corpus_files, read_parts, reading_pool
from bertwright.corpus.prepare_settings import PrepareSettings
from bertwright.corpus.repeats import HASHES_IN_MEMORY, mark_repeats
from bertwright.corpus.store import VOCABULARY, CorpusStore, id_type
from bertwright.corpus.writer import SHARD_TOKENS, ShardWriter
from bertwright.errors import BertwrightError
from bertwright.machine.pool import Pool
from bertwright.text.chinese_words import read_words
from bertwright.text.tokenizer.tokenizer import BertTokenizer

# What may pass: a disk, a process, a network drive. After any other mistake another job begins.
_MAY_PASS = ("BW202", "BW501", "BW550", "BW552")
_MANY_LINES = 1000
Report = Callable[[str, float], None]


def prepare_corpus(
    paths: str | Path | Sequence[str | Path],
    vocabulary: str | Path,
    out: str | Path,
    settings: PrepareSettings | None = None,
    *,
    workers: int = 1,
    resume: bool = False,
    overwrite: bool = False,
    download: bool = False,
    report: Report | None = None,
    part_bytes: int = PART_BYTES,
    shard_tokens: int = SHARD_TOKENS,
    hashes_in_memory: int = HASHES_IN_MEMORY,
) -> CorpusStore:
    """Read a corpus and write its store.

    Args:
        paths: text files, JSON lines, Parquet files, compressed or not, and folders of them.
        vocabulary: a model folder or name: its tokenizer gives the ids.
        out: the folder of the store.
        settings: see there.
        workers: how many processes work; the result does not depend on it.
        resume: go on where the same preparation was stopped.
        overwrite: replace a store.
        download: fetch a `vocabulary` that is on the hub and not on this machine.
        report: called with `scanning` or `encoding` and the share of it that is done.
        part_bytes, shard_tokens: what is worked at, and written to one file, at a time; they decide the result.
        hashes_in_memory: how many hashes of lines are compared at a time.

    Returns:
        The store; `manifest["ledger"]` says what became of the corpus.

    Raises:
        BertwrightError: BW128, BW290 Chinese words; BW201 to BW203, BW231, BW232, BW234, BW235, BW281 to BW286, BW295
            the corpus; BW280 a file without blank lines; BW291 no text; BW292 no Chinese word; BW301, BW302, BW401 the
            vocabulary; BW503, BW504, BW550 to BW554, BW561, BW576 the work.
    """
    if resume and overwrite:
        raise BertwrightError("BW561")
    settings = settings or PrepareSettings()
    out = Path(out)
    folder = weights_folder(vocabulary, download=download, vocabulary=True, any_kind=True)
    tokenizer = BertTokenizer.from_pretrained(folder)
    _ = tokenizer.mask_token_id  # without [MASK] nothing can be trained with the store
    files = corpus_files(paths, out)
    words = tuple(read_words(settings.words)) if settings.words is not None else ()
    job = EncodingJob(folder, settings.skip_bad, settings.finds_words, settings.wwm, words)
    source = Source(files, settings.documents, settings.field, settings.encoding, settings.skip_bad)
    said = made_from(files, settings, tokenizer, words, part_bytes, shard_tokens)
    with _disk_errors(out), sole_writer(out):
        journal = Journal(out, job_digest(said), resume=resume, overwrite=overwrite)
        if journal.finished:
            return CorpusStore.open(out, tokenizer)
        work = _Preparation(source, journal, settings, part_bytes, report)
        try:
            with reading_pool(job.make, workers) as pool:
                if journal.state["stage"] == "scan":
                    work.scan(pool, hashes_in_memory)
                if journal.state["stage"] == "encode":
                    writer = ShardWriter(
                        journal.folder, id_type(tokenizer), words=settings.finds_words,
                        state=journal.state.get("shards"), shard_tokens=shard_tokens,
                    )  # fmt: skip
                    work.encode(pool, writer)
                    manifest = describe_store(journal.folder, said, work.counts, writer, tokenizer, settings)
                    journal.save(stage="finish", manifest=manifest)
        except BertwrightError as error:
            if error.code not in _MAY_PASS:
                journal.discard()
            raise
        tokenizer.save_pretrained(out / VOCABULARY)
        _finish(out, journal)
    return CorpusStore.open(out, tokenizer, verify=False)


class _Preparation:
    """The two readings of a corpus."""

    def __init__(
        self, source: Source, journal: Journal, settings: PrepareSettings, part_bytes: int, report: Report | None
    ) -> None:
        self._source = source
        self._journal = journal
        self._settings = settings
        self._part_bytes = part_bytes
        self._report = report
        sizes = [file.stat().st_size for file in source.files]
        self._before = np.concatenate([[0], np.cumsum(sizes)])
        self.counts: Counter[str] = Counter(journal.state.get("counts"))

    def _parts(self, stage: str, skip: int) -> Iterator[Part]:
        for part in read_parts(self._source, self._part_bytes):
            if part.index >= skip:
                yield part
            share = (self._before[part.file] + part.read) / max(int(self._before[-1]), 1)
            if self._report is not None:
                self._report(stage, min(float(share), 1.0))

    # First reading

    def scan(self, pool: Pool[PartReader], hashes_in_memory: int) -> None:
        """Hash every line and document; then mark those that stand earlier."""
        journal = self._journal
        sizes = journal.state.get("columns", [0, 0, 0])
        lines = Column(journal.folder / "lines.u64", "<u8", sizes[0])
        documents = Column(journal.folder / "documents.u64", "<u8", sizes[1])
        of_parts = Column(journal.folder / "parts.u32", "<u4", sizes[2])
        of_file = _FileShape(self._source, journal.state.get("file", [-1, 0, 0]))
        first = done = journal.state["parts"]

        def save() -> None:
            columns = [lines.flush(), documents.flush(), of_parts.flush()]
            journal.save(parts=done, columns=columns, counts=self.counts, file=of_file.state)

        for scanned in pool.map(PartReader.scan, ((part,) for part in self._parts("scanning", first))):
            of_file.take(scanned)
            lines.append(scanned.lines)
            documents.append(scanned.documents)
            of_parts.append(np.array([len(scanned.lines), len(scanned.documents)]))
            self.counts.update(scanned.counts)
            done += 1
            if journal.is_due():
                save()
        of_file.close()
        if lines.count == 0:
            raise BertwrightError("BW291", source=", ".join(map(str, self._source.files[:3])))
        save()
        self._mark(lines.path, documents.path, hashes_in_memory)
        journal.save(stage="encode", parts=0, counts=self.counts)

    def _mark(self, lines: Path, documents: Path, hashes_in_memory: int) -> None:
        repeats = self._settings.repeats
        for file, dropped in ((lines, repeats == "drop"), (documents, repeats != "keep")):
            marks = file.with_suffix(".marks")
            if dropped:
                mark_repeats(file, marks, hashes_in_memory)
            else:
                with marks.open("wb") as stream:
                    stream.truncate(file.stat().st_size // 8)

    # Second reading

    def encode(self, pool: Pool[PartReader], writer: ShardWriter) -> None:
        """Give every part to the workers with its marks, and write what they make of it."""
        journal = self._journal
        folder = journal.folder
        of_parts = np.fromfile(folder / "parts.u32", dtype="<u4").reshape(-1, 2).astype(np.int64)
        ends = np.concatenate([[[0, 0]], np.cumsum(of_parts, axis=0)])
        line_marks = np.memmap(folder / "lines.marks", dtype=np.uint8, mode="r")
        document_marks = np.memmap(folder / "documents.marks", dtype=np.uint8, mode="r")
        first = done = journal.state["parts"]

        def arguments() -> Iterator[tuple[Part, NDArray[np.uint8], NDArray[np.uint8]]]:
            for part in self._parts("encoding", first):
                if part.index >= len(of_parts):
                    raise BertwrightError("BW553", file=part.path)
                (line, document), (line_end, document_end) = ends[part.index], ends[part.index + 1]
                yield part, np.array(line_marks[line:line_end]), np.array(document_marks[document:document_end])

        for encoded in pool.map(PartReader.encode, arguments()):
            writer.append(encoded)
            self.counts.update(encoded.counts)
            done += 1
            if journal.is_due():
                journal.save(shards=writer.flush(), parts=done, counts=self.counts)
        if done != len(of_parts):
            raise BertwrightError("BW553", file=self._source.files[-1])
        if self._settings.finds_words and not self.counts["within_words"]:
            raise BertwrightError("BW292", source=", ".join(map(str, self._source.files[:3])))


class _FileShape:
    """Looks out for a long text file without a blank line: nobody can say where its documents end."""

    def __init__(self, source: Source, state: Sequence[int]) -> None:
        self._source = source
        self.state = list(state)  # the number of a file, its lines, its documents

    def take(self, scanned: Scanned) -> None:
        """Count a part."""
        part = scanned.part
        if part.file != self.state[0]:
            self.close()
            self.state = [part.file, 0, 0]
        if part.kind == "text":
            self.state[1] += len(scanned.lines)
            # The pieces of a document that was cut are one.
            self.state[2] += len(scanned.documents) - int(part.goes_on)

    def close(self) -> None:
        """The file is at its end; raises BW280 where its many lines are one document."""
        number, lines, documents = self.state
        if self._source.documents == "blank" and documents <= 1 and lines > _MANY_LINES:
            raise BertwrightError("BW280", file=self._source.files[number], lines=lines)


def _finish(out: Path, journal: Journal) -> None:
    """Give every file its name, the manifest last."""
    manifest = journal.state["manifest"]
    for name in manifest["files"]:
        if (journal.folder / name).exists():
            settle(journal.folder / name, out / name)
    write_text(out / MANIFEST, json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")
    shutil.rmtree(journal.folder)


@contextmanager
def _disk_errors(out: Path) -> Iterator[None]:
    """A full disk, or one that may not be written to, is told in a sentence."""
    try:
        yield
    except BertwrightError as error:
        if error.code == "BW501":
            raise BertwrightError("BW552", folder=out, reason=error.fields["reason"]) from error
        raise
    except OSError as error:
        raise BertwrightError("BW552", folder=out, reason=error.strerror or error) from error
