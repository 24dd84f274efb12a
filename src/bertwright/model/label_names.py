"""The names of classes, in the forms in which a config has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

OF_CLASSES = {"num_labels", "id2label", "label2id"}


def unnamed(count: int) -> dict[int, str]:
    """Names that say nothing."""
    return {index: f"LABEL_{index}" for index in range(count)}


def by_index(label2id: Mapping[str, int]) -> dict[int, str]:
    """The names by their numbers."""
    return {index: label for label, index in label2id.items()}


def names_not_meant(values: Mapping[str, Any], changes: Mapping[str, Any]) -> set[str]:
    """What a file's `values` say of classes and is not read: what says it twice; all of it where `changes` differ."""
    names = values.get("id2label")
    told = changes.keys() & OF_CLASSES
    as_many = isinstance(names, dict) and changes.get("num_labels") == len(names)
    if told and not (as_many and told == {"num_labels"}):  # the names of the file are those of another task
        return OF_CLASSES
    return {"label2id"} if names is None else {"label2id", "num_labels"}
