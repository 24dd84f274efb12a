"""The one console of rich that everything is printed on: texts and labels of users stay as they are."""

from __future__ import annotations

from typing import Any

from rich.console import Console


def plain_console(**options: Any) -> Console:
    """A console that takes neither `:smile:` nor `[red]` in what it prints for more than characters."""
    return Console(emoji=False, markup=False, **options)
