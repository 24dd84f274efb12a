"""The engines by name. Nothing heavy is imported before one is asked for, so that `--help` can list them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bertwright.plugins import Registry

if TYPE_CHECKING:
    from bertwright.engines.engine import Engine

_ENGINES = Registry(
    "bertwright.engines",
    {"torch": "bertwright.engines.torch_engine:TorchEngine"},
    unknown=("BW132", "engine"),
)
engine_names = _ENGINES.names


def engine_named(name: str) -> type[Engine]:
    """The engine of a name.

    Raises:
        BertwrightError: BW132 no engine has that name, BW133 a package that cannot be imported.
    """
    kind: type[Engine] = _ENGINES.load(name)
    return kind
