"""A JSON file of a model folder that must hold an object."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bertwright.errors import BertwrightError


def read_object(file: Path) -> dict[str, Any]:
    """What stands in `file`.

    Raises:
        BertwrightError: BW415 for what is no JSON, or no object.
    """
    try:
        content = json.loads(file.read_bytes())
    except ValueError as error:
        raise BertwrightError("BW415", file=file, reason=error) from error
    if not isinstance(content, dict):
        raise BertwrightError("BW415", file=file, reason=f"{type(content).__name__} ≠ object")
    return content
