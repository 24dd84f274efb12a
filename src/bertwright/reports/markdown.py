"""Markdown: tables, text without markup, and the settings of a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from bertwright.wording import said


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table; `header` has a name for every column."""
    header = [cell(name) for name in header]
    lines = [header, ["---"] * len(header), *([cell(one) for one in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def cell(text: str) -> str:
    """One line in which a bar does not end the cell."""
    return " ".join(text.replace("\\|", "|").split()).replace("|", "\\|")


def plain(text: str) -> str:
    """One line in which nothing is markup."""
    return "".join(f"\\{one}" if one in "\\`*_[]<>#|" else one for one in " ".join(text.split()))


def place(name: str) -> str:
    """A file or folder as a card names it: nobody's home stands in what is given away. Below the current folder its
    path from there, elsewhere its last part; what is no absolute path as it is.
    """
    path = Path(name)
    if not path.is_absolute():
        return name
    here = Path.cwd()
    return path.relative_to(here).as_posix() if path.is_relative_to(here) and path != here else path.name


def evaluations(rows: Iterable[Mapping[str, Any]]) -> str:
    """The rows of `metrics.csv` below a blank line; nothing where there are none."""
    rows = list(rows)
    header = list(rows[0]) if rows else []
    return "\n\n" + table(header, [[str(row.get(name, "")) for name in header] for row in rows]) if rows else ""


def every_setting(settings: Mapping[str, Any]) -> str:
    """What a run was told and what was decided, line by line."""
    listed = "\n".join(
        f"{name} = {place(value) if isinstance(value, str) else value}"
        for name, value in settings.items()
        if value is not None
    )
    return f"{said('Every setting (also in `run.json`):')}\n\n```\n{listed}\n```"
