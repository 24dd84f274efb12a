"""Which scheme the tags of a file are of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bertwright.data.examples import Where
from bertwright.data.tagged.schemes import _TAG, OUTSIDE, Scheme
from bertwright.errors import BertwrightError

_MINORITY = 0.1  # a scheme that so few entities are written in is a mistake in the other one
_NAMES = {"iob1": "IOB1", "bio": "BIO", "bioes": "BIOES", "bmes": "BMES", "bilou": "BILOU", "io": "IO"}


@dataclass(slots=True)
class _Seen:
    """What was seen of one letter, or of one way to begin an entity."""

    count: int = 0
    first: tuple[Where, str] | None = None

    def add(self, where: Where, tag: str) -> None:
        self.count += 1
        self.first = self.first or (where, tag)


@dataclass(slots=True)
class SchemeSearch:
    """Fed with every sentence, it tells the scheme in the end."""

    letters: dict[str, _Seen] = field(default_factory=dict)
    begun_by_b: _Seen = field(default_factory=_Seen)  # where no entity of the type was before
    begun_by_i: _Seen = field(default_factory=_Seen)
    bare: _Seen = field(default_factory=_Seen)  # a type without a letter

    def add(self, tags: Sequence[str], places: Sequence[Where]) -> None:
        """Look at one sentence."""
        before = OUTSIDE
        for tag, where in zip(tags, places):
            match = _TAG.fullmatch(tag)
            if match is None:
                if tag != OUTSIDE:
                    self.bare.add(where, tag)
                before = OUTSIDE
                continue
            letter, kind = match.groups()
            self.letters.setdefault(letter, _Seen()).add(where, tag)
            if kind != before:
                if letter == "B":
                    self.begun_by_b.add(where, tag)
                elif letter == "I":
                    self.begun_by_i.add(where, tag)
            before = kind

    def scheme(self, source: str) -> Scheme:
        """The scheme of what was seen.

        Raises:
            BertwrightError: BW241 there are two.
        """
        with_letter = sum(one.count for letter, one in self.letters.items() if letter in "BIESMLU")
        if self.bare.count > with_letter:
            return "io"
        seen = self.letters
        marks: list[tuple[Scheme, str]] = [("bmes", "M"), ("bilou", "L"), ("bilou", "U")]
        found: list[tuple[Scheme, _Seen]] = [(scheme, seen[letter]) for scheme, letter in marks if letter in seen]
        ends = [seen[letter] for letter in "ES" if letter in seen]
        inside = seen.get("I")
        if found:
            scheme = found[0][0]
            others = [one for other, one in found if other != scheme]
            others += ends if scheme == "bilou" else []
            others += [inside] if scheme == "bmes" and inside else []
            self._refuse_two(source, scheme, found[0][1], others)
            return scheme
        if ends:
            # BMES without an entity of three tokens looks like BIOES, and means the same.
            return "bioes"
        b, i = self.begun_by_b, self.begun_by_i
        if min(b.count, i.count) > _MINORITY * (b.count + i.count):
            self._refuse_two(source, "bio", b, [i])
        return "iob1" if i.count > b.count else "bio"

    @staticmethod
    def _refuse_two(source: str, scheme: Scheme, one: _Seen, others: Sequence[_Seen]) -> None:
        for other in others:
            assert one.first is not None
            assert other.first is not None
            raise BertwrightError(
                "BW241",
                source=source,
                scheme=_NAMES[scheme],
                one=f"{one.first[1]} ({one.first[0]})",
                other=f"{other.first[1]} ({other.first[0]})",
            )
