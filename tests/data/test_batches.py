"""Order and batches: functions of their arguments, every example once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertwright.data.answers import Label, Marked, Span
from bertwright.data.batches import batches_by_length, derive_seed, epoch_order, split_by_tokens
from bertwright.data.examples import Example, Where, label_of, spans_of
from bertwright.data.split import hold_out
from bertwright.errors import BertwrightError


@given(st.integers(1, 200), st.integers(0, 5))
def test_an_epoch_shows_every_example_once(count: int, epoch: int) -> None:
    assert sorted(epoch_order(count, seed=3, epoch=epoch)) == list(range(count))


@given(st.lists(st.integers(1, 600), min_size=1, max_size=80), st.integers(1, 1000))
def test_parts_of_a_step_keep_the_order_and_the_budget(lengths: list[int], budget: int) -> None:
    members = np.random.default_rng(0).permutation(len(lengths))
    parts = list(split_by_tokens(members, np.array(lengths), budget))
    assert np.array_equal(np.concatenate(parts), members)
    for part, following in zip(parts, [*parts[1:], None]):
        tokens = sum(lengths[i] for i in part)
        assert len(part) == 1 or tokens <= budget
        assert following is None or tokens + lengths[following[0]] > budget, "a part is as full as it can be"


def test_order_is_a_function_of_seed_and_epoch() -> None:
    first = epoch_order(1000, 1, 0)
    assert np.array_equal(first, epoch_order(1000, 1, 0))
    for other in (epoch_order(1000, 1, 1), epoch_order(1000, 2, 0)):
        assert np.mean(first == other) < 0.02


def test_every_place_is_as_likely_for_every_example() -> None:
    places = np.array([np.argsort(epoch_order(8, seed, 0)) for seed in range(4000)])
    for place in range(8):
        counts = (places == place).sum(0)
        assert np.all(np.abs(counts - 500) < 5 * np.sqrt(4000 * 1 / 8 * 7 / 8))  # five standard deviations


def test_derived_seeds_differ() -> None:
    seeds = {derive_seed(seed, step) for seed in range(50) for step in range(200)}
    assert len(seeds) == 10_000
    assert all(0 <= seed < 2**63 for seed in seeds)


@given(st.lists(st.integers(1, 600), max_size=80), st.integers(1, 1000))
def test_groups_by_length(lengths: list[int], budget: int) -> None:
    groups = list(batches_by_length(lengths, budget))
    assert sorted(index for group in groups for index in group) == list(range(len(lengths)))
    for group in groups:
        assert len(group) == 1 or sum(lengths[index] for index in group) <= budget
        assert [lengths[index] for index in group] == sorted((lengths[index] for index in group), reverse=True)


@given(st.lists(st.sampled_from("abc"), min_size=2, max_size=100), st.floats(0.05, 0.9), st.integers(0, 99))
def test_holding_out_keeps_shares_and_order(labels: list[str], share: float, seed: int) -> None:
    examples = [Example(str(i), Label(label), Where("x", i)) for i, label in enumerate(labels)]
    if len(set(labels)) == len(labels):
        with pytest.raises(BertwrightError, match="BW571"):
            hold_out(examples, share, seed)
        return
    kept, held = hold_out(examples, share, seed)
    assert sorted(kept + held, key=lambda e: e.where.line) == examples
    for part in (kept, held):
        assert [e.where.line for e in part] == sorted(e.where.line for e in part)
    for label in set(labels):
        total, out = labels.count(label), sum(label_of(e) == label for e in held)
        assert out == min(max(round(share * total), 1), total - 1)
    assert hold_out(examples, share, seed) == (kept, held)


def test_tagged_texts_are_held_out_by_whether_anything_is_marked() -> None:
    marked = [Example("a", Marked((Span(0, 1, "X"),)), Where("x", i)) for i in range(5)]
    others = [Example("a", Marked(()), Where("x", i)) for i in range(5, 60)]
    for seed in range(10):
        kept, held = hold_out([*marked, *others], 0.1, seed)
        assert sum(bool(spans_of(one)) for one in held) == 1
        assert len(held) in (6, 7)
        assert len(kept) + len(held) == 60
