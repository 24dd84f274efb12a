"""A mistake is told to somebody who typed a command, or called a function."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bertwright.callers import at_the_command_line


@pytest.fixture
def typed() -> Iterator[None]:
    """Mistakes are told as to somebody who typed a command."""
    with at_the_command_line():
        yield
