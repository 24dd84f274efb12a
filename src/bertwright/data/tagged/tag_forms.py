"""Tags that are written in another way than `B-PER`: without a type, with the type first, in small letters."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from bertwright.data.tagged.schemes import OUTSIDE, is_tag

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
    if all(tag in _LETTERS and len(tag) == 1 for tag in inside):
        usual = {tag: f"{tag}-{ONE_TYPE}" for tag in inside}
        return TagForm(usual, f"tags without a type ({', '.join(inside)}): every entity is of the type {ONE_TYPE}")
    turned = {tag: match for tag in inside if (match := _TYPE_FIRST.fullmatch(tag))}
    if len(turned) == len(inside) and any(match[2] in "BS" for match in turned.values()):
        usual = {tag: f"{match[2]}-{match[1]}" for tag, match in turned.items()}
        return TagForm(usual, f"tags with the type first, as in {inside[0]}")
    if all(_SMALL.fullmatch(tag) or tag == OUTSIDE.lower() for tag in inside):
        usual = {tag: OUTSIDE if tag == OUTSIDE.lower() else tag[0].upper() + tag[1:] for tag in inside}
        return TagForm(usual, f"tags with small letters, as in {inside[0]}, read as capitals")
    return TagForm()
