"""Settings: frozen, read from TOML and from `key=value` words; a key nobody knows is an error."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from bertwright.errors import BertwrightError, nearest


class Settings(BaseModel):
    """A group of settings. Subclasses declare fields with types, bounds and a description each."""

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
                BW104 a recipe that cannot be read.
        """
        values: dict[str, Any] = _read_recipe(recipe) if recipe else {}
        for word in words:
            key, equals, text = word.partition("=")
            if not equals or not key:
                raise BertwrightError("BW103", word=word)
            values[key.strip().replace("-", "_")] = _value(text.strip())
        values |= {key: value for key, value in given.items() if value is not None}
        for key in values:
            if key not in cls.model_fields:
                known = ", ".join(cls.model_fields)
                raise BertwrightError("BW101", key=key, nearest=nearest(key, cls.model_fields) or known)
        try:
            return cls(**values)
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"]) or "?"
            raise BertwrightError("BW102", key=key, value=first["input"], reason=first["msg"]) from error


def _read_recipe(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise BertwrightError("BW104", file=path, reason=error.strerror or error) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BertwrightError("BW104", file=path, reason=error) from error


def _value(text: str) -> Any:
    """A typed word: a number, true or false, a list, or a string that needs no quotes."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
