"""The verb `doctor`: what this machine is, what works, what is missing."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from bertwright.doctor.probe import Finding

_NAME_WIDTH = 30
_MARK_WIDTH = 9


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
    from bertwright.doctor.examination import examine, is_ready
    from bertwright.doctor.probe import Mark
    from bertwright.version import __version__

    findings = []
    section = ""
    for finding in examine(offline_proof=offline_proof):
        findings.append(finding)
        if as_json:
            continue
        if finding.section != section:
            _say(("\n" if section else "") + finding.section)
            section = finding.section
        for line in _lines(finding):
            _say(line)
    ready = is_ready(findings)
    if as_json:
        document = {"version": __version__, "ready": ready, "findings": [one.to_json() for one in findings]}
        typer.echo(json.dumps(document, indent=2))  # ASCII: a terminal that cannot print Chinese is a finding, too
    elif ready:
        _say("\nbertwright can train and predict here")
    else:
        missing = ", ".join(one.name for one in findings if one.mark is Mark.MISSING)
        _say(f"\nsomething is missing: {missing}")
    if not ready:
        raise typer.Exit(1)


def _lines(finding: Finding) -> Iterator[str]:
    """Mark, name and value, and the hint below; long ones are broken where there is a terminal to fit."""
    begin = f"  {finding.mark:<{_MARK_WIDTH}}{finding.name:<{_NAME_WIDTH - 1}} "
    below = " " * (2 + _MARK_WIDTH + _NAME_WIDTH)
    width = max(shutil.get_terminal_size().columns, 80) if sys.stdout.isatty() else sys.maxsize
    for text, first, further in ((finding.value, begin, below), (finding.hint, f"{below}-> ", f"{below}   ")):
        yield from textwrap.wrap(
            text,
            width,
            initial_indent=first,
            subsequent_indent=further,
            break_long_words=False,
            break_on_hyphens=False,
        )


def _say(line: str) -> None:
    """Print a line even where the terminal lacks some of its characters."""
    encoding = sys.stdout.encoding or "ascii"
    typer.echo(line.encode(encoding, "backslashreplace").decode(encoding))
    sys.stdout.flush()
