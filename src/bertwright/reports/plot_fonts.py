"""A font for every label: class names in any script must not turn into boxes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from matplotlib import font_manager
from matplotlib.ft2font import FT2Font

DEFAULT = "DejaVu Sans"  # comes with matplotlib
_BOXES = "Last Resort"  # comes with matplotlib and has every character, as a box
# Fonts with Chinese characters that systems come with, the plain ones first.
_PREFERRED = (
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN", "PingFang SC", "Microsoft YaHei",
    "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "Noto Sans CJK JP", "Hiragino Sans GB", "Heiti SC", "SimHei",
    "Arial Unicode MS", "Droid Sans Fallback", "SimSun", "Songti SC", "STHeiti",
)  # fmt: skip


def font_families(texts: Sequence[str]) -> list[str] | None:
    """Installed fonts that together show every character of `texts`, to be tried in order; None if there are none."""
    missing = frozenset(ord(character) for text in texts for character in text if character.isprintable())
    missing -= _characters_of(_default_file())
    if not missing:
        return [DEFAULT]
    for listed in (_candidates, _installed_since):
        for name, file in listed():
            if missing <= _characters_of(file):
                return [DEFAULT, name]
    return None


@cache
def _installed_since() -> Sequence[tuple[str, str]]:
    """Fonts that were installed after matplotlib made its list, which it keeps on the disk from its first use on."""
    manager = font_manager.fontManager
    known = {entry.fname for entry in manager.ttflist}
    found = []
    for file in font_manager.findSystemFonts():
        if file not in known:
            try:
                manager.addfont(file)
            except (OSError, RuntimeError):  # a broken font is no font
                continue
            found.append((manager.ttflist[-1].name, file))
    return found


def _candidates() -> Sequence[tuple[str, str]]:
    """The installed fonts with their files: those that are known to fit first, of each name the regular weight."""
    files: dict[str, str] = {}
    for entry in font_manager.fontManager.ttflist:
        is_regular = entry.style == "normal" and entry.weight in (400, "normal", "regular", "book")
        if (is_regular or entry.name not in files) and not entry.name.startswith(_BOXES):
            files[entry.name] = entry.fname
    names = [name for name in _PREFERRED if name in files]
    return [(name, files[name]) for name in [*names, *sorted(set(files) - set(names))]]


def _default_file() -> str:
    return str(font_manager.findfont(DEFAULT))


@cache
def _characters_of(file: str) -> frozenset[int]:
    try:
        return frozenset(FT2Font(file).get_charmap())
    except (OSError, RuntimeError):  # a broken font is no font
        return frozenset()
