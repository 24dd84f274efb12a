"""`Ragged` and the padded form: packing, unpacking, and what is refused."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from bertwright.data.ragged import Ragged, from_padded
from bertwright.errors import BertwrightError
from bertwright.text.tokenizer.encoded import Encoded

masks = st.tuples(st.integers(1, 5), st.integers(1, 7)).flatmap(
    lambda shape: st.lists(
        st.lists(st.integers(0, 1), min_size=shape[1], max_size=shape[1]), min_size=shape[0], max_size=shape[0]
    )
)


def ids_like(mask: Tensor) -> Tensor:
    """No two ids are alike, and none is zero."""
    return torch.arange(1, mask.numel() + 1).view(mask.shape)


@settings(deadline=None)
@given(masks)
def test_what_is_packed_is_unpacked_to_its_places(mask: list[list[int]]) -> None:
    real = torch.tensor(mask)
    ids = ids_like(real)
    batch, places = from_padded(ids, real)
    assert torch.equal(places.pad(batch.input_ids), ids * real)
    assert torch.equal(places.pick(ids), batch.input_ids)
    states = torch.randn(batch.num_tokens, 2, 3)
    padded = places.pad(states)
    assert padded.shape == (*real.shape, 2, 3)
    assert torch.equal(places.pick(padded), states)
    assert (padded[real == 0] == 0).all()


@settings(deadline=None)
@given(masks)
def test_each_sequence_holds_the_real_tokens_of_its_row_in_order(mask: list[list[int]]) -> None:
    real = torch.tensor(mask)
    ids = ids_like(real)
    batch, _ = from_padded(ids, real)
    assert batch.batch_size == len(mask)
    assert batch.num_tokens == int(real.sum())
    assert batch.max_seqlen == int(real.sum(1).max())
    assert batch.lengths == tuple(real.sum(1).tolist())
    assert batch.cu_seqlens.dtype == torch.int32
    for row, (start, end) in enumerate(zip(batch.cu_seqlens[:-1], batch.cu_seqlens[1:])):
        assert torch.equal(batch.input_ids[start:end], ids[row][real[row].bool()])
        assert torch.equal(batch.position_ids[start:end], real[row].nonzero().squeeze(1))  # columns, pads counted


@settings(deadline=None)
@given(masks)
def test_the_first_of_each_is_the_first_real_token_or_zero(mask: list[list[int]]) -> None:
    real = torch.tensor(mask)
    ids = ids_like(real)
    batch, _ = from_padded(ids, real)
    expected = [int(row[here.bool()][0]) if here.any() else 0 for row, here in zip(ids, real)]
    assert batch.first_of_each(batch.input_ids).tolist() == expected
    states = batch.input_ids[:, None].float().repeat(1, 4)
    assert batch.first_of_each(states).tolist() == [[float(first)] * 4 for first in expected]


def test_the_gradient_goes_back_through_packing_to_real_places_only() -> None:
    padded = torch.randn(2, 3, 4, requires_grad=True)
    _, places = from_padded(torch.ones(2, 3, dtype=torch.int64), torch.tensor([[1, 1, 0], [0, 1, 0]]))
    places.pad(places.pick(padded) * 2).sum().backward()
    assert padded.grad is not None
    assert padded.grad[..., 0].tolist() == [[2, 2, 0], [0, 2, 0]]


def test_without_a_mask_every_place_is_real() -> None:
    batch, places = from_padded(torch.arange(6).view(2, 3))
    assert batch.input_ids.tolist() == [0, 1, 2, 3, 4, 5]
    assert batch.token_type_ids.tolist() == [0] * 6
    assert batch.position_ids.tolist() == [0, 1, 2, 0, 1, 2]
    assert (batch.lengths, places.batch_size, places.width) == ((3, 3), 2, 3)


@pytest.mark.parametrize("shape", [(2, 3), (1, 3), (3,)], ids=str)
def test_positions_may_be_given_for_all_rows_or_each(shape: tuple[int, ...]) -> None:
    positions = torch.tensor([5, 3, 9]).expand(shape)
    batch, _ = from_padded(torch.ones(2, 3, dtype=torch.int64), torch.tensor([[1, 0, 1], [1, 1, 1]]), None, positions)
    assert batch.position_ids.tolist() == [5, 9, 5, 3, 9]


@pytest.mark.parametrize(
    ("what", "arguments"),
    [
        ("input_ids", {"input_ids": torch.ones(3)}),
        ("input_ids", {"input_ids": torch.ones(1, 2, 3)}),
        ("attention_mask", {"attention_mask": torch.ones(2, 4)}),
        ("attention_mask", {"attention_mask": torch.ones(2, 1, 1, 3)}),
        ("token_type_ids", {"token_type_ids": torch.zeros(1, 3)}),
        ("position_ids", {"position_ids": torch.zeros(2, 4)}),
        ("position_ids", {"position_ids": torch.zeros(3, 3)}),
    ],
)
def test_a_shape_that_does_not_fit_is_named(what: str, arguments: dict[str, Tensor]) -> None:
    with pytest.raises(BertwrightError) as caught:
        from_padded(**{"input_ids": torch.ones(2, 3, dtype=torch.int64), **arguments})
    assert (caught.value.code, caught.value.fields["what"]) == ("BW420", what)


def encoded(*ids: int) -> Encoded:
    nothing = np.zeros(len(ids), np.int32)
    kinds = (np.array(ids) % 2).astype(np.uint8)
    return Encoded(np.array(ids, np.int32), kinds, nothing, nothing, np.zeros(len(ids), np.int8))


def test_encodings_are_laid_end_to_end() -> None:
    batch = Ragged.from_encoded([encoded(7, 8, 9), encoded(4)])
    assert batch.input_ids.tolist() == [7, 8, 9, 4]
    assert batch.token_type_ids.tolist() == [1, 0, 1, 0]
    assert batch.position_ids.tolist() == [0, 1, 2, 0]
    assert (batch.cu_seqlens.tolist(), batch.max_seqlen, batch.batch_size) == ([0, 3, 4], 3, 2)
    assert {one.dtype for one in (batch.input_ids, batch.token_type_ids, batch.position_ids)} == {torch.int64}


def test_a_batch_does_not_change_and_moves_whole() -> None:
    batch = Ragged.from_encoded([encoded(7, 8, 9), encoded(4)])
    with pytest.raises(dataclasses.FrozenInstanceError):
        batch.max_seqlen = 4  # type: ignore[misc]
    moved = batch.to("meta")
    tensors = [getattr(moved, field.name) for field in dataclasses.fields(moved)]
    assert {one.device.type for one in tensors if isinstance(one, Tensor)} == {"meta"}
    assert (moved.lengths, moved.max_seqlen) == (batch.lengths, batch.max_seqlen)
