"""What packages bring: tasks and engines, by entry points. Their names are known without importing them."""

from __future__ import annotations

import functools
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from bertwright.errors import BertwrightError


@functools.cache
def brought(group: str) -> dict[str, EntryPoint]:
    """The entry points of a group such as `bertwright.tasks`, by their names in alphabetical order."""
    return {one.name: one for one in sorted(entry_points(group=group), key=lambda one: one.name)}


def load(one: EntryPoint) -> Any:
    """What an entry point names.

    Raises:
        BertwrightError: BW133 it cannot be imported.
    """
    try:
        return one.load()
    except Exception as error:  # whatever the code of a foreign package raises
        package = one.dist.name if one.dist else one.value
        reason = f"{type(error).__name__}: {error}"
        raise BertwrightError("BW133", package=package, group=one.group, name=one.name, reason=reason) from error
