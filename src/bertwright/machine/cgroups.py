"""The limits of a container: what the control groups of Linux (version 1 and 2) allow this process.

A limit may stand at any level between the process's own group and the root, and the tightest one counts. In a
container the path in `/proc/self/cgroup` may be the host's, so levels that are not there are passed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

_NO_LIMIT = 1 << 60  # what version 1 writes for "none" is near 2**63


@dataclass(frozen=True, slots=True)
class Limits:
    """What this process may take.

    Attributes:
        cores: of the processor, in parts of one; None: no limit.
        memory: bytes; None: no limit.
        memory_left: bytes until the limit; file caches, which give way, count as free.
    """

    cores: float | None = None
    memory: int | None = None
    memory_left: int | None = None


def container_limits(root: Path = Path("/")) -> Limits:
    """The limits that hold here; none where there are no control groups (`root` is for tests)."""
    groups = _groups(root)
    cores = [quota for folder in _levels(root, groups, "cpu") if (quota := _cores(folder)) is not None]
    levels = [level for folder in _levels(root, groups, "memory") if (level := _memory(folder)) is not None]
    return Limits(
        cores=min(cores, default=None),
        memory=min((limit for limit, _ in levels), default=None),
        memory_left=min((left for _, left in levels), default=None),
    )


def _groups(root: Path) -> dict[str, str]:
    """Controllers as `/proc/self/cgroup` names them (`cpu,cpuacct`; version 2: empty), each with its group's path."""
    groups = {}
    for line in _read(root / "proc" / "self" / "cgroup").splitlines():
        parts = line.split(":", 2)
        if len(parts) == 3:
            groups[parts[1]] = parts[2]
    return groups


def _levels(root: Path, groups: dict[str, str], controller: str) -> Iterator[Path]:
    """The folders whose limits for `controller` hold for this process."""
    tree = root / "sys" / "fs" / "cgroup"
    mounts = {tree: groups.get("", "/"), tree / "unified": groups.get("", "/"), tree / controller: "/"}
    for names, path in groups.items():
        if controller in names.split(","):
            mounts |= {tree / names: path, tree / controller: path}
    for mount, path in mounts.items():
        inner = PurePosixPath(path.lstrip("/"))
        for level in (inner, *inner.parents):
            if ".." not in level.parts and (mount / level).is_dir():
                yield mount / level


def _cores(folder: Path) -> float | None:
    quota, _, period = _read(folder / "cpu.max").partition(" ")
    if not quota:
        quota, period = _read(folder / "cpu.cfs_quota_us"), _read(folder / "cpu.cfs_period_us")
    taken, of = _number(quota), _number(period)
    return taken / of if taken and of and taken > 0 and of > 0 else None


def _memory(folder: Path) -> tuple[int, int] | None:
    for limit_file, used_file, cache_name in (
        ("memory.max", "memory.current", "inactive_file"),
        ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ):
        limit = _number(_read(folder / limit_file))
        if limit is None or limit >= _NO_LIMIT:
            continue
        used = _number(_read(folder / used_file)) or 0
        pairs = (line.partition(" ") for line in _read(folder / "memory.stat").splitlines())
        cached = next((_number(value) for name, _, value in pairs if name == cache_name), None) or 0
        return limit, max(0, min(limit, limit - used + cached))
    return None


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _number(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None
