"""Which column of a table is which: by the usual names, else by a look at the rows; one rule after the other."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, get_args

from bertwright.data.reading.columns.column_names import KNOWN, LABELS, OTHERS, PAIRS, SOURCES, TARGETS, TEXTS, plain
from bertwright.data.reading.columns.column_profile import ColumnProfile
from bertwright.data.reading.rows import what_it_is
from bertwright.data.reading.tables import Columns
from bertwright.errors import BertwrightError, nearest
from bertwright.wording import Phrase, quoted, shown

Role = Literal["text", "text_b", "label", "target"]
ROLES: tuple[Role, ...] = get_args(Role)
Found = dict[Role, int]  # the place of the column that has a role

_LIKE = 3.0  # texts of a pair are of like length; a title and its article are not
_LONGEST_CELL = 40
_ROLE_NAMES: dict[Role, Phrase] = {
    "text": Phrase("the text"),
    "text_b": Phrase("the second text"),
    "label": Phrase("the label"),
    "target": Phrase("the target"),
}
# Where a role has no column: the other role that may have taken it, and what it would usually be called.
_FOR_ANOTHER: dict[str, tuple[Role, Collection[str], Role]] = {
    "BW221": ("text", LABELS, "label"),
    "BW220": ("label", TEXTS, "text"),
}


class ColumnSearch:
    """The search for the columns of one source.

    Args:
        source: its name.
        names: of the columns, or their numbers from 1.
        cells: the first ones of each column, at least one.
        has_names: whether the names say something.
        labelled: whether there must be a label or a target.
        pair: whether there must be a second text (True), must not be (False), or is looked for (None).
    """

    def __init__(
        self,
        source: str,
        names: Sequence[str],
        cells: Sequence[Sequence[Any]],
        *,
        has_names: bool,
        labelled: bool,
        pair: bool | None,
    ) -> None:
        self.labelled, self.pair = labelled, pair
        self.found: Found = {}
        self.plain = [plain(name) for name in names] if has_names else []
        self.profile = cache(lambda at: ColumnProfile.of(cells[at]))
        self._source, self._names, self._cells = source, [name.strip() for name in names], cells

    def run(self, rules: ColumnRules, wished: Columns) -> Found:
        """The place of every role that has one; what somebody `wished` comes first.

        Raises:
            BertwrightError: BW206 a column that was named is not there, BW236 is there twice, BW272 it is named for
                two roles; and those of the rules.
        """
        self.found = {role: self._wished(name) for role in ROLES if (name := getattr(wished, role)) is not None}
        for role, at in self.found.items():
            if others := [other for other, there in self.found.items() if there == at and other != role]:
                raise self._taken_twice(at, role, others[0])
        for role, rule in rules.steps:
            if role not in self.found:
                self.found = rule(self) | self.found
        self._refuse_swapped(wished)
        return self.found

    def _refuse_swapped(self, wished: Columns) -> None:
        """BW272 where one of two columns was named, and by their names each is what the other one became."""
        if (
            not self.plain
            or not self.found.keys() >= {"text", "label"}
            or (wished.text is None) == (wished.label is None)
        ):
            return
        text, label = self.found["text"], self.found["label"]
        if self.plain[text] in LABELS and self.plain[label] in TEXTS:
            raise self._taken_twice(text, "text", "label") if wished.text else self._taken_twice(label, "label", "text")

    def _wished(self, name: str) -> int:
        for known, wanted in ((self._names, name), (self.plain, plain(name))):
            if wanted in known:
                return self._only([at for at, one in enumerate(known) if one == wanted], name)
        if name.isdecimal() and 1 <= int(name) <= len(self._names):
            return int(name) - 1
        close = nearest(name, self._names)
        close = f"({close}?)" if close else ""
        raise BertwrightError("BW206", source=self._source, column=name, header=shown(self._names), nearest=close)

    def _taken_twice(self, at: int, one: Role, other: Role) -> BertwrightError:
        return BertwrightError(
            "BW272", source=self._source, column=self._names[at], header=shown(self._names),
            one=_ROLE_NAMES[one], other=_ROLE_NAMES[other],
        )  # fmt: skip

    def _only(self, places: Sequence[int], name: str) -> int:
        if len(places) > 1:
            raise BertwrightError("BW236", source=self._source, column=name, count=len(places))
        return places[0]

    def named(self, usual: Collection[str]) -> int | None:
        """The free column with the first of these names that there is; raises BW236 where there are two."""
        for name in usual:
            if places := [at for at in self.free() if self.plain and self.plain[at] == name]:
                return self._only(places, name)
        return None

    def free(self) -> list[int]:
        """Columns without a role."""
        return [at for at in range(len(self._names)) if at not in self.found.values()]

    def open(self) -> list[int]:
        """Free columns whose name does not say that they are something else."""
        return [at for at in self.free() if not self.plain or self.plain[at] not in OTHERS]

    def unlike_the_training_data(self, first: int, second: int) -> BertwrightError:
        """The error for pairs beside single texts."""
        pair = shown(repr(self._names[at]) for at in (first, second))
        return BertwrightError("BW238", source=self._source, columns=pair)

    def multi_hot(self) -> BertwrightError | None:
        """The error for columns of 0 and 1, of which a text has several; None where there are no three such."""
        zeros_and_ones = [at for at in self.open() if self.profile(at).values == {"0", "1"}]
        if len(zeros_and_ones) < 3 or not self.plain:
            return None
        names = [self._names[at] for at in zeros_and_ones]
        return BertwrightError("BW218", source=self._source, columns=shown(names), first=quoted(names[0]))

    def unclear(self, code: str) -> BertwrightError:
        """The error `code`, with the first cells of all columns; BW205: all are empty, BW261: labels need a second,
        BW272: what would be the label is named as the text, or the other way round, BW224: it all lies in an object.
        """
        if code in _FOR_ANOTHER:
            named, usual, sought = _FOR_ANOTHER[code]
            at = self.found.get(named)
            if at is not None and self.plain and self.plain[at] in usual:
                return self._taken_twice(at, named, sought)
        for name, (first, *_) in zip(self._names, self._cells):
            if isinstance(first, Mapping) and not KNOWN.isdisjoint(map(plain, map(str, first))):
                kind, way_out = what_it_is(first)
                return BertwrightError("BW224", where=self._source, column=name, kind=kind, way_out=way_out)
        values = (" ".join(str(cells[0]).split()) for cells in self._cells)
        cut = (value if len(value) <= _LONGEST_CELL else value[:_LONGEST_CELL] + "…" for value in values)
        sample = " | ".join(f"{name} = {value}" for name, value in zip(self._names, cut))
        if not any(str(cell).strip() for cells in self._cells for cell in cells):
            return BertwrightError("BW205", source=self._source)
        if code == "BW221" and len(self._names) == 1:
            return BertwrightError("BW261", source=self._source, sample=sample)
        return BertwrightError(code, source=self._source, sample=sample)


Rule = Callable[[ColumnSearch], Found]


def _by_name(role: Role, usual: Collection[str]) -> Rule:
    def rule(search: ColumnSearch) -> Found:
        at = search.named(usual)
        return {} if at is None else {role: at}

    return rule


def _named_pair(search: ColumnSearch) -> Found:
    if "text_b" in search.found:
        return {}
    for names in PAIRS:
        if all(name in search.plain for name in names):
            first, second = (search.named([name]) for name in names)
            # Some files carry an empty `text_b` beside single texts.
            if first is not None and second is not None and search.profile(second).filled:
                if search.pair is False and "text" not in search.found:
                    raise search.unlike_the_training_data(first, second)
                return {} if search.pair is False else {"text": first, "text_b": second}
    return {}


def _most_like_labels(search: ColumnSearch) -> Found:
    """BW221 where two columns look so, or none."""
    if not search.labelled:
        return {}
    ranks = {at: rank for at in search.open() if (rank := search.profile(at).label_rank) is not None}
    best = [at for at, rank in ranks.items() if rank == min(ranks.values())]
    best.sort(key=lambda at: search.profile(at).width)
    if len(best) == 2:
        # In a handful of rows even texts are "a few values"; the label is then the shorter one.
        shorter, longer = map(search.profile, best)
        best = best[:1] if shorter.width * 2 <= longer.width and shorter.rows < 10 else best
    if len(best) != 1:
        raise search.multi_hot() or search.unclear("BW221")
    return {"label": best[0]}


def _longest_texts(search: ColumnSearch) -> Found:
    """The longest texts and, if it is a pair, those that are like them; BW220 where it is not clear."""
    texts = sorted((at for at in search.open() if search.profile(at).is_text), key=lambda at: -search.profile(at).width)
    if not texts:
        return _beside_labels(search)
    like = [at for at in texts if search.profile(at).width * _LIKE >= search.profile(texts[0]).width]
    if len(like) == 1:
        return {"text": texts[0]}
    if len(like) > 2 or search.pair is False:
        raise search.unclear("BW220")
    return {"text": min(like), "text_b": max(like)}


def _beside_labels(search: ColumnSearch) -> Found:
    """In one or two rows, or short ones: a column beside one of labels, or alone, can only be the text."""
    free = search.open()
    labels = [at for at in free if search.profile(at).label_rank is not None]
    rest = [at for at in free if at not in labels[: len(free) - 1]]
    if len(free) > 2 or len(rest) != 1:
        raise search.unclear("BW220")
    return {"text": rest[0]}


def _other_text(search: ColumnSearch) -> Found:
    """BW222 where there must be a second text, and no column or several are like one."""
    if not search.pair:
        return {}
    texts = [at for at in search.open() if search.profile(at).is_text]
    if len(texts) != 1:
        raise search.unclear("BW222")
    return {"text_b": texts[0]}


def _second_source(search: ColumnSearch) -> Found:
    at = search.named(["text_b"]) if "target" in search.found else None
    return {} if at is None else {"text_b": at}


def _first_of_the_rest(search: ColumnSearch) -> Found:
    """Of two columns the first is the source; BW612 where there are more."""
    free = search.free()
    if len(free) != 1 and ("target" in search.found or len(free) != 2):
        raise search.unclear("BW612")
    return {"text": free[0]}


def _last_of_the_rest(search: ColumnSearch) -> Found:
    """BW612 where there must be a target, and it may be several columns or none."""
    free = search.free()
    if len(free) != 1 and search.labelled:
        raise search.unclear("BW612")
    return {"target": free[0]} if len(free) == 1 else {}


@dataclass(frozen=True, slots=True)
class ColumnRules:
    """What is looked for.

    Attributes:
        steps: each with the role that it may find a column for, tried in this order where the role has none yet.
        header: names of which one makes a header of the first row.
        partners: what second texts would be called beside columns with these plain names.
    """

    steps: tuple[tuple[Role, Rule], ...]
    header: frozenset[str]
    partners: Callable[[Collection[str]], Collection[str]]


TEXTS_WITH_LABELS = ColumnRules(
    (
        ("label", _by_name("label", LABELS)),
        ("text", _named_pair),
        ("text", _by_name("text", TEXTS)),
        ("label", _most_like_labels),
        ("text", _longest_texts),
        ("text_b", _other_text),
    ),
    frozenset(),
    lambda names: {second for first, second in PAIRS if first in names},
)
TEXTS_WITH_TARGETS = ColumnRules(
    (
        ("target", _by_name("target", TARGETS)),
        ("text", _by_name("text", SOURCES)),
        ("text_b", _second_source),
        ("text", _first_of_the_rest),
        ("target", _last_of_the_rest),
    ),
    frozenset((*SOURCES, *TARGETS)),
    lambda _: {"text_b"},
)
