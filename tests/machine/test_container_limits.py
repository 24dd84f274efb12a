"""What a container allows, read from control groups that are only described."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from bertwright.machine import memory
from bertwright.machine.cgroups import Limits, container_limits
from bertwright.machine.cores import Cores


def write(folder: Path, **files: str) -> None:
    """`cpu_max="max 100000"` is the file `cpu.max`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("_", ".", 1)).write_text(text, encoding="utf-8")


def group(root: Path, text: str) -> None:
    """What `/proc/self/cgroup` says."""
    (root / "proc" / "self").mkdir(parents=True)
    (root / "proc" / "self" / "cgroup").write_text(text, encoding="utf-8")


def test_groups_of_version_2_take_the_tightest_level(tmp_path: Path) -> None:
    group(tmp_path, "0::/user.slice/job\n")
    top = tmp_path / "sys" / "fs" / "cgroup"
    write(top / "user.slice" / "job", cpu_max="max 100000", memory_max="max")
    write(
        top / "user.slice",
        cpu_max="150000 100000",
        memory_max=str(8 << 30),
        memory_current=str(3 << 30),
        memory_stat=f"anon 5\ninactive_file {1 << 30}\n",
    )
    assert container_limits(tmp_path) == Limits(1.5, 8 << 30, 6 << 30)


def test_groups_of_version_1(tmp_path: Path) -> None:
    group(tmp_path, "5:cpu,cpuacct:/docker/abc\n4:memory:/docker/abc\n1:name=systemd:/\n0::/\n")
    top = tmp_path / "sys" / "fs" / "cgroup"
    write(top / "cpu,cpuacct", cpu_cfs_quota_us="200000", cpu_cfs_period_us="100000")
    write(top / "memory" / "docker" / "abc", memory_limit_in_bytes=str(4 << 30), memory_usage_in_bytes=str(5 << 30))
    write(top / "memory", memory_limit_in_bytes=str((1 << 63) - 4096), memory_usage_in_bytes="1")
    assert container_limits(tmp_path) == Limits(2.0, 4 << 30, 0)


def test_no_limits(tmp_path: Path) -> None:
    assert container_limits(tmp_path) == Limits()
    group(tmp_path, "nonsense\n3:cpu:/../..\n0::/a\n")
    write(tmp_path / "sys" / "fs" / "cgroup" / "cpu", cpu_cfs_quota_us="-1", cpu_cfs_period_us="100000")
    write(tmp_path / "sys" / "fs" / "cgroup" / "a", cpu_max="", memory_max="lots")
    assert container_limits(tmp_path) == Limits()


@pytest.mark.parametrize(
    ("count", "allowed"), [((8, 2, None), 2), ((8, None, 0.5), 1), ((None, None, None), 1), ((4, 4, 9.0), 4)]
)
def test_allowed_cores(count: tuple[int | None, int | None, float | None], allowed: int) -> None:
    assert Cores(*count).allowed == allowed


def test_free_memory_is_the_least_of_machine_and_container(monkeypatch: pytest.MonkeyPatch) -> None:
    cpu = torch.device("cpu")
    monkeypatch.setattr(memory, "container_limits", Limits)
    here = memory.free_memory(cpu)
    assert here is not None
    assert here > 1 << 20
    monkeypatch.setattr(memory, "container_limits", lambda: Limits(memory_left=1 << 20))
    assert memory.free_memory(cpu) == 1 << 20
    assert memory.free_memory(torch.device("mps")) is None
