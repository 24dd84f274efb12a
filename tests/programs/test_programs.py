"""Every program gives the same numbers with both libraries."""

from __future__ import annotations

from pathlib import Path

import pytest
import transformers

import bertwright
from tests.programs.all_programs import PROGRAMS
from tests.programs.place import differences, run

LONG = {"a_compiled_model"}  # tests/model/test_recorded.py has the short one
NAMES = [pytest.param(name, marks=[pytest.mark.slow] if name in LONG else []) for name in sorted(PROGRAMS)]


@pytest.mark.filterwarnings("ignore")  # of the peers, and of what people's programs do
@pytest.mark.parametrize("name", NAMES)
def test_a_program_runs_and_gives_the_numbers_of_the_peer(name: str, base: Path, tmp_path: Path) -> None:
    program = PROGRAMS[name]
    theirs = run(program, transformers, base, tmp_path / "theirs")
    ours = run(program, bertwright, base, tmp_path / "ours")
    assert differences(ours, theirs) == []


def test_every_pattern_of_the_field_has_a_program() -> None:
    assert len(PROGRAMS) >= 100
