"""Chinese words, for masking that takes whole ones: by a segmenter, or by a list of one's own.

A word here is a run of Han characters that belong together; what stands between such runs is left alone.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Collection
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from bertwright.errors import BertwrightError
from bertwright.text.lines import encoding_of, lines_of

PACKAGE = "rjieba"
_FREQUENCY = 100_000  # of a word that a person names: it wins against what its characters make otherwise


@dataclass(frozen=True, slots=True)
class Segmenter:
    """A run of Han characters to its words.

    Attributes:
        cut: the words of a run; end to end they are the run.
        name: what cuts, with its version, for the record.
    """

    cut: Callable[[str], list[str]]
    name: str


def chinese_segmenter(words: Collection[str] = (), *, packaged: bool = True) -> Segmenter:
    """A segmenter that knows `words`.

    Args:
        words: a person's own.
        packaged: cut by the segmenter of the extra `zh`, to which `words` are added; else by the longest match
            among `words` alone, from left to right.

    Raises:
        BertwrightError: BW128 the extra `zh` is not installed.
    """
    if not packaged:
        return Segmenter(_LongestMatch(words), f"longest match, {len(words)} words")
    try:
        module = importlib.import_module(PACKAGE)
    except ImportError as error:
        raise BertwrightError("BW128") from error
    jieba = module.Jieba()
    for word in words:
        jieba.add_word(word, _FREQUENCY, "")
    name = f"{PACKAGE} {version(PACKAGE)}"
    return Segmenter(jieba.cut, f"{name} with {len(words)} words" if words else name)


def read_words(path: Path, encoding: str | None = None) -> list[str]:
    """The words of a dictionary file: the first word of each line; what stands behind it, such as a frequency, is
    passed over, and so are lines that begin with #.

    Raises:
        BertwrightError: BW201 to BW203, BW234, BW235 the file and its encoding; BW290 no word in it.
    """
    lines = (line.split() for line in lines_of(path, encoding_of(path, encoding)))
    words = dict.fromkeys(parts[0] for parts in lines if parts and not parts[0].startswith("#"))
    if not words:
        raise BertwrightError("BW290", file=path)
    return list(words)


class _LongestMatch:
    """The longest known word at each place, else one character."""

    def __init__(self, words: Collection[str]) -> None:
        self._words = frozenset(words)
        self._longest = max(map(len, words), default=1)

    def __call__(self, run: str) -> list[str]:
        found = []
        at = 0
        while at < len(run):
            for end in range(min(len(run), at + self._longest), at + 1, -1):
                if run[at:end] in self._words:
                    break
            else:
                end = at + 1
            found.append(run[at:end])
            at = end
        return found
