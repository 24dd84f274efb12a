"""Settings of the tasks that mark parts of texts."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bertwright.data.tagged.units import Unit
from bertwright.settings import Settings
from bertwright.tasks.task_values import NamedClasses


class EntityValues(NamedClasses):
    """What `task.json` says of a task that marks parts of texts."""

    types: list[Annotated[str, Field(min_length=1)]] = Field(min_length=1)
    unit: Unit
    scaling: Annotated[list[float], Field(min_length=2, max_length=2)] | None = None


class SpanSettings(Settings):
    """What `spans` may set."""

    unit: Literal["auto", "token", "word", "character"] = Field(
        "auto",
        description="tagging, spans: what an entity is made of: tokens (U.S., O'Brien), words and single marks, "
        "characters; auto: characters in Chinese, elsewhere the largest that entities do not cut",
    )


class TaggingSettings(SpanSettings):
    """What `tagging` may set."""

    head: Literal["crf", "softmax"] = Field("crf", description="tagging: over all tags of a text, or each for itself")
    scheme: Literal["bio", "bioes"] = Field("bio", description="tagging: of the tags that the model learns")
