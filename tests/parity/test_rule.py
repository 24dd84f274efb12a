"""The rule itself: what it lets pass, and what it does not."""

from __future__ import annotations

import pytest
import torch

from tests.parity.rule import assert_equal_gradient, assert_equal_scores

PEER = torch.tensor([0.5, -2.0])


def test_a_difference_of_a_hundred_thousandth_passes_without_a_float64_run() -> None:
    assert_equal_scores(PEER + 1e-5, PEER, lambda: pytest.fail("not needed"))


def test_more_passes_only_where_the_peer_itself_is_that_far_from_the_truth() -> None:
    assert_equal_scores(PEER + 1e-3, PEER, lambda: PEER.double() + 4e-4)
    with pytest.raises(AssertionError, match=r"logits: max .* to float64"):
        assert_equal_scores(PEER + 1e-3, PEER, lambda: PEER.double() + 1e-4)


def test_a_gradient_is_measured_by_its_own_size() -> None:
    assert_equal_scores(PEER * 1e-6, PEER * 2e-6, lambda: pytest.fail("not needed"))
    with pytest.raises(AssertionError, match=r"bias: max"):
        assert_equal_gradient(PEER * 1e-6, PEER * 2e-6, lambda: PEER.double() * 2e-6, "bias")


def test_the_peers_own_error_is_the_larger_of_its_two_attentions() -> None:
    exact, fused = (lambda: PEER.double()), (lambda: PEER * 1.0003)
    assert_equal_gradient(PEER * 1.0005, PEER, exact, "weight", fused)
    with pytest.raises(AssertionError, match="2 × the peer's"):
        assert_equal_gradient(PEER * 1.0007, PEER, exact, "weight", fused)


def test_another_shape_or_a_nan_never_passes() -> None:
    with pytest.raises(AssertionError, match="ours \\[1, 2\\]"):
        assert_equal_scores(PEER[None], PEER, lambda: PEER.double())
    with pytest.raises(AssertionError, match="not finite"):
        assert_equal_scores(PEER / 0, PEER / 0, lambda: PEER.double())
