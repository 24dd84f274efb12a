"""Jobs that are killed and resumed end with the bits of jobs that nobody interrupted."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.conftest import REPOSITORY


def kill_points(*words: str) -> str:
    program = [sys.executable, "-m", "tests.flows.kill_points", *words]
    result = subprocess.run(program, capture_output=True, text=True, cwd=REPOSITORY, timeout=3000, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.mark.parametrize(("job", "points"), [("finetune", 3), ("prepare", 4), ("pretrain", 2)])
def test_a_few_kills_at_calls_to_the_system_and_by_the_clock(job: str, points: int) -> None:
    assert f"{points} equal endings" in kill_points("--job", job, "--points", str(points))


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        ("--job", "finetune", "--points", "20"),
        ("--job", "prepare", "--points", "50"),
        ("--job", "prepare", "--points", "50", "--workers", "2", "--seed", "7"),
        ("--job", "pretrain", "--points", "50"),
        ("--job", "pretrain", "--points", "16", "--workers", "1", "--seed", "7"),
    ],
    ids=" ".join,
)
def test_many_kills_at_calls_to_the_system_and_by_the_clock(words: tuple[str, ...]) -> None:
    assert f"{words[3]} equal endings" in kill_points(*words)
