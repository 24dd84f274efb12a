"""Every program gives the same numbers with both libraries."""

from __future__ import annotations

from pathlib import Path

import pytest
import transformers

import bertwright
from tests.programs.all_programs import PROGRAMS
from tests.programs.place import differences, make_checkpoint, run


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_checkpoint(tmp_path_factory.mktemp("programs") / "base")


@pytest.mark.filterwarnings("default")  # of the peers, and of what people's programs do
@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_a_program_runs_and_gives_the_numbers_of_the_peer(name: str, base: Path, tmp_path: Path) -> None:
    program = PROGRAMS[name]
    theirs = run(program, transformers, base, tmp_path / "theirs")
    ours = run(program, bertwright, base, tmp_path / "ours")
    assert differences(ours, theirs) == []
