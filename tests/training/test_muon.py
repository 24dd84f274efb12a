"""Muon beside the library's own, which differs in the precision of its products only."""

from __future__ import annotations

import pytest
import torch

from bertwright.training.muon import Muon, orthogonal


@pytest.mark.parametrize("shape", [(16, 16), (8, 40), (40, 8)])
def test_updates_are_those_of_the_library(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    start, gradients = torch.randn(2, *shape), torch.randn(6, 2, *shape)
    ours, theirs = ([torch.nn.Parameter(one.clone()) for one in start] for _ in range(2))
    one = Muon([{"params": ours}], lr=0.01, weight_decay=0.1)
    two = torch.optim.Muon(theirs, lr=0.01, weight_decay=0.1, adjust_lr_fn="match_rms_adamw")
    for pair in gradients:
        for optimizer, parameters in ((one, ours), (two, theirs)):
            for parameter, gradient in zip(parameters, pair):
                parameter.grad = gradient.clone()
            optimizer.step()
    for mine, peer, begin in zip(ours, theirs, start):
        moved = (peer - begin).norm()
        assert moved > 0.1
        assert (mine - peer).norm() < 0.02 * moved  # its products are in bf16


def test_singular_values_come_near_one() -> None:
    torch.manual_seed(1)
    values = torch.linalg.svdvals(orthogonal(torch.randn(3, 24, 60)))
    assert values.min() > 0.6
    assert values.max() < 1.3
    matrices = torch.randn(2, 30, 12)
    alone = torch.cat([orthogonal(one[None]) for one in matrices])
    torch.testing.assert_close(orthogonal(matrices), alone)
