"""What is measured: the texts and the lengths of every benchmark, in one place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bertwright.data.examples import Example
from bertwright.tasks.classification import Classification


@dataclass(frozen=True)
class Workload:
    """A labelled data set, cut to a size.

    Attributes:
        folder: below the folder of the data sets.
        train, dev: its files.
        rows: training rows that are used, the first ones.
        dev_rows: rows that the score is computed on; None: all.
        max_length: tokens of a text that are read; the rest is cut off, for every system alike.
    """

    folder: str
    train: str
    dev: str
    rows: int
    dev_rows: int | None
    max_length: int

    def examples(self, data: Path) -> tuple[Sequence[Example], Sequence[Example]]:
        """Training and dev examples, of `data`, the folder that holds `en/` and `zh/`."""
        train, dev = (
            Classification.read(data / self.folder / name, None, labelled=True).examples
            for name in (self.train, self.dev)
        )
        return train[: self.rows], dev[: self.dev_rows]


WORKLOADS = {
    "sst2": Workload("en/sst2", "train.tsv", "dev.tsv", rows=8000, dev_rows=None, max_length=128),
    "imdb": Workload("en/imdb", "train.jsonl.xz", "test.jsonl.xz", rows=2000, dev_rows=64, max_length=512),
}


def drawn_lengths(name: str, count: int, seed: int = 0) -> NDArray[np.int64]:
    """Lengths of texts in tokens, for benchmarks that need no words.

    Args:
        name: `S` short sentences (38.9 ± 13.9 characters, about 4.5 a token); `M` normal around 256 ± 128, from 8 to
            512; `W` pairs of a pre-training stream, even from 8 to 492 and a fiftieth full, mean 255; `F` all 512: no
            padding to win.
        count: how many.
        seed: of the draw.
    """
    draw = np.random.default_rng((seed, count))
    if name == "S":
        return np.clip(draw.normal(38.9, 13.9, count) / 4.5 + 2, 3, 64).round().astype(np.int64)
    if name == "M":
        return np.clip(draw.normal(256, 128, count), 8, 512).round().astype(np.int64)
    if name == "W":
        return np.where(draw.random(count) < 0.02, 512, draw.integers(8, 492, count, endpoint=True)).astype(np.int64)
    if name == "F":
        return np.full(count, 512, dtype=np.int64)
    raise ValueError(f"no such distribution: {name}")


def histogram(lengths: Sequence[int] | NDArray[np.int64]) -> str:
    """Lengths in one line: percentiles and mean."""
    marks = (5, 25, 50, 75, 95, 100)
    values = np.percentile(lengths, marks).round().astype(int)
    shown = ", ".join(f"{mark} %: {value}" for mark, value in zip(marks, values))
    return f"{len(lengths)} texts, mean {np.mean(lengths):.1f} tokens ({shown})"
