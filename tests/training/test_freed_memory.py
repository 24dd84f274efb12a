"""Memory that is freed stays with the process while it is wanted, and goes back afterwards."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest
import torch

from bertwright.machine.freed_memory import _gnu_c_library, freed_memory_kept

SIZE = 1 << 24  # numbers: 64 MiB, 16,384 pages

gnu_only = pytest.mark.skipif(_gnu_c_library() is None, reason="only the GNU C library can be told")


def pages_filled() -> int:
    """How many pages the system has to give for ten tensors, one after the other."""
    torch.ones(SIZE)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        torch.ones(SIZE)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def resident() -> int:
    """MiB of the process in memory."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize() >> 20


@gnu_only
def test_the_next_tensor_gets_the_memory_of_the_last() -> None:
    with freed_memory_kept():
        kept = pages_filled()
    plain = pages_filled()
    if plain < 5 * SIZE * 4 // resource.getpagesize():  # of ten tensors
        pytest.skip("earlier tests left a hole in the heap, in which a tensor finds its place without any help")
    assert kept < plain / 4


@gnu_only
def test_at_the_end_it_goes_back() -> None:
    with freed_memory_kept():
        torch.ones(4 * SIZE)
        before = resident()
    assert resident() < before - 200


def test_an_error_comes_through() -> None:
    with pytest.raises(RuntimeError, match="told"), freed_memory_kept():
        raise RuntimeError("told")
