"""Versions: this package, Python, the libraries that it needs, and the extras that it can use."""

from __future__ import annotations

import importlib
import platform
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from bertwright.doctor.probe import Finding, Mark, noted, reason
from bertwright.version import __version__
from bertwright.wording import said, shown

if TYPE_CHECKING:
    from packaging.requirements import Requirement

_PACKAGE = "bertwright"


def programs() -> Iterator[Finding]:
    """This package and where it lives, the interpreter, and the system under it."""
    yield Finding(
        _PACKAGE, said("{version} in {folder}", version=__version__, folder=Path(__file__).resolve().parents[1])
    )
    yield Finding("python", f"{platform.python_version()} ({platform.architecture()[0]}) {sys.executable}")
    yield Finding("system", platform.platform())


def libraries() -> Iterator[Finding]:
    """The libraries without which nothing runs: installed, new enough, and whole enough to be imported."""
    for needed in _requirements():
        hint = f'pip install --upgrade "{needed.name}{needed.specifier}"'
        version, fits = _installed(needed)
        if fits:
            try:
                importlib.import_module(needed.name.replace("-", "_"))
            except Exception as error:  # a missing DLL, a build for another machine: anything can come out of an import
                version, fits = (
                    said("{version} cannot be imported: {reason}", version=version, reason=reason(error)),
                    False,
                )
                hint += " --force-reinstall"
        yield Finding(needed.name, version) if fits else Finding(needed.name, version, Mark.MISSING, hint)


def extras() -> Iterator[Finding]:
    """The groups of optional libraries."""
    for extra in metadata.metadata(_PACKAGE).get_all("Provides-Extra") or ():
        asked = {one.name: _installed(one) for one in _requirements(extra)}
        lacking = [name for name, (_, fits) in asked.items() if not fits]
        there = ", ".join(f"{name} {version}" for name, (version, _) in asked.items())
        value = said("not installed: {listed}", listed=shown(lacking, 20)) if lacking else there
        yield noted(said("extra [{name}]", name=extra), value, f'pip install "{_PACKAGE}[{extra}]"' if lacking else "")


def _requirements(extra: str = "") -> Iterator[Requirement]:
    """What the installed package asks for: always, or for an extra."""
    from packaging.requirements import Requirement

    for needed in map(Requirement, metadata.requires(_PACKAGE) or ()):
        if needed.marker.evaluate({"extra": extra}) if needed.marker else not extra:
            yield needed


def _installed(needed: Requirement) -> tuple[str, bool]:
    """The version that is installed, in words, and whether it will do."""
    try:
        version = metadata.version(needed.name)
    except metadata.PackageNotFoundError:
        return said("not installed"), False
    if needed.specifier.contains(version, prereleases=True):
        return version, True
    return said("{version} does not do: {needed} is needed", version=version, needed=needed.specifier), False
