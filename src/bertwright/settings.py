"""Settings: frozen, read from TOML and from `key=value` words; a key nobody knows is an error."""

from __future__ import annotations

import logging
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails, PydanticKnownError

from bertwright.errors import BertwrightError, nearest
from bertwright.habits import habit
from bertwright.wording import Phrase, said

_SHORTEST = 3  # letters of words that say nothing of a setting
_STEM = 4  # letters at the beginning of a word that make it the same
log = logging.getLogger("bertwright")


class Settings(BaseModel):
    """A group of settings. Subclasses declare fields with types, bounds and a description each.

    A validator says what is wrong by a ValueError of one `Phrase`.

    Attributes:
        former_words: keys that the version before knew, and what they are called now; they are obeyed, and said.
    """

    former_words: ClassVar[Mapping[str, str]] = {}
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @classmethod
    def resolve(cls, recipe: Path | None = None, words: Iterable[str] = (), **given: Any) -> Self:
        """Settings from a recipe, laid over by `key=value` words, laid over by keyword arguments.

        Args:
            recipe: a TOML file.
            words: as typed: `learning_rate=1e-4 epochs=2`.
            **given: values; None means not given.

        Raises:
            BertwrightError: BW101 an unknown key, BW102 a value that does not fit, BW103 a word without `=`,
                BW104 a recipe that cannot be read, BW134 a key that is typed twice with two values, BW147 an unknown
                key of a recipe, BW148 a value of a recipe that does not fit.
        """
        of_recipe: dict[str, Any] = _read_recipe(recipe) if recipe else {}
        laid_over = _typed(words) | {key: value for key, value in given.items() if value is not None}
        values = of_recipe | laid_over
        for former in values.keys() & cls.former_words.keys():
            now = cls.former_words[former]
            log.warning(
                said(
                    "{former} is called {now} now; the next version will not know the old word", former=former, now=now
                )
            )
            values.setdefault(now, values.pop(former))
        for key in values:
            if key not in cls.model_fields:
                close = _meant(key, cls.model_fields)
                if recipe and key not in laid_over:
                    raise BertwrightError("BW147", where=_place(recipe, key), key=key, nearest=close)
                raise BertwrightError("BW101", key=key, nearest=close)
        try:
            return cls(**values)
        except ValidationError as error:
            key, value, reason = first_problem(error)
            name = key.partition(".")[0]
            if recipe and name in of_recipe and name not in laid_over:
                place = _place(recipe, name)
                raise BertwrightError("BW148", where=place, key=key, value=value, reason=reason) from error
            raise BertwrightError("BW102", key=key, value=value, reason=reason) from error

    def changed(self, **changes: Any) -> Self:
        """These settings with `changes` laid over those that were given. Raises as `resolve` does."""
        return self.resolve(**(self.model_dump(exclude_unset=True) | changes))


def first_problem(error: ValidationError) -> tuple[str, Any, Phrase]:
    """The first thing that does not fit: its key, its value, and why."""
    first = error.errors()[0]
    return ".".join(map(str, first["loc"])) or "?", first["input"], _reason(first)


def _reason(found: ErrorDetails) -> Phrase:
    """Why a value does not fit: in the words of a validator of ours, else in those of the library."""
    context = found.get("ctx", {})
    if found["type"] == "value_error" and isinstance(reason := context["error"].args[0], Phrase):
        return reason
    kind: Any = found["type"]  # the stub lists every kind
    template = PydanticKnownError(kind, context).message_template  # facts in braces, as in our phrases
    facts = {"expected_plural": "s"} | {
        name: f"{fact:g}" if isinstance(fact, float) else fact for name, fact in context.items()
    }
    if " or " in facts.get("expected", ""):
        choices, _, last = facts["expected"].rpartition(" or ")
        facts["expected"] = Phrase("{choices} or {last}", choices=choices, last=last)
    return Phrase(template, **facts)


def _meant(key: str, known: Iterable[str]) -> str:
    """What an unknown key was probably meant to be; where nothing comes near, every setting."""
    names = list(known)
    found = habit(key, names) or nearest(key, names, 0.75) or habit(key) or nearest(key, names)
    return found or ", ".join(_with_a_word_of(key, names) or names)


def _with_a_word_of(key: str, names: Iterable[str]) -> list[str]:
    """The settings whose name has a word, or the beginning of one, in common with `key`: `beta` of `adam_beta1`."""
    words = {word for word in key.lower().split("_") if len(word) > _SHORTEST}
    return [
        name
        for name in names
        if any(ours.startswith(word[:_STEM]) for word in words for ours in name.split("_") if len(ours) > _SHORTEST)
    ]


def _place(recipe: Path, key: str) -> str:
    """`recipe.toml:3`, the line where a key stands."""
    keys = re.compile(rf"""\s*(\[\s*)?["']?{re.escape(key)}["']?\s*[.=\]]""")
    lines = recipe.read_text(encoding="utf-8").splitlines()
    return next((f"{recipe}:{at}" for at, line in enumerate(lines, 1) if keys.match(line)), str(recipe))


def _read_recipe(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise BertwrightError("BW104", file=path, reason=error.strerror or error) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BertwrightError("BW104", file=path, reason=error) from error


def _typed(words: Iterable[str]) -> dict[str, Any]:
    """The words by their keys; raises BW103, and BW134 for a key with two values."""
    values: dict[str, Any] = {}
    for key, value in map(_setting, words):
        if repr(values.setdefault(key, value)) != repr(value):  # of two nan neither equals the other
            raise BertwrightError("BW134", key=key, first=values[key], second=value)
    return values


def _setting(word: str) -> tuple[str, Any]:
    key, equals, text = word.partition("=")
    if not equals or not key:
        raise BertwrightError("BW103", word=word)
    return key.strip().replace("-", "_"), _value(text.strip())


def _value(text: str) -> Any:
    """A typed word: a number, true or false, a list, or a string that needs no quotes."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except ValueError:  # no TOML, or a number of thousands of digits
        return text
