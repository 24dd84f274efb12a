"""A finding, its mark, and probes that never break."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from bertwright.errors import BertwrightError
from bertwright.wording import said


class Mark(StrEnum):
    """How a finding is meant.

    `MISSING` is something without which this toolkit cannot train and predict here (or a promise that was not
    kept); `NOTE` is worth knowing, and nothing stops because of it.
    """

    OK = "ok"
    NOTE = "note"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report.

    Attributes:
        name: what was looked at.
        value: what was found, on one line.
        mark: how it is meant.
        hint: what to do about it; empty where there is nothing to do.
    """

    name: str
    value: str
    mark: Mark = Mark.OK
    hint: str = ""


Probe = Callable[[], Iterable[Finding]]


def noted(name: str, value: str, hint: str) -> Finding:
    """A finding that is worth a note where there is a hint, and well where there is none."""
    return Finding(name, value, Mark.NOTE if hint else Mark.OK, hint)


def ask(probe: Probe) -> list[Finding]:
    """What a probe finds; where it breaks, what it found until then and the reason."""
    found: list[Finding] = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found.extend(probe())
    except Exception as error:  # whatever a strange machine answers is a finding
        name = getattr(probe, "__name__", "probe").replace("_", " ")
        found.append(Finding(name, said("could not be found out: {reason}", reason=reason(error)), Mark.NOTE))
    return found


def reason(error: BaseException) -> str:
    """An exception in one line."""
    if isinstance(error, BertwrightError):
        return f"{error.code}: {one_line(error.texts()[0])}"
    text = one_line(str(error))
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def one_line(text: str, limit: int = 300) -> str:
    """`text` without line breaks, cut to a length that can be read."""
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 3] + "..."


def gib(count: float) -> str:
    """Bytes in the unit of memories and disks."""
    return f"{count / 2**30:.1f} GiB"
