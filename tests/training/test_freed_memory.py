"""Memory that is freed stays with the process while it is wanted, and goes back afterwards.

Each measurement has a process of its own: in one that has worked before, holes that other tests left in the heap decide
what the system is asked for.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

from bertwright.machine.freed_memory import _gnu_c_library, freed_memory_kept

SIZE = 1 << 24  # numbers: 64 MiB, 16,384 pages

PAGES_FILLED = f"""
import resource, torch
from bertwright.machine.freed_memory import freed_memory_kept

def pages_filled():
    for _ in range(10):  # the small pieces between aligned tensors are joined with their neighbours from the eighth on
        torch.ones({SIZE})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        torch.ones({SIZE})
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

plain = pages_filled()
with freed_memory_kept():
    print(pages_filled(), plain)
"""
RESIDENT = f"""
import pathlib, resource, torch
from bertwright.machine.freed_memory import freed_memory_kept

def resident():
    return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() >> 20

with freed_memory_kept():
    torch.ones({4 * SIZE})
    before = resident()
print(before, resident())
"""

gnu_only = pytest.mark.skipif(_gnu_c_library() is None, reason="only the GNU C library can be told")


def printed_by(program: str) -> tuple[int, int]:
    answer = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=120)
    first, second = map(int, answer.stdout.split())
    return first, second


@gnu_only
def test_the_next_tensor_gets_the_memory_of_the_last() -> None:
    kept, plain = printed_by(PAGES_FILLED)
    assert kept < plain / 4


@gnu_only
def test_at_the_end_it_goes_back() -> None:
    """In MiB."""
    kept, afterwards = printed_by(RESIDENT)
    assert afterwards < kept - 200


def test_an_error_comes_through() -> None:
    with pytest.raises(RuntimeError, match="told"), freed_memory_kept():
        raise RuntimeError("told")
