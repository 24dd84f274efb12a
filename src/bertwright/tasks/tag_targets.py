"""What a tagger learns at each token of its inputs.

Shapes: N inputs, S tokens of an input, W units of a text.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from bertwright.data.examples import Example, Span
from bertwright.data.spans.encoding import EncodedUnits, Ints
from bertwright.data.spans.schemes import Scheme, spell_tag, write_tags
from bertwright.data.spans.units import Unit, span_of_units, trim
from bertwright.data.targets import RaggedTargets
from bertwright.errors import shown
from bertwright.model.losses import IGNORED

log = logging.getLogger("bertwright")


def tag_targets(
    examples: Sequence[Example], encoded: EncodedUnits, tags: Sequence[str], scheme: Scheme, unit: Unit
) -> RaggedTargets:
    """The tag of each unit at its first piece; -100 at other pieces, and where an input holds a part of an entity
    only: there the other inputs of the text teach.
    """
    number = {tag: index for index, tag in enumerate(tags)}
    lost: list[str] = []
    rows: list[NDArray[np.int64]] = []
    of_text: tuple[int, Ints, Ints] | None = None
    for one, owner in zip(encoded.inputs, encoded.owners.tolist()):
        if of_text is None or of_text[0] != owner:
            of_text = owner, *_tags_of(examples[owner], encoded.units[owner], number, scheme, lost)
        _, numbers, bounds = of_text
        row = np.full(len(one), IGNORED, dtype=np.int64)
        positions = np.flatnonzero(one.word_ids >= 0)
        held = one.word_ids[positions]
        if len(held) < len(numbers):
            numbers = numbers.copy()
            seen = np.zeros(len(numbers), dtype=np.int64)
            seen[held] = 1
            before = np.concatenate([[0], np.cumsum(seen)])
            inside = before[bounds[:, 1]] - before[bounds[:, 0]]
            in_part = (inside > 0) & (inside < bounds[:, 1] - bounds[:, 0])
            for start, end in bounds[in_part].tolist():
                numbers[start:end] = IGNORED
        row[positions] = numbers[held]
        rows.append(row)
    say_lost(lost, unit)
    return RaggedTargets(rows)


def say_lost(lost: Sequence[str], unit: Unit) -> None:
    """Warn of entities that are not made of whole units."""
    if lost:
        log.warning(
            "%d entities begin or end within a %s: they are not learnt and count as misses (unit=character reads "
            "them): %s", len(lost), unit, shown(lost, 3),
        )  # fmt: skip


def units_of_spans(example: Example, units: Ints, lost: list[str]) -> tuple[list[Span], list[Span]]:
    """The spans in units, and those that cut a unit, which are added to `lost`, in characters."""
    found, cut = [], []
    for span in example.spans or ():
        of_units = span_of_units(units, trim(example.text, span))
        if of_units is None:
            lost.append(f"{example.where} '{example.text[span.start : span.end]}'")
            cut.append(span)
        else:
            found.append(of_units)
    return found, cut


def _tags_of(
    example: Example, units: Ints, number: Mapping[str, int], scheme: Scheme, lost: list[str]
) -> tuple[Ints, Ints]:
    """`[W]` tags of a text, and the bounds of its entities in units."""
    found, cut = units_of_spans(example, units, lost)
    tags = [number[spell_tag(tag, scheme)] for tag in write_tags(found, len(units), scheme)]
    numbers = np.array(tags, dtype=np.int64)
    for span in cut:
        numbers[(units[:, 0] < span.end) & (units[:, 1] > span.start)] = IGNORED
    bounds = np.array([(span.start, span.end) for span in found], dtype=np.int64).reshape(-1, 2)
    return numbers, bounds
