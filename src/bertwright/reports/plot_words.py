"""The language of a plot: that of the moment, where a font has its characters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bertwright.reports.plot_fonts import DEFAULT, font_families
from bertwright.wording import Phrase, language, said, worded


def font_remark() -> str:
    """That plots are in English for want of a font, and what to install; empty where they are not."""
    if language() == "en" or font_families([worded("share of the true class")]):
        return ""
    return said(
        "The words in the plots are English, since no installed font has Chinese characters; one is installed by: apt "
        "install fonts-noto-cjk (Debian, Ubuntu), dnf install google-noto-sans-cjk-fonts (Fedora)"
    )


@dataclass(frozen=True, slots=True)
class PlotWords:
    """The words of a plot: in the language of the moment where an installed font has its characters, else in English.

    Attributes:
        lang: the language.
        families: the fonts.
    """

    lang: str
    families: list[str]

    @classmethod
    def for_names(cls, names: Sequence[str] = ()) -> PlotWords | None:
        """For a plot with names of users; None where no font has the characters of the names."""
        if language() != "en" and (families := font_families([*names, worded("share of the true class")])):
            return cls(language(), families)
        families = font_families(names)
        return None if families is None else cls("en", families)

    @classmethod
    def plain(cls) -> PlotWords:
        """For a plot without names."""
        return cls.for_names() or cls("en", [DEFAULT])

    def __call__(self, words: str | Phrase) -> str:
        return words.within(self.lang) if isinstance(words, Phrase) else words
