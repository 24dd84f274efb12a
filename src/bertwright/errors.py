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
from typing import Any

from bertwright.callers import for_python, is_typed
from bertwright.reasons import explained
from bertwright.wording import MESSAGES, filled, language

_LABELS = {
    "en": ("error", "likely cause", "what to do"),
    "zh": ("错误", "可能的原因", "怎么办"),
}


class BertwrightError(Exception):
    """A mistake in what the user gave (data, names, settings, files), told in one message.

    Attributes:
        code: the fixed code, the same in every language and version.
        fields: the facts that the message was filled with.
        exit_code: what a command that meets it exits with: 1 failed, 2 wrong usage.
    """

    def __init__(self, code: str, **fields: object) -> None:
        super().__init__(code)
        self.code = code
        self.fields = fields
        self.exit_code = int(catalogue()[code].get("exit", 1))

    def texts(self, lang: str | None = None) -> tuple[str, str, str]:
        """What happened, the likely cause, and the next command, in `lang` (default: `language()`)."""
        lang = lang or language()
        templates = _templates(self.code, lang)
        facts = self.fields | {"reason": explained(self.fields.get("reason", ""))}
        if facts.get("nearest") == "":
            templates = [text.replace(" {nearest}", "") for text in templates]
        what, cause, way_out = (filled(text, facts, lang) for text in templates)
        return what, cause, way_out

    def message(self, lang: str | None = None) -> str:
        """The whole message, ready to print."""
        lang = lang or language()
        error, cause, way_out = _LABELS[lang]
        texts = self.texts(lang)
        return f"{error} {self.code}: {texts[0]}\n  {cause}: {texts[1]}\n  {way_out}: {texts[2]}"

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


def _rebuild(code: str, fields: dict[str, object]) -> BertwrightError:
    return BertwrightError(code, **fields)


@functools.cache
def catalogue() -> dict[str, dict[str, Any]]:
    """Every error by its code, as the files of `messages/` hold them: a file for each hundred of codes."""
    files = sorted(MESSAGES.glob("*.toml"))
    return {code: entry for file in files for code, entry in tomllib.loads(file.read_text(encoding="utf-8")).items()}


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """The entry of `known` that `word` was probably meant to be, or an empty string."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=cutoff)
    return close[0] if close else ""


def hint(word: str, known: Iterable[str]) -> str:
    """`(nearest?)` for a message, or an empty string."""
    close = nearest(word, known)
    return f"({close}?)" if close else ""
