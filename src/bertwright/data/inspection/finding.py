"""`Finding`: one thing that a person should know about their data, with its places."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from bertwright.data.examples import Where, places_listed
from bertwright.wording import said

Severity = Literal["note", "warning"]


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
        return said("{message}: {places}", message=self.message, places=places_listed(self.places, self.earlier))

    @property
    def is_news(self) -> bool:
        """Whether `Table.summary` has not said it already."""
        return self.kind not in ("empty", "undecided")

    def to_json(self) -> dict[str, Any]:
        """A JSON object with every place."""
        found: dict[str, Any] = {"kind": self.kind, "severity": self.severity, "message": self.message}
        if self.places:
            found["places"] = [str(place) for place in self.places]
        if self.earlier:
            found["earlier"] = [str(place) for place in self.earlier]
        return found
