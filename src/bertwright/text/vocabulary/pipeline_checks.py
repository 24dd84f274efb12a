"""What a `tokenizer.json` may not ask for, looked at before it is built: what takes all time or memory."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from bertwright.wording import Phrase

MOST_TOKENS = 1 << 21  # four times those of the largest multilingual BERT
_LONGEST_WORD = 1000  # characters; the library tries every end of every piece of a word
_MOST_GROWTH = 100  # times that the steps before the pieces may lengthen a text
_MOST_HOLES = 1_000_000  # ids that no token has
_ESCAPE = re.compile(r"\\(?:[pP]\{[^}]*\}|x\{[^}]*\}|.)", re.DOTALL)
_SET = re.compile(r"\[\^?\]?[^\]]*\]")
_BACK = re.compile(r"\\[1-9]|\\[kg]")
_REPEATED = re.compile(r"[*+]|\{\d*,?\d*\}")


def check_description(description: Any) -> None:
    """Raise ValueError, of which the only argument says why, for what no tokenizer of a BERT has."""
    if not isinstance(description, Mapping) or not isinstance(model := description.get("model"), Mapping):
        raise ValueError(Phrase("it describes no tokenizer"))
    _check_pieces(model)
    for pattern in _patterns(description):
        if may_never_end(pattern):
            raise ValueError(Phrase("the regular expression {pattern} may never end", pattern=repr(pattern)[:80]))
    if _growth(description.get("normalizer")) > _MOST_GROWTH:
        raise ValueError(Phrase("its normalizer makes texts more than {n} times as long", n=_MOST_GROWTH))


def _check_pieces(model: Mapping[str, Any]) -> None:
    vocabulary, unknown = model.get("vocab"), model.get("unk_token", "[UNK]")
    if not isinstance(vocabulary, Mapping):
        return  # of another kind; the library or whoever asked says so
    ids = vocabulary.values()
    if not all(type(one) is int and one >= 0 for one in ids):
        raise ValueError(Phrase("an id in its vocabulary is no whole number"))
    if len(vocabulary) > MOST_TOKENS or max(ids, default=0) > 10 * len(vocabulary) + _MOST_HOLES:
        raise ValueError(Phrase("ids up to {last:,} for {n:,} tokens", last=max(ids), n=len(vocabulary)))
    if len(set(ids)) < len(vocabulary):
        raise ValueError(Phrase("two tokens of its vocabulary have the same id"))
    if not isinstance(unknown, str) or unknown not in vocabulary:
        raise ValueError(Phrase("its unknown token {token} is not in its vocabulary", token=repr(unknown)[:80]))
    longest = model.get("max_input_chars_per_word", 100)
    if not (type(longest) is int and 0 < longest <= _LONGEST_WORD):
        told = repr(longest)[:40]
        raise ValueError(Phrase("max_input_chars_per_word = {value}: 1 to {most}", value=told, most=_LONGEST_WORD))


def _patterns(value: Any) -> Iterator[str]:
    """Every regular expression in a description."""
    if isinstance(value, Mapping):
        for key, one in value.items():
            if key == "vocab":
                continue
            if key == "Regex" and isinstance(one, str):
                yield one
            else:
                yield from _patterns(one)
    elif isinstance(value, list):
        for one in value:
            yield from _patterns(one)


def may_never_end(pattern: str) -> bool:
    """Whether a regular expression may try more ways than anybody waits for: what is repeated has a choice or a
    repetition inside, two repetitions may follow each other, or it refers back. Some harmless ones are among these.
    """
    if _BACK.search(pattern.replace("\\\\", "")):
        return True
    bare = _SET.sub("x", _ESCAPE.sub("x", pattern))
    groups = [_Group()]
    for at, sign in enumerate(bare):
        repeated = _REPEATED.match(bare, at + 1) is not None
        if sign == "(":
            groups.append(_Group())
        elif sign == "|":
            groups[-1].choose()
        elif sign == ")" and len(groups) > 1:
            inner = groups.pop()
            if repeated and (inner.has_choice or inner.repetitions):
                return True
            groups[-1].follow(inner.repetitions + repeated)
        else:
            groups[-1].follow(repeated)
    return any(group.repetitions > 1 for group in groups)


class _Group:
    """A part of an expression in brackets.

    Attributes:
        has_choice: whether it has alternatives.
    """

    def __init__(self) -> None:
        self.has_choice = False
        self._most = self._here = 0

    @property
    def repetitions(self) -> int:
        """So many may follow each other in one way through it."""
        return max(self._most, self._here)

    def follow(self, repetitions: int) -> None:
        """Something with so many comes next."""
        self._here += repetitions

    def choose(self) -> None:
        """Another alternative begins."""
        self.has_choice, self._most, self._here = True, self.repetitions, 0


def _growth(normalizer: Any) -> float:
    """How many times as long as before a text may become."""
    if not isinstance(normalizer, Mapping):
        return 1
    steps = normalizer.get("normalizers")
    grown = 1.0
    for step in steps if isinstance(steps, list) else []:
        grown = min(grown * _growth(step), 1e9)
    content, pattern = normalizer.get("content"), normalizer.get("pattern")
    if not isinstance(content, str):
        return grown
    literal = pattern.get("String", "") if isinstance(pattern, Mapping) else ""
    return grown * max(1, len(content) + 1 if not literal else len(content) / max(len(str(literal)), 1))
