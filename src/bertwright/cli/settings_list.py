"""Settings with their defaults, as a list for people."""

from __future__ import annotations

from rich.table import Table

from bertwright.console import plain_console
from bertwright.settings import Settings
from bertwright.wording import said, worded


def print_settings(settings: type[Settings]) -> None:
    """Every setting, its default and what it is for."""
    table = Table(
        worded("setting"),
        worded("default"),
        worded("meaning"),
        title=said("key=value, or lines of a recipe"),
        title_justify="left",
    )
    for name, field in settings.model_fields.items():
        table.add_row(
            name, worded("automatic") if field.default is None else str(field.default), worded(field.description or "")
        )
    plain_console().print(table)
