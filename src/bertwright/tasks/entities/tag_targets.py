"""What a tagger learns at each token of its inputs.

Shapes: N inputs, S tokens of an input, W units of a text.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from bertwright.data.answers import Span
from bertwright.data.examples import Example, spans_of
from bertwright.data.tagged.encoded_units import EncodedUnits, Ints
from bertwright.data.tagged.schemes import Scheme, spell_tag, write_tags
from bertwright.data.tagged.units import Unit, span_of_units, trim
from bertwright.data.targets import RaggedTargets
from bertwright.model.losses import IGNORED
from bertwright.wording import quantity, said, shown

log = logging.getLogger("bertwright")

_LONGEST_NAME = 60  # characters of an entity in a message


def tag_targets(
    examples: Sequence[Example], encoded: EncodedUnits, tags: Sequence[str], scheme: Scheme, unit: Unit
) -> RaggedTargets:
    """The tag of each unit at its first piece; -100 at other pieces, and where an input holds a part of an entity
    only: there the other inputs of the text teach.
    """
    number = {tag: index for index, tag in enumerate(tags)}
    lost: list[str] = []
    parted: list[str] = []
    rows: list[NDArray[np.int64]] = []
    for owner, inputs in groupby(zip(encoded.owners.tolist(), encoded.inputs), key=itemgetter(0)):
        units = encoded.units[owner]
        numbers, bounds = _tags_of(examples[owner], units, number, scheme, lost)
        is_whole = np.zeros(len(bounds), dtype=bool)
        for _, one in inputs:
            row, held_whole = _row_of(one.word_ids, numbers, bounds)
            rows.append(row)
            is_whole |= held_whole
        parted += [named_at(examples[owner], units, *span) for span in bounds[~is_whole].tolist()]
    say_lost(lost, unit)
    say_parted(parted)
    return RaggedTargets(rows)


def _row_of(word_ids: NDArray[np.int32], numbers: Ints, bounds: Ints) -> tuple[Ints, NDArray[np.bool_]]:
    """`[S]` of one input, and which entities it holds as a whole; `numbers [W]` are the tags of its text."""
    row = np.full(len(word_ids), IGNORED, dtype=np.int64)
    positions = np.flatnonzero(word_ids >= 0)
    held = word_ids[positions]
    if len(held) == len(numbers):
        row[positions] = numbers[held]
        return row, np.ones(len(bounds), dtype=bool)
    numbers = numbers.copy()
    seen = np.zeros(len(numbers), dtype=np.int64)
    seen[held] = 1
    before = np.concatenate([[0], np.cumsum(seen)])
    inside = before[bounds[:, 1]] - before[bounds[:, 0]]
    is_whole = inside == bounds[:, 1] - bounds[:, 0]
    for start, end in bounds[(inside > 0) & ~is_whole].tolist():
        numbers[start:end] = IGNORED
    row[positions] = numbers[held]
    return row, is_whole


def say_lost(lost: Sequence[str], unit: Unit) -> None:
    """Warn of entities that are not made of whole units."""
    if lost:
        log.warning(
            said(
                "{entities} within a {unit}: not learnt, and counted as missed (unit={smaller} reads what lies within)"
                ": {listed}",
                entities=quantity(len(lost), "entity begins or ends", "entities begin or end"), unit=said(unit),
                smaller="word" if unit == "token" else "character", listed=shown(lost, 3),
            )
        )  # fmt: skip


def say_parted(parted: Sequence[str]) -> None:
    """Warn of entities that no input holds as a whole: nothing teaches a part of one."""
    if parted:
        log.warning(
            said(
                "{entities} in no input as a whole, because of a cut or for being longer than what windows share "
                "(overlap): not learnt: {listed}",
                entities=quantity(len(parted), "entity is", "entities are"), listed=shown(parted, 3),
            )
        )  # fmt: skip


def named_at(example: Example, units: Ints, start: int, end: int) -> str:
    """The entity of the units `[start, end)` of a text, or its beginning, with its place in the data."""
    text = example.text[units[start, 0] : units[end - 1, 1]]
    return f"{example.where} '{text if len(text) <= _LONGEST_NAME else text[: _LONGEST_NAME - 1] + '…'}'"


def units_of_spans(example: Example, units: Ints, lost: list[str]) -> tuple[list[Span], list[Span]]:
    """The spans in units, and those that cut a unit, which are added to `lost`, in characters."""
    found, cut = [], []
    for span in spans_of(example) or ():
        of_units = span_of_units(units, trim(example.text, span))
        if of_units is None:
            lost.append(f"{example.where} '{example.text[span.start : span.end]}'")
            cut.append(span)
        else:
            found.append(of_units)
    return found, cut


def units_touched(units: Ints, cut: Sequence[Span]) -> list[Span]:
    """The units that spans touch which are not made of whole ones; nothing for a span that touches none."""
    found = []
    for span in cut:
        touched = np.flatnonzero((units[:, 0] < span.end) & (units[:, 1] > span.start))
        if len(touched):
            found.append(Span(int(touched[0]), int(touched[-1]) + 1, span.type))
    return found


def _tags_of(
    example: Example, units: Ints, number: Mapping[str, int], scheme: Scheme, lost: list[str]
) -> tuple[Ints, Ints]:
    """`[W]` tags of a text, and the bounds of its entities in units."""
    found, cut = units_of_spans(example, units, lost)
    tags = [number[spell_tag(tag, scheme)] for tag in write_tags(found, len(units), scheme)]
    numbers = np.array(tags, dtype=np.int64)
    for span in units_touched(units, cut):
        numbers[span.start : span.end] = IGNORED
    bounds = np.array([(span.start, span.end) for span in found], dtype=np.int64).reshape(-1, 2)
    return numbers, bounds
