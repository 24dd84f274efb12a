"""Settings with their defaults, as a list for people."""

from __future__ import annotations

from rich.table import Table

from bertwright.console import plain_console
from bertwright.settings import Settings
from bertwright.wording import said, worded


def print_settings(settings: type[Settings]) -> None:
    """Every setting, its default and what it is for."""
    table = Table(title=said("key=value, or lines of a recipe"), title_justify="left")
    for heading in (said("setting"), said("default"), said("meaning")):
        table.add_column(heading)
    for name, field in settings.model_fields.items():
        default = said("automatic") if field.default is None else str(field.default)
        table.add_row(name, default, worded(field.description or ""))
    plain_console().print(table)
