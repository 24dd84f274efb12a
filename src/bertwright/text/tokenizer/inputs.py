"""The shapes in which people give texts to a tokenizer, brought into one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bertwright.errors import BertwrightError
from bertwright.text.width import narrowed

# A text is a string, or the list of its words.
Text = str | Sequence[str]

_SURROGATE = re.compile(r"[\ud800-\udfff]")
# The library keeps some 150 bytes a token until it is done with a batch: so much is given to it at once.
_CHUNK_TEXTS = 4_096
_CHUNK_CHARACTERS = 1_000_000


@dataclass(frozen=True, slots=True)
class Inputs:
    """Texts, and their pairs where they have any.

    Attributes:
        firsts: the texts.
        seconds: for each of them the second text of the pair; `None` where the input is no pairs.
        single: whether the user gave one input rather than a list of inputs.
        as_words: whether each text is the list of its words.
        start: the place of the first of them in what the user gave.
    """

    firsts: Sequence[Text]
    seconds: Sequence[Text] | None
    single: bool = False
    as_words: bool = False
    start: int = 0

    def placed(self) -> Iterator[tuple[str, Text]]:
        """Every text, with the place where the user gave it."""
        for name, texts in (("text", self.firsts), ("text_pair", self.seconds or ())):
            for index, text in enumerate(texts, self.start):
                yield name if self.single else f"{name}[{index}]", text

    def narrowed(self) -> Inputs:
        """The same inputs with digits and letters of double width folded; every character keeps its place."""

        def fold(texts: Sequence[Text]) -> list[Text]:
            return [narrowed(one) if isinstance(one, str) else [narrowed(word) for word in one] for one in texts]

        seconds = None if self.seconds is None else fold(self.seconds)
        return replace(self, firsts=fold(self.firsts), seconds=seconds)

    def chunks(self) -> Iterator[Inputs]:
        """The same inputs in order, in parts of bounded size."""
        begin = size = 0
        for at, first in enumerate(self.firsts):
            size += _characters(first) + (_characters(self.seconds[at]) if self.seconds else 0)
            if size >= _CHUNK_CHARACTERS or at - begin + 1 >= _CHUNK_TEXTS or at + 1 == len(self.firsts):
                part = slice(begin, at + 1)
                seconds = None if self.seconds is None else self.seconds[part]
                yield Inputs(self.firsts[part], seconds, self.single, self.as_words, begin)
                begin, size = at + 1, 0


def read_inputs(text: Any, text_pair: Any = None, *, as_words: bool = False, fold_width: bool = False) -> Inputs:
    """Understand what a user gave: one text or a list, a second argument of pairs or a list of tuples.

    Raises:
        BertwrightError: BW405 for what is no text, with its place and type; BW407 where the two arguments
            do not go together.
    """
    single = isinstance(text, str) or (as_words and _is_text(text, as_words))
    firsts: Sequence[Any]
    seconds: Sequence[Any] | None
    if single:
        firsts, seconds = [text], None if text_pair is None else [text_pair]
    elif not isinstance(text, list | tuple):
        raise no_text("text", text)
    elif text_pair is None:
        firsts, seconds = _apart(text, as_words)
    elif isinstance(text_pair, list | tuple) and len(text_pair) == len(text):
        firsts, seconds = text, text_pair
    else:
        count = len(text_pair) if isinstance(text_pair, list | tuple) else type(text_pair).__name__
        raise BertwrightError("BW407", texts=len(text), pairs=count)
    inputs = Inputs(firsts, seconds, single, as_words)
    _refuse_no_texts(inputs)
    return inputs.narrowed() if fold_width else inputs


def _apart(items: Sequence[Any], as_words: bool) -> tuple[Sequence[Any], Sequence[Any] | None]:
    """The two sides of a list of pairs; a list of anything else as it is."""
    if not any(_is_pair(item, as_words) for item in items):
        return items, None
    for index, item in enumerate(items):
        if not _is_pair(item, as_words):
            raise no_text(f"text[{index}]", item)
    return [item[0] for item in items], [item[1] for item in items]


def surrogate_error(inputs: Inputs) -> BertwrightError | None:
    """BW406 for the first text that holds half of a surrogate pair, which no encoding can write."""
    parts = ((where, part) for where, text in inputs.placed() for part in ([text] if isinstance(text, str) else text))
    return next((error for where, part in parts if (error := half_of_a_pair(part, where))), None)


def half_of_a_pair(text: str, where: object) -> BertwrightError | None:
    """BW406 if `text` holds half of a surrogate pair."""
    found = _SURROGATE.search(text)
    if found is None:
        return None
    return BertwrightError("BW406", where=where, position=found.start(), half=f"U+{ord(found[0]):04X}")


def _refuse_no_texts(inputs: Inputs) -> None:
    for where, text in inputs.placed():
        if not isinstance(text, list | tuple if inputs.as_words else str):
            raise no_text(where, text)
        for place, word in enumerate(text if inputs.as_words else ()):
            if not isinstance(word, str):
                raise no_text(f"{where}[{place}]", word)


def no_text(where: str, found: object) -> BertwrightError:
    """BW405 for `found`, which stands at `where` and is no text."""
    return BertwrightError("BW405", where=where, type=type(found).__name__, value=repr(found)[:40])


def listed(texts: Sequence[Any]) -> str | list[Any]:
    """Any sequence of texts as a list; a string is one text, not the sequence of its characters."""
    return texts if isinstance(texts, str) else list(texts)


def _is_text(item: Any, as_words: bool) -> bool:
    """Whether `item` has the outer shape of one text; its parts are looked at by `_refuse_no_texts`."""
    if not as_words:
        return isinstance(item, str)
    return isinstance(item, list | tuple) and not (item and isinstance(item[0], list | tuple))


def _is_pair(item: Any, as_words: bool) -> bool:
    return (
        isinstance(item, list | tuple)
        and len(item) == 2
        and all(_is_text(part, as_words) and isinstance(part, list | tuple if as_words else str) for part in item)
    )


def _characters(text: Text) -> int:
    return len(text) if isinstance(text, str) else sum(map(len, text))
