"""What a `task.json` may say, checked as settings are: no value is taken for another, and no word is passed over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator

from bertwright.data.windows import Long, Reading
from bertwright.errors import BertwrightError
from bertwright.wording import Phrase

Version = Annotated[int, Field(ge=1)]
Temperature = Annotated[float, Field(ge=0.01, le=100)]
_SHORTEST = 3  # [CLS], a token, [SEP]


class TaskValues(BaseModel):
    """What a task says of itself. Subclasses declare fields with types and bounds."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True, allow_inf_nan=False)

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Those of the task among all `values` of the file; raises pydantic's `ValidationError`."""
        return cls.model_validate(values)


class TaskHeader(BaseModel):
    """What every `task.json` says: of which format it is, which task, and how texts are read."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    schema_version: Version
    bertwright_version: str = ""
    task: str
    max_length: int = Field(ge=_SHORTEST)
    long: Long
    overlap: int = Field(ge=0, le=1_000_000)

    def reading(self) -> Reading:
        """How texts are read; raises ValueError for an overlap that leaves no room."""
        try:
            return Reading(self.max_length, self.long, self.overlap)
        except BertwrightError as error:
            raise ValueError(error.texts()[0]) from error


class NamedClasses(TaskValues):
    """Names of which none is there twice."""

    @field_validator("labels", "types", check_fields=False)
    @classmethod
    def _each_once(cls, names: list[str]) -> list[str]:
        if len(set(names)) < len(names):
            raise ValueError(Phrase("no name may stand there twice"))
        return names
