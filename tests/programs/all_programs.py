"""All programs by their names."""

from __future__ import annotations

import inspect

from tests.programs import (
    disturbances,
    ecosystem,
    from_texts,
    heads,
    pooling,
    saved_and_loaded,
    training_loops,
)
from tests.programs.place import Program

THEMES = (training_loops, disturbances, pooling, heads, from_texts, saved_and_loaded, ecosystem)

PROGRAMS: dict[str, Program] = {
    name: function
    for theme in THEMES
    for name, function in vars(theme).items()
    if inspect.isfunction(function) and function.__module__ == theme.__name__ and not name.startswith("_")
}
