"""Documents and lines that say exactly what an earlier one says: found by hashes, in bounded memory.

The rule: a document whose lines are those of an earlier document, in the same order, is dropped; of the others, a line
that stands anywhere earlier in the corpus is dropped. Lines are compared without the white space around them. Equal
means an equal 64-bit BLAKE2b hash: among a thousand million different lines the chance that any two share one is 3 %.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
HASHES_IN_MEMORY = 1 << 18
_HASH_BYTES = 8
_INDEX_AND_HASH = np.dtype([("hash", "<u8"), ("index", "<u8")])


def hash_lines(documents: Sequence[Sequence[str]]) -> tuple[Hashes, Hashes]:
    """The hashes of all lines, end to end, and of the documents."""
    blake = hashlib.blake2b
    lines: list[bytes] = []
    whole: list[bytes] = []
    for document in documents:
        of_document = [blake(line.encode(), digest_size=_HASH_BYTES).digest() for line in document]
        lines += of_document
        whole.append(
            of_document[0] if len(of_document) == 1 else blake(b"".join(of_document), digest_size=_HASH_BYTES).digest()
        )
    return np.frombuffer(b"".join(lines), dtype="<u8"), np.frombuffer(b"".join(whole), dtype="<u8")


def mark_repeats(file: Path, marks: Path, in_memory: int = HASHES_IN_MEMORY) -> int:
    """Write a byte for each of the hashes in `file`: 1 where the same hash stands earlier; returns how many do.

    At most about `in_memory` hashes are looked at together: more are first dealt out into files by their highest
    bits, beside `marks`.
    """
    hashes = np.memmap(file, dtype="<u8", mode="r") if file.stat().st_size else np.empty(0, dtype="<u8")
    with marks.open("wb") as stream:
        stream.truncate(len(hashes))
    if len(hashes) == 0:
        return 0
    found = np.memmap(marks, dtype=np.uint8, mode="r+")
    count = 0
    for places in _groups(hashes, marks, in_memory):
        count += len(places)
        found[places] = 1
    found.flush()
    return count


def _groups(hashes: Hashes, beside: Path, in_memory: int) -> Iterator[NDArray[np.uint64]]:
    """The places of repeats, group by group."""
    bits = max(int(np.ceil(np.log2(len(hashes) / in_memory))), 0)
    if bits == 0:
        yield _later(np.array(hashes), np.arange(len(hashes), dtype=np.uint64))
        return
    files = [beside.with_name(f"{beside.name}.{group}") for group in range(1 << bits)]
    for file in files:
        file.unlink(missing_ok=True)
    for begin in range(0, len(hashes), in_memory):
        part = np.empty(min(in_memory, len(hashes) - begin), dtype=_INDEX_AND_HASH)
        part["hash"] = hashes[begin : begin + len(part)]
        part["index"] = np.arange(begin, begin + len(part), dtype=np.uint64)
        group_of = (part["hash"] >> np.uint64(64 - bits)).astype(np.int64)
        part = part[np.argsort(group_of, kind="stable")]
        ends = np.cumsum(np.bincount(group_of, minlength=1 << bits))
        for file, members in zip(files, np.split(part, ends[:-1])):
            with file.open("ab") as stream:
                members.tofile(stream)
    for file in files:
        members = np.fromfile(file, dtype=_INDEX_AND_HASH)
        yield _later(members["hash"], members["index"])
        file.unlink()


def _later(hashes: Hashes, places: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The places, which ascend, of hashes that stand at an earlier one, too."""
    order = np.argsort(hashes, kind="stable")
    ordered = hashes[order]
    again = np.flatnonzero(ordered[1:] == ordered[:-1]) + 1
    return places[order[again]]
