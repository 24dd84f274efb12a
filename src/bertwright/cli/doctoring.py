"""The verb `doctor`: what this machine is, what works, what is missing."""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import shutil
import sys
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer
from rich.cells import cell_len

from bertwright.wording import said, shown, worded

if TYPE_CHECKING:
    from bertwright.doctor.probe import Finding

_VALUES = 41  # the column where they begin


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    offline_proof: Annotated[
        bool, typer.Option("--offline-proof", help="Also prove that nothing used the network.")
    ] = False,
) -> None:
    """Tell what this machine is, what works here and what is missing; train a tiny model as proof.

    Exit code 0: this toolkit can train and predict here; 1: something is missing.

    Example:

      bertwright doctor --offline-proof
    """
    from bertwright.doctor.examination import examine
    from bertwright.doctor.probe import Mark
    from bertwright.version import __version__

    if as_json:
        os.environ["BERTWRIGHT_LANG"] = "en"  # scripts look for names
    findings: list[dict[str, str]] = []
    tell = _keep_quiet if as_json else _say
    for section, found in itertools.groupby(examine(offline_proof=offline_proof), key=lambda pair: pair[0]):
        tell(worded(section))
        for _, finding in found:
            findings.append({"section": section} | dataclasses.asdict(finding))
            for line in _lines(finding):
                tell(line)
        tell("")
    missing = [one["name"] for one in findings if one["mark"] == Mark.MISSING]
    if missing:
        tell(said("something is missing: {listed}", listed=shown(missing, 20)))
    else:
        tell(said("bertwright can train and predict here"))
    if as_json:
        document = {"version": __version__, "ready": not missing, "findings": findings}
        typer.echo(json.dumps(document, indent=2))  # ASCII: a terminal that cannot print Chinese is a finding, too
    raise typer.Exit(1 if missing else 0)


def _lines(finding: Finding) -> Iterator[str]:
    """Mark, name and value, and the hint below; long ones are broken where there is a terminal to fit."""
    width = max(shutil.get_terminal_size().columns, 80) if sys.stdout.isatty() else sys.maxsize
    begin, below = _padded(f"  {_padded(worded(finding.mark), 9)}{finding.name}", _VALUES), " " * _VALUES
    for text, first, further in ((finding.value, begin, below), (finding.hint, f"{below}-> ", f"{below}   ")):
        yield from textwrap.TextWrapper(width, first, further, break_long_words=False, break_on_hyphens=False).wrap(
            text
        )


def _padded(text: str, width: int) -> str:
    """`text` in so many columns of a terminal, in which a Han character takes two; a space at least behind it."""
    return text + " " * max(width - cell_len(text), 1)


def _keep_quiet(_: str) -> None: ...


def _say(line: str) -> None:
    """Print a line even where the terminal lacks some of its characters."""
    encoding = sys.stdout.encoding or "ascii"
    typer.echo(line.encode(encoding, "backslashreplace").decode(encoding))
    sys.stdout.flush()
