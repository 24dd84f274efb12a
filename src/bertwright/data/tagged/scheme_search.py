"""Which scheme the tags of a file are of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bertwright.data.examples import Where
from bertwright.data.tagged.schemes import _TAG, OUTSIDE, Scheme
from bertwright.errors import BertwrightError

_MINORITY = 0.1  # a scheme that so few entities are written in is a mistake in the other one
_SLIPS, _ENDS = 0.25, 0.5  # shares below which a letter is a slip: of the letters of another scheme, of the beginnings
# A letter that tells the scheme, and those that this one does not have; looked for in this order. Where it is rare
# beside one of these, or beside the beginnings that it belongs to, it is a mistake itself.
_TELLING: tuple[tuple[str, Scheme, str], ...] = (("M", "bmes", "LUI"), ("L", "bilou", "ES"), ("U", "bilou", "ES"))
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

    letters: dict[str, _Seen] = field(default_factory=lambda: {letter: _Seen() for letter in "BIESMLU"})
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
            if letter in self.letters:
                self.letters[letter].add(where, tag)
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
        seen = self.letters
        if self.bare.count > sum(one.count for one in seen.values()):
            return "io"
        for letter, scheme, strange in _TELLING:
            others = [seen[other] for other in strange]
            if self._is_meant(letter, others):
                self._refuse_two(source, scheme, seen[letter], others)
                return scheme
        if self._is_meant("E") or self._is_meant("S"):
            # BMES without an entity of three tokens looks like BIOES, and means the same.
            return "bioes"
        b, i = self.begun_by_b, self.begun_by_i
        if min(b.count, i.count) > _MINORITY * (b.count + i.count):
            self._refuse_two(source, "bio", b, [i])
        return "iob1" if i.count > b.count else "bio"

    def _is_meant(self, letter: str, strange: Sequence[_Seen] = ()) -> bool:
        """Whether a letter is more than a slip: every entity of several tokens that ends by one begins by `B`."""
        count = self.letters[letter].count
        ends = sum(self.letters[one].count for one in "ELSUM")
        beside = max((one.count for one in strange), default=0)
        return count > _SLIPS * beside and count > 0 and ends > _ENDS * self.letters["B"].count

    def _refuse_two(self, source: str, scheme: Scheme, one: _Seen, others: Sequence[_Seen]) -> None:
        """BW241; a few strange ones among many are mistakes, which whoever reads on refuses one by one."""
        everything = sum(letter.count for letter in self.letters.values())
        for other in others:
            if one.first and other.first and other.count > _MINORITY * everything:
                raise BertwrightError(
                    "BW241", source=source, scheme=_NAMES[scheme], one=_shown(*one.first), other=_shown(*other.first)
                )


def _shown(where: Where, tag: str) -> str:
    return f"{tag} ({where})"
