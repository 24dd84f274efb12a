"""The processor: its name and what it can compute with."""

from __future__ import annotations

import contextlib
import platform
from collections.abc import Iterator

from bertwright.doctor.probe import Finding, Mark
from bertwright.machine.processor import is_arm_machine, processor_flags, processor_name

SECTION = "processor"
# What matters to a BERT, each with the names it goes by (lower case, without `_` and `feat`).
_X86 = {
    "AVX2": ("avx2",),
    "AVX-512": ("avx512f",),
    "VNNI": ("avx512vnni", "avxvnni"),
    "bf16": ("avx512bf16", "amxbf16"),
    "AMX": ("amxbf16", "amxint8", "amxtile"),
}
_ARM = {
    "NEON": ("asimd", "neon", "advsimd"),
    "dot product": ("asimddp", "dotprod", "neondot"),
    "i8mm": ("i8mm",),
    "bf16": ("bf16", "armbf16"),
    "SVE": ("sve",),
}


def operating_system() -> Iterator[Finding]:
    """Its name and version."""
    name = f"{platform.system()} {platform.release()} {platform.machine()}"
    if platform.system() == "Darwin":
        name = f"macOS {platform.mac_ver()[0]} {platform.machine()}"
    with contextlib.suppress(OSError, KeyError):
        name += f", {platform.freedesktop_os_release()['PRETTY_NAME']}"
    yield Finding(SECTION, "operating system", name)


def processor() -> Iterator[Finding]:
    """Its name."""
    yield Finding(SECTION, "processor", processor_name() or f"unknown ({platform.machine()})")


def features() -> Iterator[Finding]:
    """What it can compute with, of what matters here."""
    flags, source = processor_flags()
    is_arm = is_arm_machine()
    if not flags:
        yield Finding(SECTION, "features", "this system does not tell", Mark.NOTE)
        return
    table = _ARM if is_arm else _X86
    there = [label for label, names in table.items() if flags.intersection(names)]
    lacking = [label for label in table if label not in there]
    value = (", ".join(there) or "none of those that matter") + (f"; not: {', '.join(lacking)}" if lacking else "")
    weak = not is_arm and "AVX2" not in there
    hint = "without AVX2 everything works, at a fraction of the speed" if weak else ""
    yield Finding(SECTION, "features", f"{value} (by {source})", Mark.NOTE if weak else Mark.OK, hint)
