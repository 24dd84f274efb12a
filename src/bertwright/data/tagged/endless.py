"""A column file that is one sentence from its first line to its last."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from bertwright.data.examples import Example
from bertwright.errors import BertwrightError
from bertwright.wording import Phrase, filled

_FEWEST = 20  # tokens, from which one sentence is no sentence
_MARKS = ("。", "！", "？", ".", "!", "?")
_AFTER_MARKS = "awk '{{print}} $1 ~ /^({marks})$/ {{print \"\"}}' {file!q} > sentences.conll"


def refuse_endless(examples: Sequence[Example], source: str) -> None:
    """Refuse tagged data whose only sentence is long: nobody put anything between its sentences.

    Raises:
        BertwrightError: BW274, with the command that puts blank lines behind the marks at the ends of sentences, where
            there are such marks.
    """
    if len(examples) != 1 or examples[0].tokens is None or len(examples[0].tokens) < _FEWEST:
        return
    text, places = examples[0].text, examples[0].tokens.tolist()
    found = Counter(text[start:end] for start, end in places)
    marks = "|".join(f"[{mark}]" if mark in ".?" else mark for mark in _MARKS if found[mark])
    way_out = Phrase("put a blank line between sentences, and give the file again")
    if marks:
        command = filled(_AFTER_MARKS, {"marks": marks, "file": source}, "en")
        way_out = Phrase("a blank line behind each sentence-end mark: {command}", command=command)
    raise BertwrightError("BW274", source=source, tokens=len(places), way_out=way_out)
