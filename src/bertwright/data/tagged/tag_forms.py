"""Tags that are written in another way than `B-PER`: without a type, with the type first, in small letters."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from bertwright.data.tagged.schemes import OUTSIDE, is_tag
from bertwright.wording import said, shown

ONE_TYPE = "ENTITY"
_LETTERS = "BIESMLU"
_TYPE_FIRST = re.compile(rf"(.+)[-_]([{_LETTERS}])", re.DOTALL)
_SMALL = re.compile(rf"[{_LETTERS.lower()}][-_].+", re.DOTALL)


@dataclass(frozen=True, slots=True)
class TagForm:
    """How the tags of a file are written.

    Attributes:
        usual: each tag as the schemes of this room have it; empty where all are so already.
        remark: what a person should know; empty where there is nothing.
    """

    usual: Mapping[str, str] = field(default_factory=dict)
    remark: str = ""


def tag_form(tags: Collection[str]) -> TagForm:
    """The form of the distinct tags of a file. Types without any letter (the scheme IO) are left as they are."""
    inside = sorted(set(tags) - {OUTSIDE})
    if all(map(is_tag, inside)):
        return TagForm()
    return next((form for rule in (_without_type, _type_first, _small) if (form := rule(inside))), TagForm())


def _without_type(tags: Sequence[str]) -> TagForm | None:
    if not all(tag in _LETTERS and len(tag) == 1 for tag in tags):
        return None
    usual = {tag: f"{tag}-{ONE_TYPE}" for tag in tags}
    return TagForm(
        usual, said("tags without a type ({tags}): every entity is of the type {type}", tags=shown(tags), type=ONE_TYPE)
    )


def _type_first(tags: Sequence[str]) -> TagForm | None:
    turned = {tag: match for tag in tags if (match := _TYPE_FIRST.fullmatch(tag))}
    if len(turned) < len(tags) or not any(match[2] in "BS" for match in turned.values()):
        return None
    usual = {tag: f"{match[2]}-{match[1]}" for tag, match in turned.items()}
    return TagForm(usual, said("tags with the type first, as in {tag}", tag=tags[0]))


def _small(tags: Sequence[str]) -> TagForm | None:
    outside = OUTSIDE.lower()
    if not all(_SMALL.fullmatch(tag) or tag == outside for tag in tags):
        return None
    usual = {tag: OUTSIDE if tag == outside else tag[0].upper() + tag[1:] for tag in tags}
    return TagForm(usual, said("tags with small letters, as in {tag}, read as capitals", tag=tags[0]))
