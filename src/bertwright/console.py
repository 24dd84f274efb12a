"""The one console of rich that everything is printed on: texts and labels of users stay as they are."""

from __future__ import annotations

import logging
from typing import Any

from rich.console import Console


def plain_console(**options: Any) -> Console:
    """A console that takes neither `:smile:` nor `[red]` in what it prints for more than characters."""
    return Console(emoji=False, markup=False, **options)


def remarks_console() -> Console:
    """The one on stderr for how far something is; silent where only warnings are wanted."""
    return plain_console(stderr=True, quiet=not logging.getLogger("bertwright").isEnabledFor(logging.INFO))
