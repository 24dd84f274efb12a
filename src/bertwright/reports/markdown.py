"""Markdown: tables, text without markup, and the settings of a run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from bertwright.wording import said, visible

_ADDRESS = re.compile(r"(https?|ftp|mailto|xmpp|www)([:.])", re.IGNORECASE)


class Markup(str):
    """Text that is Markdown already; every other one is data, in which nothing is markup."""

    __slots__ = ()


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table; `header` has a name for every column."""
    header = [cell(name) for name in header]
    lines = [header, ["---"] * len(header), *([cell(one) for one in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def cell(text: str) -> str:
    """One line in which a bar does not end the cell, and which holds no HTML, no picture, no link and no code."""
    line = _one_line(text)
    return (
        line if isinstance(text, Markup) else _escaped(line, "\\`<>|[]" if "](" in line or "][" in line else "\\`<>|")
    )


def plain(text: str) -> str:
    """One line in which nothing is markup."""
    return _escaped(_one_line(text), "\\`*_[]<>#|")


def bold(text: str) -> Markup:
    """A cell in bold letters."""
    return Markup(f"**{plain(text)}**")


def code(text: str) -> str:
    """What may stand between two backticks, or as a line of a fenced block: one line that ends neither."""
    return _one_line(text).replace("`", "'")


def _one_line(text: str) -> str:
    return visible(" ".join(text.split()))


def _escaped(line: str, marks: str) -> str:
    line = "".join(f"\\{one}" if one in marks else one for one in line)
    return _ADDRESS.sub(lambda found: f"{found[1]}\\{found[2]}", line)  # else they are links without any mark


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
        f"{name} = {code(place(value)) if isinstance(value, str) else _one_line(str(value))}"
        for name, value in settings.items()
        if value is not None
    )
    return f"{said('Every setting (also in `run.json`):')}\n\n```\n{listed}\n```"
