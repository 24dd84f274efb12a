"""The CPU's own dropout: its share, its mean, its independence, and whose generator rules it."""

from __future__ import annotations

import math

import pytest
import torch

from bertwright.model.dropout import add_dropped, dropout, keep_mask, random_bits


def assert_share(hits: int, of: int, probability: float) -> None:
    """Within five standard deviations of the binomial; seeds are set, so that it does not change from run to run."""
    deviation = math.sqrt(of * probability * (1 - probability))
    assert abs(hits - of * probability) <= 5 * deviation, f"{hits} of {of}, {probability} asked for"


@pytest.mark.parametrize("probability", [0.01, 0.1, 0.25, 0.5, 0.9])
def test_the_share_that_is_dropped_and_the_mean_that_is_kept(probability: float) -> None:
    torch.manual_seed(3)
    dropped = dropout(torch.ones(1000, 1001), probability)
    assert_share(int((dropped == 0).sum()), dropped.numel(), probability)
    kept = dropped[dropped != 0]
    assert (kept == kept[0]).all()
    exact = round(probability * 65536) / 65536  # the probability that is used; what is kept is scaled for it
    assert float(kept[0]) == pytest.approx(1 / (1 - exact), rel=1e-6)
    assert abs(exact - probability) <= 2**-17


def test_neighbours_rows_and_calls_are_independent() -> None:
    """A pair of elements is dropped with the square of the probability, whichever pair it is."""
    torch.manual_seed(4)
    first, second = (keep_mask(torch.empty(1024, 1024), 0.1) == 0 for _ in range(2))
    pairs = {f"{lag} apart in a row": (first[:, lag:], first[:, :-lag]) for lag in (1, 2, 3, 4, 8, 64)}
    pairs |= {f"{lag} rows apart": (first[lag:], first[:-lag]) for lag in (1, 2, 512)}
    pairs["two calls"] = (first, second)
    for name, (one, other) in pairs.items():
        both = one & other
        try:
            assert_share(int(both.sum()), both.numel(), (6554 / 65536) ** 2)
        except AssertionError as error:
            raise AssertionError(f"{name}: {error}") from error


def test_every_bit_is_even() -> None:
    torch.manual_seed(5)
    bits = random_bits(400_003)
    assert bits.shape == (400_003,)
    for place in range(16):
        assert_share(int((bits >> place & 1).sum()), len(bits), 0.5)


def test_torch_rules_the_generator() -> None:
    values = torch.ones(64, 33)

    def draw(seed: int) -> list[torch.Tensor]:
        torch.manual_seed(seed)
        return [dropout(values, 0.5) for _ in range(2)]

    assert torch.equal(torch.stack(draw(1)), torch.stack(draw(1)))
    assert not torch.equal(draw(1)[0], draw(2)[0])
    assert not torch.equal(*draw(1))
    torch.manual_seed(1)
    state = torch.get_rng_state()
    before = dropout(values, 0.5)
    torch.set_rng_state(state)
    assert torch.equal(dropout(values, 0.5), before)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16], ids=str)
def test_values_and_gradients_are_those_of_the_mask(dtype: torch.dtype) -> None:
    values = torch.randn(7, 13, dtype=dtype, requires_grad=True)
    residual = torch.randn(7, 13, dtype=dtype, requires_grad=True)
    above = torch.randn(7, 13, dtype=dtype)
    torch.manual_seed(6)
    mask = keep_mask(values, 0.3)
    assert mask.dtype == dtype
    torch.manual_seed(6)
    summed = add_dropped(residual, values, 0.3)
    summed.backward(above)
    tolerance = 2e-2 if dtype == torch.bfloat16 else 1e-6
    torch.testing.assert_close(summed, residual + values * mask, rtol=tolerance, atol=tolerance)
    torch.testing.assert_close(values.grad, above * mask)
    torch.testing.assert_close(residual.grad, above)


def test_without_dropout_nothing_is_drawn() -> None:
    values, residual = torch.randn(5, 3), torch.randn(5, 3)
    state = torch.get_rng_state()
    assert torch.equal(dropout(values, 0.0), values)
    assert torch.equal(add_dropped(residual, values, 0.0), residual + values)
    assert torch.equal(torch.get_rng_state(), state)


def test_all_can_be_dropped() -> None:
    assert (dropout(torch.ones(9), 1.0) == 0).all()


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5])
def test_any_count(count: int) -> None:
    assert dropout(torch.ones(count), 0.5).shape == (count,)
