"""What the names of classes tell: several labels in one cell, labels that are none, two names of one class."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence

from bertwright.data.examples import Where, label_of
from bertwright.data.inspection.finding import Finding
from bertwright.data.reading.tables import Table
from bertwright.text.han_forms import simplified
from bertwright.wording import said, shown

Classes = Mapping[str, int]  # with how many rows each has, the largest first

_JOINING = re.compile(r"[|｜;,、，；/+&\s#]")  # what people put between several labels
_CLEAR = "|｜"  # signs that stand in hardly any name
_ENDS = "\"'“”‘’`.。,，:：;；!！"  # around a name
_AROUND = " \t[](){}\"'“”‘’【】"  # of lists that somebody wrote as text
# Some of these are classes of some data, which only a person can tell.
_DOUBTFUL = frozenset(
    (
        *("none", "na", "n/a", "n.a", "nan", "nil", "null", "nul", "#null!", "#n/a", "#ref!", "#value!", "#name?"),
        *("unlabeled", "unlabelled", "unannotated", "untagged", "unknown", "undefined", "unspecified", "unassigned"),
        *("unclassified", "uncategorized", "uncategorised", "missing", "empty", "blank", "(blank)", "(empty)", "tbd"),
        *("nolabel", "no_label", "notlabeled", "notlabelled", "notavailable", "to_do", "to-do", "todo", "fixme"),
        *("?", "??", "???", "-", "--", "---", "–", "—", "_", "__", ".", "...", "…", "/", "\\", "*"),
        *("无", "暂无", "没有", "空", "空白", "缺失", "缺", "无标签", "没有标签", "未标注", "未标", "未标记", "未打标"),
        *(
            "未分类",
            "未知",
            "未定",
            "未定义",
            "未填",
            "未填写",
            "不详",
            "不明",
            "不知道",
            "待定",
            "待标注",
            "待标",
            "待补充",
        ),
    )
)


def several_labels(classes: Classes, table: Table) -> Finding | None:
    """Whether names such as `sports|news` are several labels in one cell: some of their parts come again in others."""
    signs = {found for label in classes for found in _JOINING.findall(label)}
    for sign in sorted(signs, key=lambda one: (one.isspace(), one)):
        parts_of = {label: _parts(label, sign) for label in classes}
        joined = [label for label, parts in parts_of.items() if len(parts) > 1]
        if joined and _come_again(sign, [parts_of[one] for one in joined], {
            parts[0] for parts in parts_of.values() if len(parts) == 1
        }):  # fmt: skip
            listed = shown((f"'{label}' {classes[label]}" for label in joined), 4)
            message = said(
                "train: {n} of {all} classes look like several labels joined by '{sign}' ({listed}); each is a class "
                "of its own here, and a model that gives a text several labels is not built yet",
                n=len(joined), all=len(classes), sign=sign, listed=listed,
            )  # fmt: skip
            return Finding("several labels", "warning", message, places_of(joined, table))
    return None


def _parts(label: str, sign: str) -> list[str]:
    """What stands between the signs."""
    name = label.strip(_AROUND)
    if sign == "#":
        tags = name.split(sign) if name.startswith(sign) else [name]  # `#a##b#` or `#a #b`
        return [part for one in tags if (part := one.strip(" ,，;；、"))]
    return [part for one in name.split(None if sign.isspace() else sign) if (part := one.strip(_AROUND))]


def _come_again(sign: str, joined: Sequence[Sequence[str]], single: Collection[str]) -> bool:
    """Whether most parts of joined names are classes of their own, or parts of other ones."""
    parts = [part for one in joined for part in one]
    if all(part in single for part in parts):
        return len(joined) > 1 or not sign.isspace()
    if sign.isspace():  # between the words of a name, too
        return False
    if sign == "#":
        return True
    if sign in _CLEAR and any(part in single for part in parts):
        return True
    again = [part for part in parts if part in single or parts.count(part) > 1]
    return (len(joined) > 1 or sign in _CLEAR) and len(again) >= 0.7 * len(parts)


def may_be_missing(classes: Classes, table: Table) -> list[Finding]:
    """Names that somebody may have written where a label is missing."""
    doubtful = [label for label in classes if _folded(label) in _DOUBTFUL]
    if not doubtful or (doubtful == ["-"] and "+" in classes):
        return []
    listed = shown(f"'{label}' {classes[label]}" for label in doubtful)
    message = said(
        "train: {listed} may stand for a missing label and is read as a class; if so, leave such cells empty and add "
        "--drop-unlabelled",
        listed=listed,
    )
    return [Finding("doubtful labels", "warning", message, places_of(doubtful, table))]


def one_class(classes: Classes, table: Table) -> list[Finding]:
    """Names that a person would take for one."""
    groups: dict[str, list[str]] = {}
    for label in classes:
        groups.setdefault(simplified(_folded(label)), []).append(label)
    findings = []
    for group in groups.values():
        if len(group) > 1:
            listed = shown(f"'{label}' {classes[label]}" for label in group)
            message = said(
                "train: one class under several names? They differ only in case, width, spaces, marks, invisible "
                "characters, or simplified and traditional forms, and are classes of their own ({listed})",
                listed=listed,
            )
            findings.append(Finding("alike labels", "warning", message, places_of(group[1:], table)))
    return findings


def _folded(label: str) -> str:
    """A name without its case, the width of its characters, its spaces, signs around it, and what nobody sees."""
    wide = unicodedata.normalize("NFKC", label)
    seen = "".join(sign for sign in wide if unicodedata.category(sign) != "Cf")
    bare = "".join(seen.split()).casefold()
    return bare.strip(_ENDS) or bare


def places_of(labels: Collection[str], table: Table) -> tuple[Where, ...]:
    """Where the examples of these classes are."""
    return tuple(example.where for example in table.examples if label_of(example) in labels)
