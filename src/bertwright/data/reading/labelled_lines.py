"""Lines that begin with their label, as collections of short texts have them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bertwright.wording import said

_FEWEST = 4  # lines from which a form is recognised
_FASTTEXT = "__label__"
_COARSE_AND_FINE = re.compile(r"[A-Z]{2,}:[a-z]+ ")
_LABEL_WORD = re.compile(r"(?<!\S)__label__\S+")
_NUMBER = re.compile(r"[+-]?\d{1,3} (?=.*[^\d\s])")


@dataclass(frozen=True, slots=True)
class LabelledLines:
    """A form of such lines.

    Attributes:
        fields_of: a line as its label and its text.
        remark: what is said about it.
    """

    fields_of: Callable[[str], list[str]]
    remark: str


def form_of_lines(lines: Sequence[str]) -> LabelledLines | None:
    """The form of a file by its first lines; None for any other file.

    `__label__good a text` (fastText), `DESC:manner How does it work?` (TREC: a coarse and a fine class), and
    `0 a text`, a number of a class, where few numbers come again and again.
    """
    filled = [line.strip() for line in lines if line.strip()]
    if len(filled) < _FEWEST or any("\t" in line for line in filled):
        return None
    if all(line.startswith(_FASTTEXT) for line in filled):
        remark = said("every line begins with its label after {sign}, as in fastText", sign=_FASTTEXT)
        return LabelledLines(_fasttext_fields, remark)
    if all(_LABEL_WORD.search(line) for line in filled):
        remark = said("every line holds its label after {sign}, as in fastText", sign=_FASTTEXT)
        return LabelledLines(_labels_anywhere, remark)
    if all(map(_COARSE_AND_FINE.match, filled)):
        return LabelledLines(
            first_word, said("every line begins with its class, such as {one}", one=filled[0].split()[0])
        )
    numbers = {line.split()[0] for line in filled}
    if all(map(_NUMBER.match, filled)) and 2 <= len(numbers) <= 0.5 * len(filled):
        return LabelledLines(first_word, said("every line begins with the number of its class"))
    return None


def first_word(line: str) -> list[str]:
    """A line as its first word, which is its label, and the text behind it."""
    label, text, *_ = (*line.split(maxsplit=1), "", "")
    return [label, text.strip()]


def _labels_anywhere(line: str) -> list[str]:
    labels = [found.removeprefix(_FASTTEXT) for found in _LABEL_WORD.findall(line)]
    return ["|".join(labels), " ".join(_LABEL_WORD.sub(" ", line).split())]


def _fasttext_fields(line: str) -> list[str]:
    label, text = first_word(line)
    while text.startswith(_FASTTEXT):  # several labels are one name, which is said to look like several
        more, text = first_word(text)
        label += "|" + more.removeprefix(_FASTTEXT)
    return [label.removeprefix(_FASTTEXT), text]
