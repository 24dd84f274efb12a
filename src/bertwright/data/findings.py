"""`Finding`: one thing that a person should know about their data, with its places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bertwright.data.examples import Where
from bertwright.errors import shown

Severity = Literal["note", "warning"]
_PLACES_IN_A_LINE = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found.

    Attributes:
        kind: its fixed name, such as `duplicates`.
        severity: `warning` where it probably harms the training or its figures.
        message: one sentence, without the places.
        places: all of them.
        earlier: for each place the earlier one that it repeats or contradicts; empty where there is no such thing.
    """

    kind: str
    severity: Severity
    message: str
    places: tuple[Where, ...] = ()
    earlier: tuple[Where, ...] = ()

    def line(self) -> str:
        """The sentence with the first places."""
        if not self.places:
            return self.message
        listed: Sequence[object] = self.places
        if self.earlier:
            # In a long path twice over nobody finds the line.
            listed = [
                f"{place} (see {f'line {first.line}' if first.source == place.source else first})"
                for place, first in zip(self.places, self.earlier)
            ]
        return f"{self.message}: {shown(listed, _PLACES_IN_A_LINE)}"

    def to_json(self) -> dict[str, Any]:
        """A JSON object with every place."""
        found: dict[str, Any] = {"kind": self.kind, "severity": self.severity, "message": self.message}
        if self.places:
            found["places"] = [str(place) for place in self.places]
        if self.earlier:
            found["earlier"] = [str(place) for place in self.earlier]
        return found
