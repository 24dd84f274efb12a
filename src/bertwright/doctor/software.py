"""Versions: this package, Python, the libraries that it needs, and the extras that it can use."""

from __future__ import annotations

import importlib
import json
import platform
import re
import struct
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from bertwright.doctor.probe import Finding, Mark, reason
from bertwright.version import __version__

SECTION = "versions"
_PACKAGE = "bertwright"
_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\])?\s*\(?([^;)]*)\)?\s*(?:;(.*))?")
_EXTRA = re.compile(r"extra\s*==\s*['\"]([^'\"]+)['\"]")


@dataclass(frozen=True, slots=True)
class Requirement:
    """A library that is needed: its name, the oldest version that will do, and the extra that asks for it."""

    name: str
    least: str
    extra: str = ""

    @property
    def installed(self) -> str:
        """The version that is installed, or an empty string."""
        try:
            return metadata.version(self.name)
        except metadata.PackageNotFoundError:
            return ""

    @property
    def too_old(self) -> bool:
        """Whether a version is installed, and it will not do."""
        return bool(self.installed) and release(self.installed) < release(self.least)


def bertwright() -> Iterator[Finding]:
    """This package and where it lives."""
    folder = Path(__file__).resolve().parents[1]
    yield Finding(SECTION, "bertwright", f"{__version__} in {folder}")


def python() -> Iterator[Finding]:
    """The interpreter."""
    kind = f"{platform.python_implementation()}, {8 * struct.calcsize('P')} bit"
    yield Finding(SECTION, "python", f"{platform.python_version()} ({kind}) {sys.executable}")


def libraries() -> Iterator[Finding]:
    """The libraries without which nothing runs: installed, new enough, and whole enough to be imported."""
    for needed in requirements():
        if not needed.extra:
            yield _library(needed)


def _library(needed: Requirement) -> Finding:
    wanted = f"{needed.name}>={needed.least}" if needed.least else needed.name
    hint = f'pip install "{wanted}"'
    if not needed.installed:
        return Finding(SECTION, needed.name, "not installed", Mark.MISSING, hint)
    if needed.too_old:
        value = f"{needed.installed} is too old: {needed.least} or newer is needed"
        return Finding(SECTION, needed.name, value, Mark.MISSING, f"{hint} --upgrade")
    try:
        importlib.import_module(needed.name.replace("-", "_"))
    except Exception as error:  # a missing DLL, a build for another machine: anything can come out of an import
        value = f"{needed.installed} cannot be imported: {reason(error)}"
        return Finding(SECTION, needed.name, value, Mark.MISSING, f"{hint} --force-reinstall")
    return Finding(SECTION, needed.name, needed.installed)


def torch_build() -> Iterator[Finding]:
    """How this torch was built: for which accelerator, with which libraries for the processor."""
    import torch

    built_for = "CPU only"
    for name in ("cuda", "hip", "xpu"):
        version = getattr(torch.version, name, None)
        if version:
            built_for = f"{name.upper()} {version}"
    parts = {"MKL": torch.backends.mkl, "oneDNN": torch.backends.mkldnn, "OpenMP": torch.backends.openmp}
    there = [name for name, part in parts.items() if part.is_available()]
    capability = torch.backends.cpu.get_cpu_capability()
    yield Finding(SECTION, "torch build", f"{built_for}; {', '.join(there)}; kernels for {capability}")


def extras() -> Iterator[Finding]:
    """The optional extras, and for each that is not whole the command that installs it."""
    known = requirements()
    for extra in sorted({one.extra for one in known} - {""}):
        members = [one for one in known if one.extra == extra]
        lacking = [one.name for one in members if not one.installed or one.too_old]
        name = f"extra [{extra}]"
        if lacking:
            yield Finding(SECTION, name, f"not installed: {', '.join(lacking)}", Mark.NOTE, install_command(extra))
        else:
            yield Finding(SECTION, name, ", ".join(f"{one.name} {one.installed}" for one in members))


def install_command(extra: str) -> str:
    """What to type for an extra; from a checkout it is the checkout that is installed."""
    checkout = _checkout()
    return f'pip install -e "{checkout}[{extra}]"' if checkout else f'pip install "{_PACKAGE}[{extra}]"'


def requirements() -> tuple[Requirement, ...]:
    """What `pyproject.toml` asks for: from the checkout where there is one, else as it was installed."""
    checkout = _checkout()
    if checkout:
        with (checkout / "pyproject.toml").open("rb") as file:
            project = tomllib.load(file)["project"]
        optional = project.get("optional-dependencies", {})
        lines = [(line, "") for line in project["dependencies"]]
        lines += [(line, extra) for extra, asked in optional.items() for line in asked]
    else:
        lines = [(line, "") for line in metadata.requires(_PACKAGE) or ()]
    found = (read_requirement(line, extra) for line, extra in lines)
    return tuple(one for one in found if one is not None)


def read_requirement(line: str, extra: str = "") -> Requirement | None:
    """`transformers>=5.0; extra == "peers"` as a requirement; None where the line names no other library."""
    match = _REQUIREMENT.match(line)
    if match is None or match[1] == _PACKAGE:  # `all = ["bertwright[plots,parquet]"]`
        return None
    least = re.search(r">=\s*([\w.]+)", match[2])
    asked_by = _EXTRA.search(match[3] or "")
    return Requirement(match[1], least[1] if least else "", extra or (asked_by[1] if asked_by else ""))


def release(version: str) -> tuple[int, ...]:
    """`2.13.0+cpu` as (2, 13)."""
    numbers = re.match(r"\d+(?:\.\d+)*", version)
    parts = [int(part) for part in numbers[0].split(".")] if numbers else []
    while parts and parts[-1] == 0:
        parts.pop()
    return tuple(parts)


def _checkout() -> Path | None:
    """The folder that an editable installation points to, where it still holds a `pyproject.toml`."""
    try:
        origin = json.loads(metadata.distribution(_PACKAGE).read_text("direct_url.json") or "{}")
    except (metadata.PackageNotFoundError, ValueError):
        return None
    if not origin.get("dir_info", {}).get("editable"):
        return None
    folder = Path(url2pathname(urlsplit(origin.get("url", "")).path))
    return folder if (folder / "pyproject.toml").is_file() else None
