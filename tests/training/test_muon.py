"""Muon beside the library's own, which differs in the precision of its products only."""

from __future__ import annotations

from typing import Any, Literal

import pytest
import torch
from torch import Tensor

from bertwright import BertConfig, BertForSequenceClassification
from bertwright.machine import precision as machine_precision
from bertwright.training import muon
from bertwright.training.loop_settings import FinetuneSettings
from bertwright.training.muon import Muon, orthogonal
from bertwright.training.optimizer import make_optimizers


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


@pytest.mark.parametrize("is_able", [True, False])
@pytest.mark.parametrize(("precision", "expected"), [("fp32", torch.float32), ("bf16", torch.bfloat16)])
def test_matrices_are_multiplied_in_the_precision_of_the_run(
    precision: Literal["fp32", "bf16"], expected: torch.dtype, is_able: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether or not the processor has instructions for bf16."""
    monkeypatch.setattr(machine_precision, "cpu_features", lambda: {"avx512_bf16"} if is_able else set())
    multiplied: set[torch.dtype] = set()

    def watched(matrices: Tensor) -> Tensor:
        multiplied.add(matrices.dtype)
        return orthogonal(matrices)

    monkeypatch.setattr(muon, "orthogonal", watched)
    shape: dict[str, Any] = {"hidden_size": 8, "num_attention_heads": 2, "intermediate_size": 16}
    model = BertForSequenceClassification(BertConfig(vocab_size=20, num_hidden_layers=1, **shape))
    for parameter in model.parameters():
        parameter.grad = torch.randn_like(parameter)
    settings = FinetuneSettings(learning_rate=1e-3, optimizer="muon", precision=precision)
    make_optimizers(model, settings)[0].step()
    assert multiplied == {expected}
