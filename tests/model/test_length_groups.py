"""Sequences of like length side by side: nothing lost, little padded, and back again."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bertwright.model.attention.length_groups import group_by_length

LENGTHS = st.lists(st.integers(0, 70), min_size=0, max_size=40).map(tuple)


@settings(max_examples=150, deadline=None)
@given(lengths=LENGTHS)
def test_there_and_back(lengths: tuple[int, ...]) -> None:
    grouping = group_by_length(lengths)
    values = torch.arange(2.0 * sum(lengths)).view(-1, 2) + 1
    assert torch.equal(grouping.pick(grouping.pad(values)), values)
    zeroed = grouping.pad_with_zeros(values)
    assert torch.equal(grouping.pick(zeroed), values)
    assert zeroed.sum() == values.sum()
    assert len(zeroed) == sum(len(part) for part in grouping.split(zeroed)) == len(grouping.pad(values))


@settings(max_examples=150, deadline=None)
@given(lengths=LENGTHS)
def test_each_row_of_a_group_is_one_sequence(lengths: tuple[int, ...]) -> None:
    grouping = group_by_length(lengths)
    owner = torch.arange(len(lengths)).repeat_interleave(torch.tensor(lengths, dtype=torch.int64))
    order = grouping.order.tolist()
    assert sorted(order) == [index for index, length in enumerate(lengths) if length]
    done = 0
    for group, part in zip(grouping.groups, grouping.split(grouping.pad(owner))):
        for row, index in zip(part.view(group.count, group.width).tolist(), order[done:]):
            assert set(row) == {index}
        members = [lengths[index] for index in order[done : done + group.count]]
        assert max(members) == group.width <= min(members) + min(members) // 4 + 4
        real = torch.arange(group.width) < torch.tensor(members)[:, None]
        if group.bias is None:
            assert real.all()
        else:
            assert torch.equal(group.bias[:, 0] == 0, real)
            assert (group.bias[:, 0][~real] == -torch.inf).all()
        done += group.count


def test_sorted_sequences_of_equal_length_stay_where_they_are() -> None:
    grouping = group_by_length((3, 3, 3))
    values = torch.randn(9, 2)
    assert grouping.in_place
    assert grouping.pad(values) is values
    assert grouping.pick(values) is values
    assert not group_by_length((3, 2, 3)).in_place


def test_long_sequences_stand_alone() -> None:
    assert [group.count for group in group_by_length((512,) * 3).groups] == [1, 1, 1]
    assert [group.count for group in group_by_length((8,) * 64).groups] == [64]
