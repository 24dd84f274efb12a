"""Words of a command line as a Chinese keyboard or a copied page gives them: dashes, signs of full width, quotes."""

from __future__ import annotations

import logging
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from bertwright.cli.wrong_usage import option_without_value
from bertwright.errors import BertwrightError
from bertwright.wording import LANGUAGES, said

log = logging.getLogger("bertwright")

_DASHES = "‐‑‒–—―−─﹘﹣－"
_QUOTES = {"“": "”", "‘": "’", "”": "“", "「": "」", "＂": "＂"}
_WIDE = re.compile(r"[\uff01-\uff5e\u3000]")
_WIDE_NUMBER = re.compile(r"[０-９．]+")
_SETTING = re.compile(r"[a-z][a-z0-9_-]*\s*=")


def is_a_setting(word: str) -> bool:
    """Whether a word is `key=value`."""
    return _SETTING.match(word) is not None


def options_first(words: Sequence[str]) -> list[str]:
    """The words of a command line with those options of the program that stand behind its verb before it.

    Raises:
        BertwrightError: BW139 `--lang` without a language.
    """
    first: list[str] = []
    rest: list[str] = []
    coming = iter(words)
    for word in coming:
        if word == "--":
            return [*first, *rest, word, *coming]
        if word == "--lang":
            value = next(coming, None)
            if value is None:
                raise option_without_value(word)
            first += [word, value]
        elif word.startswith("--lang=") or word in ("-q", "--quiet"):
            first.append(word)
        else:
            rest.append(word)
    return [*first, *rest]


def language_named(words: Sequence[str]) -> str:
    """The language that `--lang` names, where it is one of ours; it must be known before any help is printed."""
    for word, behind in zip(words, [*words[1:], ""]):
        if word == "--":
            break
        if word == "--lang" or word.startswith("--lang="):
            return as_language(behind if word == "--lang" else word.partition("=")[2])
    return ""


def as_language(word: str) -> str:
    """`zh` for `zh`, `zh_CN`, `ZH-cn`; an empty string for a language that nobody wrote."""
    short = re.split(r"[-_.]", word.lower())[0]
    return short if short in LANGUAGES else ""


def in_plain_signs(words: Iterable[str], options: set[str], settings: set[str], verb: str) -> list[str]:
    """The words with signs that a shell does not know replaced where only one reading is possible; each is said.

    Args:
        words: of the command, behind its verb.
        options: that the command has.
        settings: that may be given as flags, too.
        verb: `predict` is given texts, in which such signs are no mistake.
    """
    plain: list[str] = []
    for word in words:
        read = list(_read(word, options, settings, is_text=verb == "predict"))
        if read != [word] and (signs := _signs(word)):
            log.warning(said("'{word}' is read as: {read}  ({signs})", word=word, read=" ".join(read), signs=signs))
        plain += read
    return plain


def _read(word: str, options: set[str], settings: set[str], *, is_text: bool) -> Iterator[str]:
    dashed = word.lstrip(_DASHES + "-")
    if dashed != word and dashed:
        name, equals, value = _SEPARATOR.match(dashed).groups()  # type: ignore[union-attr]
        for option in (f"--{name}", f"--{name.replace('_', '-')}", f"-{name}"):
            if option in options or option[2:].replace("-", "_") in settings:
                value = unicodedata.normalize("NFKC", value) if _WIDE.search(value) else value
                if equals in (" ", "\u3000"):
                    yield from (option, value)
                else:
                    yield f"{option}={value}" if equals else option
                return
    if is_text:
        yield word
        return
    if word[:1] in _QUOTES and len(word) > 2 and word[-1] in "”’“‘」＂" and not Path(word).exists():
        word = word[1:-1]
    if _WIDE_NUMBER.fullmatch(word):
        yield unicodedata.normalize("NFKC", word)
        return
    if _WIDE.search(word) and _SETTING.match(unicodedata.normalize("NFKC", word)) and not Path(word).exists():
        yield from unicodedata.normalize("NFKC", re.sub(r"\u3000+(?=[a-z_]+\s*[=＝])", "\n", word)).split("\n")
        return
    yield from _files(word)


def _files(word: str) -> list[str]:
    """A name that no file has, as the file or the files that it means by its plain signs."""
    if not re.search(r"[，、；\uff01-\uff5e\u3000]", word) or Path(word).exists():
        return [word]
    parts = [unicodedata.normalize("NFKC", one).strip() for one in re.split(r"[，、；]", word)]
    files = [one for one in parts if one]
    return files if files and all(Path(one).exists() for one in files) else [word]


_SEPARATOR = re.compile(r"([^=＝\s\u3000]*)([=＝ \u3000]?)(.*)", re.DOTALL)


def _signs(word: str) -> str:
    """The signs of a word that a keyboard for Latin letters does not give, each with its number and name."""
    found = dict.fromkeys(sign for sign in word if sign in _DASHES or sign in "“”‘’「」、" or _WIDE.match(sign))
    return ", ".join(f"{sign} U+{ord(sign):04X} {unicodedata.name(sign, '').lower()}".strip() for sign in found)


def require_whole_quotes(texts: Sequence[str]) -> None:
    """Refuse texts that the shell cut out of one, since it does not know the quotes around it.

    Raises:
        BertwrightError: BW134.
    """
    for at, text in enumerate(texts):
        closing = _QUOTES.get(text[:1], "")
        if closing and text[0] in "“‘" and closing not in text:
            end = next((n for n in range(at + 1, len(texts)) if closing in texts[n]), None)
            if end is not None:
                whole = " ".join(texts[at : end + 1])
                raise BertwrightError("BW134", quote=text[0], cut=end - at + 1, text=whole.strip("“”‘’"))
