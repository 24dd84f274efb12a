"""The words that a person reads, in English and in Chinese.

English stands in the code, where it is said; `messages/phrases/` holds the Chinese of every phrase, a file for each
room. Facts are named, so that each language puts them where it needs them:

    log.info(said("{rows:,} rows in {file}", rows=12, file=path))

Messages of errors, which have a code, a cause and a way out, stand in `messages/` whole (`errors.py`).
`tests/test_wording.py` checks that no phrase is without its Chinese, and that no sentence is said without this room.
"""

from __future__ import annotations

import functools
import os
import shlex
import string
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LANGUAGES = ("en", "zh")
MESSAGES = Path(__file__).parent / "messages"


def language() -> str:
    """The language of everything a person reads: `BERTWRIGHT_LANG`, else the locale, else English."""
    for variable in ("BERTWRIGHT_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(variable, "")
        if value:
            return "zh" if value.lower().startswith("zh") else "en"
    return "en"


@functools.cache
def phrases() -> dict[str, str]:
    """The Chinese of every phrase, by its English."""
    files = sorted((MESSAGES / "phrases").glob("*.toml"))
    return {english: chinese for file in files for english, chinese in tomllib.loads(file.read_text("utf-8")).items()}


def worded(text: str, lang: str | None = None) -> str:
    """`text`, a phrase in English, in `lang` (default: `language()`); facts in braces stay as they are."""
    return phrases().get(text, text) if (lang or language()) == "zh" else text


@dataclass(frozen=True, slots=True, init=False)
class Phrase:
    """A phrase with its facts that is not yet in a language: a reason in a message, a remark that is kept.

    Attributes:
        text: English, as it stands in the catalogue, with `{facts}`.
        facts: what the braces are filled with; a fact may be a `Phrase` itself.
    """

    text: str
    facts: Mapping[str, Any]

    def __init__(self, text: str, /, **facts: Any) -> None:
        object.__setattr__(self, "text", text)
        object.__setattr__(self, "facts", facts)

    def within(self, lang: str) -> str:
        """It in `lang`."""
        return filled(worded(self.text, lang), self.facts, lang)

    def __str__(self) -> str:
        return self.within(language())

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)


def said(text: str, /, **facts: Any) -> str:
    """A phrase in the language of the moment, with its facts: `said("{count:,} rows", count=12)`."""
    return filled(worded(text), facts, language())


def filled(text: str, facts: Mapping[str, Any], lang: str) -> str:
    """`text` of `lang` with its facts in their places; `{folder!q}` is a fact as a word of a command."""
    return _Filling(lang).vformat(text, (), facts)


class _Filling(string.Formatter):
    def __init__(self, lang: str) -> None:
        self.lang = lang

    def format_field(self, value: Any, format_spec: str) -> str:
        value = value.within(self.lang) if hasattr(value, "within") else value  # a phrase, or a place
        return str(super().format_field(value, format_spec))

    def convert_field(self, value: Any, conversion: str | None) -> Any:
        return quoted(value) if conversion == "q" else super().convert_field(value, conversion)


def quoted(word: object) -> str:
    """A path or a name as a shell reads it, in a command that a person may copy."""
    return shlex.quote(word.as_posix() if isinstance(word, Path) else str(word))


def quantity(count: int, one: str, more: str = "") -> str:
    """`1 text`, `2,000 texts`, `2,000 个文本`; `more`: the plural, where an `s` does not make it."""
    if language() == "zh":
        return f"{count:,} {worded(one)}"
    return f"{count:,} {one if count == 1 else more or one + 's'}"


def side_by_side(*sentences: str) -> str:
    """Sentences in one paragraph: a space between them in English, none in Chinese."""
    return ("" if language() == "zh" else " ").join(filter(None, sentences))


def measure_name(name: str) -> str:
    """A metric or a loss, by its key, in the language of the moment: of `mlm_loss` that is MLM 损失."""
    if language() != "zh" or name in phrases():
        return worded(name)
    objective, _, what = name.rpartition("_")
    return f"{objective.upper()} {worded(what)}" if objective in ("mlm", "nsp", "sop") else name


def shown(items: Iterable[object], limit: int = 8) -> str:
    """`a, b, c` for a message: at most `limit` items, the rest counted."""
    listed = [str(item) for item in items]
    more = len(listed) - limit
    comma = "、" if language() == "zh" else ", "
    return comma.join(listed[:limit]) + (f"{comma}… (+{more})" if more > 0 else "")
