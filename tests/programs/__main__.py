"""How many programs run with our library, and how many give the numbers of the peer."""

from __future__ import annotations

import sys
import tempfile
import traceback
import warnings
from pathlib import Path

import transformers

import bertwright
from tests.programs.all_programs import PROGRAMS
from tests.programs.place import differences, make_checkpoint, run


def main(wanted: list[str]) -> None:
    """Run the programs whose names contain one of the words `wanted`, or all; say how each went."""
    warnings.simplefilter("ignore")
    chosen = {
        name: one
        for name, one in PROGRAMS.items()
        if not wanted or any(word in f"{one.__module__}.{name}" for word in wanted)
    }
    ran = equal = 0
    with tempfile.TemporaryDirectory() as place:
        base = make_checkpoint(Path(place) / "base")
        for name, program in chosen.items():
            theirs = run(program, transformers, base, Path(place) / "theirs")
            try:
                ours = run(program, bertwright, base, Path(place) / "ours")
            except Exception:
                print(f"{name}: stops\n{traceback.format_exc() if wanted else traceback.format_exc(limit=-2)}")
                continue
            ran += 1
            found = differences(ours, theirs)
            equal += not found
            for line in found[:3]:
                print(f"{name}: {line}")
    print(f"{len(chosen)} programs, {ran} run, {equal} give the numbers of the peer")


if __name__ == "__main__":
    main(sys.argv[1:])
