"""The engines by name. Nothing heavy is imported before one is asked for, so that `--help` can list them."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING

from bertwright.errors import BertwrightError, nearest, shown
from bertwright.plugins import brought, load

if TYPE_CHECKING:
    from bertwright.engines.engine import Engine

GROUP = "bertwright.engines"  # of entry points: a package may bring engines of its own
_ENGINES = {"torch": "bertwright.engines.torch_engine:TorchEngine"}


def engine_names() -> tuple[str, ...]:
    """Of all engines: our own, then those that packages bring."""
    return (*_ENGINES, *(name for name in brought(GROUP) if name not in _ENGINES))


def engine_named(name: str) -> type[Engine]:
    """The engine of a name.

    Raises:
        BertwrightError: BW132 no engine has that name, BW133 a package that cannot be imported.
    """
    known = engine_names()
    if name not in known:
        close = nearest(name, known)
        nearby = f"({close}?)" if close else ""
        raise BertwrightError("BW132", engine=name, known=shown(known), nearest=nearby)
    ours = _ENGINES.get(name)
    kind: type[Engine] = load(brought(GROUP)[name]) if ours is None else EntryPoint(name, ours, GROUP).load()
    return kind
