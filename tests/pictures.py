"""Pictures that are laid out and not painted: painting takes most of the time of a short run.

A file of tests that looks at pictures asks for the fixture `painted`.
"""

from __future__ import annotations

import base64
import importlib.util
from collections.abc import Callable, Iterator
from typing import IO, Any

import pytest

# One white point.
_BLANK = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEAsTj2FAAAAABJRU5ErkJggg=="
)


def leave_blank(_figure: object, stream: IO[bytes], **_: Any) -> None:
    """What stands in for `matplotlib.figure.Figure.savefig`."""
    stream.write(_BLANK)


@pytest.fixture(scope="session", autouse=True)
def unpainted() -> Iterator[Callable[..., None] | None]:
    """The function that paints, which nobody calls; None where there is none."""
    if importlib.util.find_spec("matplotlib") is None:
        yield None
        return
    from matplotlib.figure import Figure

    paint = Figure.savefig
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Figure, "savefig", leave_blank)
        yield paint


@pytest.fixture(scope="module")
def painted(unpainted: Callable[..., None] | None) -> Iterator[None]:
    """Pictures as a user sees them, if there are any."""
    with pytest.MonkeyPatch.context() as patch:
        if unpainted is not None:
            patch.setattr("matplotlib.figure.Figure.savefig", unpainted)
        yield
