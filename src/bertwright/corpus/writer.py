"""Shards as they grow: parts are appended, and what was flushed can be gone on from after any stop."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bertwright.corpus.document_ids import EncodedPart
from bertwright.corpus.store import PLACES, file_name

SHARD_TOKENS = 1 << 27


class ShardWriter:
    """Appends to the shards in a folder.

    Args:
        folder: where they are.
        dtype: of the ids.
        words: whether Chinese words are kept.
        state: what `flush` gave when it was last called: what was written later is cut away. None: begin.
        shard_tokens: a shard that has so many takes no further part.
    """

    def __init__(
        self,
        folder: Path,
        dtype: np.dtype[Any],
        *,
        words: bool,
        state: Mapping[str, Any] | None = None,
        shard_tokens: int = SHARD_TOKENS,
    ) -> None:
        self._folder = folder
        self._dtype = dtype
        self._words = words
        self._shard_tokens = shard_tokens
        state = state or {"shards": [], "bits": []}
        self.shards: list[dict[str, int]] = [dict(shard) for shard in state["shards"]]
        self._bits: NDArray[np.uint8] = np.array(state["bits"], dtype=np.uint8)  # of a byte that is not full
        self._touched: set[str] = set()
        if not self.shards:
            self._begin_shard()
        else:
            self._cut_back()

    def append(self, part: EncodedPart) -> None:
        """Append the tokens of a part."""
        if not part.ids:
            return  # all of it stood earlier: a shard must not be begun for nothing, since none may be empty
        if self.shards[-1]["tokens"] >= self._shard_tokens:
            self._fill_byte()
            self._begin_shard()
        shard = self.shards[-1]
        sentences = shard["tokens"] + np.cumsum(part.sentences, dtype=np.int64)
        documents = shard["sentences"] + np.cumsum(part.documents, dtype=np.int64)
        self._write("tokens", part.ids)
        self._write("sentences", sentences.astype(PLACES).tobytes())
        self._write("documents", documents.astype(PLACES).tobytes())
        if self._words:
            bits = np.concatenate([self._bits, np.frombuffer(part.goes_on, dtype=np.uint8)])
            full = len(bits) // 8 * 8
            self._write("words", np.packbits(bits[:full]).tobytes())
            self._bits = bits[full:]
        shard["tokens"] += len(part.ids) // self._dtype.itemsize
        shard["sentences"] += len(sentences)
        shard["documents"] += len(documents)

    def flush(self) -> dict[str, Any]:
        """Wait until the disk has everything; what to go on from."""
        for name in self._touched:
            descriptor = os.open(self._folder / name, os.O_RDWR)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        self._touched.clear()
        return {"shards": [dict(shard) for shard in self.shards], "bits": self._bits.tolist()}

    def close(self) -> list[str]:
        """Write what is left; the names of all files."""
        self._fill_byte()
        self.flush()
        kinds = ["tokens", "sentences", "documents", *(["words"] if self._words else [])]
        return [file_name(kind, number) for number in range(len(self.shards)) for kind in kinds]

    def _begin_shard(self) -> None:
        self.shards.append({"tokens": 0, "sentences": 0, "documents": 0})
        for kind in ("tokens", "words"):
            (self._folder / file_name(kind, len(self.shards) - 1)).unlink(missing_ok=True)
        for kind in ("sentences", "documents"):
            name = file_name(kind, len(self.shards) - 1)
            (self._folder / name).write_bytes(bytes(PLACES.itemsize))
            self._touched.add(name)

    def _fill_byte(self) -> None:
        if len(self._bits):
            self._write("words", np.packbits(self._bits).tobytes())
            self._bits = self._bits[:0]

    def _write(self, kind: str, content: bytes) -> None:
        name = file_name(kind, len(self.shards) - 1)
        with (self._folder / name).open("ab") as file:
            file.write(content)
        self._touched.add(name)

    def _cut_back(self) -> None:
        shard = self.shards[-1]
        sizes = {
            "tokens": shard["tokens"] * self._dtype.itemsize,
            "sentences": (shard["sentences"] + 1) * PLACES.itemsize,
            "documents": (shard["documents"] + 1) * PLACES.itemsize,
        }
        if self._words:
            sizes["words"] = shard["tokens"] // 8
        for kind, size in sizes.items():
            file = self._folder / file_name(kind, len(self.shards) - 1)
            if size or file.exists():
                os.truncate(file, size)
