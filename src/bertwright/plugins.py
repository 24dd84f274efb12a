"""What has a name and is imported when it is asked for: tasks and engines, our own and those that packages bring."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from bertwright.errors import BertwrightError, hint
from bertwright.wording import shown


@functools.cache
def brought(group: str) -> dict[str, EntryPoint]:
    """The entry points of a group such as `bertwright.tasks`, by their names in alphabetical order."""
    return {one.name: one for one in sorted(entry_points(group=group), key=lambda one: one.name)}


@dataclass(frozen=True)
class Registry:
    """Names and where their objects are.

    Attributes:
        group: of the entry points by which packages bring others.
        ours: `module:object` by name.
        unknown: the code of the error for a name that nobody brings, with the name of its field.
    """

    group: str
    ours: Mapping[str, str]
    unknown: tuple[str, str]

    def names(self) -> tuple[str, ...]:
        """Our own, then those that packages bring; nothing is imported."""
        return (*self.ours, *(name for name in brought(self.group) if name not in self.ours))

    def load(self, name: str) -> Any:
        """The object of a name.

        Raises:
            BertwrightError: BW123 no task and BW132 no engine has that name; BW133 a package cannot be imported.
        """
        if name in self.ours:
            return EntryPoint(name, self.ours[name], self.group).load()
        known = self.names()
        if name not in known:
            code, field = self.unknown
            raise BertwrightError(code, known=shown(known), nearest=hint(name, known), **{field: name})
        one = brought(self.group)[name]
        try:
            return one.load()
        except Exception as error:  # whatever the code of a foreign package raises
            package = one.dist.name if one.dist else one.value
            reason = f"{type(error).__name__}: {error}"
            raise BertwrightError("BW133", package=package, group=one.group, name=name, reason=reason) from error
