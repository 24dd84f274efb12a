"""Repeats by hash, against a plain set."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from bertwright.corpus.repeats import hash_lines, mark_repeats


def test_hashes_are_of_the_lines_and_of_their_order() -> None:
    lines, whole = hash_lines([["a", "b"], ["b", "a"], ["a", "b"], ["a"]])
    assert lines.tolist() == [lines[0], lines[1], lines[1], lines[0], lines[0], lines[1], lines[0]]
    assert whole[0] == whole[2] != whole[1]
    assert len(set(whole.tolist())) == 3
    again, _ = hash_lines([["a"]])
    assert again[0] == lines[0], "the same in every process"
    assert hash_lines([])[0].tolist() == []


@pytest.mark.parametrize("in_memory", [7, 64, 100_000])
@pytest.mark.parametrize("seed", range(5))
def test_marks_are_those_of_a_set(tmp_path: Path, in_memory: int, seed: int) -> None:
    draw = random.Random(seed)
    pool = [draw.getrandbits(64) for _ in range(300)]
    values = [draw.choice(pool) for _ in range(draw.choice([0, 1, 1000]))]
    np.array(values, dtype="<u8").tofile(tmp_path / "hashes")
    count = mark_repeats(tmp_path / "hashes", tmp_path / "marks", in_memory)
    seen: set[int] = set()
    expected = []
    for value in values:
        expected.append(int(value in seen))
        seen.add(value)
    assert list((tmp_path / "marks").read_bytes()) == expected
    assert count == sum(expected)
    assert {path.name for path in tmp_path.iterdir()} == {"hashes", "marks"}
