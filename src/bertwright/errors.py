"""The one error that a user's mistake raises, and the catalogue of its texts.

Every such mistake has a fixed code (`BW201`), which never changes its meaning and is never used again for another.
Under it `messages/` keeps, in English and in Chinese, three short texts: what happened and where, the likely cause,
and the next command (`callers.py`: or the next call, in Python). The code that notices the mistake supplies the facts:

    raise BertwrightError("BW203", where="train.csv:17", label="postive", known="negative, positive")
"""

from __future__ import annotations

import difflib
import functools
import tomllib
from collections.abc import Iterable
from typing import Any, Self, TypeVar

from bertwright.callers import for_python, is_typed
from bertwright.reasons import explained
from bertwright.wording import MESSAGES, filled, language

_Error = TypeVar("_Error", bound="BertwrightError")
LONGEST_MESSAGE = 4096  # bytes
_LENGTHS_OF_FACTS = (1000, 400, 160, 60, 20)  # until a message is short enough
_LONGEST_WORD = 200  # that is compared with others
_LABELS = {
    "en": ("error", "likely cause", "what to do"),
    "zh": ("错误", "可能的原因", "怎么办"),
}


# What is also an error of Python's, so that a program that catches this one catches ours; others are a `ValueError`.
_KINDS: dict[type[Exception], str] = {
    FileNotFoundError: "BW201 BW301 BW302 BW307",
    FileExistsError: "BW122 BW502 BW504 BW551 BW572 BW574 BW630 BW631",
    OSError: (
        "BW104 BW202 BW229 BW232 BW283 BW288 BW303 BW308 BW314 BW320 BW321 BW324 BW430 BW501 BW503 BW505 BW507 BW514 "
        "BW336 BW552 BW553 BW560 BW563 BW564 BW570 BW575"
    ),
    ImportError: "BW128 BW133 BW231 BW319",
    TypeError: "BW224 BW233 BW313 BW316 BW317 BW405 BW424 BW440 BW535",
    RuntimeError: "BW130 BW510 BW513 BW515 BW516 BW526 BW550",
    NotImplementedError: "BW344 BW345",
}


class BertwrightError(Exception):
    """A mistake in what the user gave (data, names, settings, files), told in one message.

    What is made is of one of Python's own kinds, too: an `OSError` for what lies on a disk or a hub, a `TypeError` for
    an argument that is not there, an `ImportError`, a `RuntimeError` for what happens while a program runs, or else a
    `ValueError`.

    Attributes:
        code: the fixed code, the same in every language and version.
        fields: the facts that the message was filled with.
        exit_code: what a command that meets it exits with: 1 failed, 2 wrong usage.
    """

    def __new__(cls, code: str, **_: object) -> Self:
        built_in: Any = next((kind for kind, codes in _KINDS.items() if code in codes), ValueError)
        kind: Any = cls
        made: Self = built_in.__new__(_also(kind, built_in), code)
        return made

    def __init__(self, code: str, **fields: object) -> None:
        super().__init__(code)
        self.code = code
        self.fields = fields
        self.exit_code = int(catalogue()[code].get("exit", 1))

    def texts(self, lang: str | None = None) -> tuple[str, str, str]:
        """What happened, the likely cause, and the next command, in `lang` (default: `language()`)."""
        return self._texts(lang or language(), None)

    def _texts(self, lang: str, most: int | None) -> tuple[str, str, str]:
        templates = _templates(self.code, lang)
        facts = self.fields | {"reason": explained(self.fields.get("reason", ""))}
        if facts.get("nearest") == "":
            templates = [text.replace(" {nearest}", "") for text in templates]
        what, cause, way_out = (filled(text, facts, lang, most) for text in templates)
        return what, cause, way_out

    def message(self, lang: str | None = None) -> str:
        """The whole message, ready to print, in at most 4 KiB: of longer facts the middle is left out."""
        lang = lang or language()
        error, cause, way_out = _LABELS[lang]
        for most in (None, *_LENGTHS_OF_FACTS):
            texts = self._texts(lang, most)
            whole = f"{error} {self.code}: {texts[0]}\n  {cause}: {texts[1]}\n  {way_out}: {texts[2]}"
            if len(whole.encode("utf-8", "surrogatepass")) <= LONGEST_MESSAGE:
                break
        return whole

    def __str__(self) -> str:
        return self.message()

    def __reduce__(self) -> tuple[Any, ...]:
        # Fields are keyword-only, so the default way of pickling (worker processes do it) would lose them.
        return _rebuild, (self.code, self.fields)


def _templates(code: str, lang: str) -> list[str]:
    """What happened, the cause and the way out, for whom who reads it: options, or arguments of Python."""
    entry = catalogue()[code]
    texts: list[str] = entry[lang]
    if is_typed():
        return texts
    return [*map(for_python, texts[:2]), entry.get(f"python_{lang}") or for_python(texts[2])]


@functools.cache
def _also(kind: type[_Error], built_in: type[Exception]) -> type[_Error]:
    """A class that is both, and is called as the first one."""
    made: type[_Error] = type(kind.__name__, (kind, built_in), {"__module__": kind.__module__, "__doc__": kind.__doc__})
    return made


def _rebuild(code: str, fields: dict[str, object]) -> BertwrightError:
    return BertwrightError(code, **fields)


@functools.cache
def catalogue() -> dict[str, dict[str, Any]]:
    """Every error by its code, as the files of `messages/` hold them: a file for each hundred of codes."""
    files = sorted(MESSAGES.glob("*.toml"))
    return {code: entry for file in files for code, entry in tomllib.loads(file.read_text(encoding="utf-8")).items()}


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """The entry of `known` that `word` was probably meant to be, or an empty string."""
    if len(word) > _LONGEST_WORD:  # the time grows with the square
        return ""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=cutoff)
    return close[0] if close else ""


def hint(word: str, known: Iterable[str]) -> str:
    """`(nearest?)` for a message, or an empty string."""
    close = nearest(word, known)
    return f"({close}?)" if close else ""
