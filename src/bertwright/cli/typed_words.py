"""The words of a command line as they were meant: flags in the habit of people, and signs of another keyboard."""

from __future__ import annotations

import logging
import re
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bertwright.errors import BertwrightError
from bertwright.habits import habit
from bertwright.wording import quoted, said

log = logging.getLogger("bertwright")

_DASHES = "‐‑‒–—―－−"
_PAIRS = {"“": "”", "‘": "’"}
_QUOTES = "“”‘’「」『』＂＇"
_WITH_SETTINGS = ("finetune", "pretrain")
_READ_FILES = ("finetune", "evaluate", "compare", "inspect", "prepare", "vocab", "convert-data", "pretrain")
_LISTS = ("--among", "--columns")  # options whose value is a list of words
_BETWEEN_FILES = re.compile("[，、,；;]")
_FILE = re.compile(r"\.[A-Za-z]\w{1,7}(\.(gz|xz|bz2|zip))?$")
_ADDRESS = re.compile(r"(https?|ftp|s3|gs|hdfs)://\S+")
_NO_MINUS = re.compile(r"(?<=\d[eE])[–—−](?=\d)|^[–—−](?=\d)")  # of a copied page
_SETTING = re.compile(r"([A-Za-z_][\w-]*)\s*[=＝](.*)", re.DOTALL)


def meant(words: Sequence[str], options: Any) -> list[str]:
    """The words with what is unambiguous put right, each change said.

    Args:
        words: behind `bertwright`.
        options: of a verb, its options by their names: `options("finetune")` is a mapping of `--dev` to the kind of
            the value that follows, `number` or `text`, or to nothing.

    Raises:
        BertwrightError: BW101 a setting by the name that another program has for it, BW136 an address on a network
            where a file is read, BW146 files with a comma between them.
    """
    verb = next((word for word in words if not word.startswith(("-", *_DASHES))), "")
    words = [_of_this_keyboard(word, verb) for word in words]
    known = options(verb)
    words = _with_plain_values(words, known)
    if verb in _READ_FILES:
        for word in words:
            if found := _ADDRESS.fullmatch(word):
                raise BertwrightError("BW136", url=found[0], file=Path(found[0].partition("?")[0]).name)
            _refuse_files_in_one(word, verb)
    return _with_settings(words, verb, known) if verb in _WITH_SETTINGS else words


def options_first(words: Sequence[str]) -> list[str]:
    """The words of a command line with those options of the program that stand behind its verb before it."""
    first: list[str] = []
    rest: list[str] = []
    coming = iter(words)
    for word in coming:
        if word == "--":
            return [*first, *rest, word, *coming]
        if word == "--lang":
            first += [word, *(() if (value := next(coming, None)) is None else (value,))]
        elif word.startswith("--lang=") or word in ("-q", "--quiet"):
            first.append(word)
        else:
            rest.append(word)
    return [*first, *rest]


def _of_this_keyboard(word: str, verb: str) -> str:
    """A word without the dashes, quotes and equal signs that a keyboard or a word processor has put there."""
    better = word
    named = word.lstrip(_DASHES + "-")
    if word[:1] and word[0] in _DASHES and re.match(r"[a-z][a-z_-]*([=＝]|$)", named):  # else it is a text
        better = f"--{named}"
    if word[:1] in tuple(_QUOTES) and word[-1:] in tuple(_QUOTES) and len(word) > 2 and verb != "predict":
        better = better.strip(_QUOTES)
    if verb in _WITH_SETTINGS and (found := _SETTING.fullmatch(better)) and not better.startswith("-"):
        value = found[2].strip()
        if value.isascii() and "＝" not in better:
            return better
        plain = _NO_MINUS.sub("-", unicodedata.normalize("NFKC", value))
        better = f"{found[1]}={plain.strip(_QUOTES)}"
    if better != word:
        log.info(said("read {word} as {better}", word=repr(word), better=repr(better)))
    return better


def _with_plain_values(words: Sequence[str], options: Mapping[str, object]) -> list[str]:
    """The words with ASCII in numbers, and between the items of lists, behind an option: `--size ３０`, `好，坏`."""
    kept: list[str] = []
    option = ""  # the one whose value comes
    for word in words:
        name, sign, value = word.partition("=")
        if not option and "＝" in name and name.partition("＝")[0] in options:
            name, sign, value = word.partition("＝")
        if option:
            better = _plain(option, word, options)
        elif sign and name in options:
            better = f"{name}={_plain(name, value, options)}"
        else:
            better = word
        if better != word:
            log.info(said("read {word} as {better}", word=repr(word), better=repr(better)))
        kept.append(better)
        option = word if not option and options.get(word) else ""
    return kept


def _plain(option: str, value: str, options: Mapping[str, object]) -> str:
    if options.get(option) == "number":
        return unicodedata.normalize("NFKC", value)
    if option == "--seeds":
        return unicodedata.normalize("NFKC", value).replace("、", ",")
    if option == "--set":
        return value.replace("＝", "=")
    return re.sub("[，、]", ",", value) if option in _LISTS else value


def _refuse_files_in_one(word: str, verb: str) -> None:
    """Refuse `train.csv，dev.csv` where there is no such file: it is not guessed which is which."""
    parts = [part.strip() for part in _BETWEEN_FILES.split(word)]
    if len(parts) < 2 or not all(_FILE.search(part) for part in parts) or Path(word).exists():
        return
    sign = _BETWEEN_FILES.findall(word)[0]
    first, *others = map(quoted, parts)
    more = f"--dev {others[0]}" if verb in ("finetune", "inspect") else " ".join(others)
    raise BertwrightError("BW146", word=word, sign=sign, command=f"bertwright {verb} {first} {more}")


def _with_settings(words: Sequence[str], verb: str, options: Mapping[str, object]) -> list[str]:
    """`--epochs 3` and `--epochs=3` as `epochs=3`, for every setting that is no option of the verb."""
    kept: list[str] = []
    settings: frozenset[str] | None = None
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        name, equals, value = word.partition("=")
        if not word.startswith("--") or len(word) == 2 or name in options:
            kept.append(word)
            if not equals and options.get(name) and at < len(words):  # its value is not to be looked at
                kept.append(words[at])
                at += 1
            continue
        settings = settings if settings is not None else _settings_of(verb)
        key = name[2:].replace("-", "_")
        if key not in settings:
            if close := habit(key, settings):
                raise BertwrightError("BW101", key=key, nearest=close)
            kept.append(word)
            continue
        if not equals:
            follows = at < len(words) and not words[at].startswith("--") and "=" not in words[at]
            value, at = (words[at], at + 1) if follows else ("true", at)
        kept.append(f"{key}={value}")
    return kept


def _settings_of(verb: str) -> frozenset[str]:
    if verb == "pretrain":
        from bertwright.training.pretraining.pretrain_settings import PretrainSettings

        return frozenset(PretrainSettings.model_fields)
    from bertwright.training.finetuning.task_settings import every_setting

    return frozenset(every_setting().model_fields)


def require_whole_quotes(texts: Sequence[str]) -> None:
    """Refuse texts that the shell cut out of one, since it does not know the quotes around it.

    Raises:
        BertwrightError: BW139.
    """
    for at, text in enumerate(texts):
        closing = _PAIRS.get(text[:1], "")
        if closing and closing not in text:
            end = next((n for n in range(at + 1, len(texts)) if closing in texts[n]), None)
            if end is not None:
                whole = " ".join(texts[at : end + 1])
                raise BertwrightError("BW139", quote=text[0], cut=end - at + 1, text=whole.strip("“”‘’"))
