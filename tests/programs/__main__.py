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
    """Run the programs whose names, or those of their files, contain one of the words `wanted`; say how each went."""
    warnings.simplefilter("ignore")
    names = {name: f"{program.__module__}.{name}" for name, program in PROGRAMS.items()}
    chosen = [name for name in PROGRAMS if not wanted or any(word in names[name] for word in wanted)]
    ran = equal = 0
    with tempfile.TemporaryDirectory() as place:
        base = make_checkpoint(Path(place) / "base")
        for name in chosen:
            theirs = run(PROGRAMS[name], transformers, base, Path(place) / "theirs")
            try:
                ours = run(PROGRAMS[name], bertwright, base, Path(place) / "ours")
            except Exception:
                print(f"{name}: stops\n{traceback.format_exc(limit=-3)[-3000:]}")
                continue
            ran += 1
            found = differences(ours, theirs)
            equal += not found
            for line in found[:3]:
                print(f"{name}: {line}")
    print(f"{len(chosen)} programs, {ran} run, {equal} give the numbers of the peer")


if __name__ == "__main__":
    main(sys.argv[1:])
