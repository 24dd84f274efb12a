"""How large a store will be, from the beginning of a few files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from bertwright.checkpoint.hub import weights_folder
from bertwright.corpus.document_ids import EncodingJob
from bertwright.corpus.parts import Source, corpus_files, read_parts
from bertwright.corpus.prepare_settings import PrepareSettings
from bertwright.corpus.store import PLACES

_FILES_LOOKED_AT = 4
_BYTES_LOOKED_AT = 1 << 19


@dataclass(frozen=True, slots=True)
class Estimate:
    """What is to be expected.

    Attributes:
        files: how many there are.
        corpus_bytes: as they lie on the disk.
        tokens: about so many, before repetition is dropped.
        store_bytes: of the store, about.
    """

    files: int
    corpus_bytes: int
    tokens: int
    store_bytes: int


def estimate_store(
    paths: Sequence[str | Path], vocabulary: str | Path, settings: PrepareSettings, *, download: bool = False
) -> Estimate:
    """Encode the beginning of up to four files, spread over the corpus; errors as `prepare_corpus`."""
    files = corpus_files(paths)
    folder = weights_folder(vocabulary, download=download, vocabulary=True, any_kind=True)
    reader = EncodingJob(folder, settings.skip_bad).make()
    looked_at = files[:: max(len(files) // _FILES_LOOKED_AT, 1)][:_FILES_LOOKED_AT]
    read = tokens = sentences = 0
    for file in looked_at:
        source = Source((file,), settings.documents, settings.field, settings.encoding, settings.skip_bad)
        for part in islice(read_parts(source, _BYTES_LOOKED_AT), 1):
            scanned = reader.scan(part)
            nothing = (np.zeros(len(hashes), dtype=np.uint8) for hashes in (scanned.lines, scanned.documents))
            encoded = reader.encode(part, *nothing)
            read += part.read
            tokens += int(encoded.sentences.sum())
            sentences += len(encoded.sentences)
    size = sum(file.stat().st_size for file in files)
    scale = size / max(read, 1)
    each = reader.dtype.itemsize + (1 / 8 if settings.finds_words else 0)
    stored = tokens * each + sentences * PLACES.itemsize
    return Estimate(len(files), size, round(tokens * scale), round(stored * scale))
