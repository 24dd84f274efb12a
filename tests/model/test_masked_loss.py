"""The loss of masked tokens in place equals the plain one: value, count and every gradient."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from bertwright.model import masked_loss
from bertwright.model.config import BertConfig
from bertwright.model.heads import MaskedLanguageModelHead
from bertwright.model.masked_loss import masked_token_loss, plain_loss

Loss = Callable[..., tuple[Tensor, Tensor]]


def values(masked: int = 37, hidden: int = 24, vocabulary: int = 501) -> list[Tensor]:
    draw = torch.Generator().manual_seed(3)
    sizes = ((masked, hidden), (vocabulary, hidden), (vocabulary,))
    made = [torch.randn(size, generator=draw, requires_grad=True) for size in sizes]
    labels = torch.randint(vocabulary, (masked,), generator=draw)
    best = (made[0] @ made[1].T + made[2]).argmax(-1)
    return [*made, torch.where(torch.arange(masked) % 3 == 0, best, labels)]


def computed(
    way: Loss, given: list[Tensor], factor: float, bf16: bool, share: float = 1.0
) -> tuple[float, float, list[Tensor]]:
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        loss, found = way(*given, share)
    return loss.item(), float(found), list(torch.autograd.grad(loss * factor, given[:3]))


@pytest.mark.parametrize("factor", [1.0, 0.125, -3.0])
@pytest.mark.parametrize("bf16", [False, True])
@pytest.mark.parametrize("masked", [1, 37])
@pytest.mark.parametrize("rows", [1, 5, 100])
def test_it_equals_the_plain_loss(
    rows: int, masked: int, bf16: bool, factor: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(masked_loss, "_PART", rows * 501)
    given = values(masked)
    loss, found, gradients = computed(masked_token_loss, given, factor, bf16, share=0.25)
    plain, plain_found, plain_gradients = computed(plain_loss, given, factor, bf16, share=0.25)
    assert loss == pytest.approx(plain, rel=1e-6)
    assert found == plain_found > 0
    assert [one.dtype for one in gradients] == [torch.float32] * 3
    # In bf16 a gradient is rounded once, to 8 bits, in another order of sums.
    tolerance = {"rtol": 2e-2, "atol": 2e-2 * abs(factor)} if bf16 else {"rtol": 1e-5, "atol": 1e-5 * abs(factor)}
    for mine, other in zip(gradients, plain_gradients):
        torch.testing.assert_close(mine, other, **tolerance)


def test_its_gradients_are_right_in_float64() -> None:
    given = [one.detach().double().requires_grad_() for one in values(3, 4, 7)[:3]]
    labels = torch.tensor([1, 6, 0])

    def loss(hidden: Tensor, table: Tensor, bias: Tensor) -> Tensor:
        return plain_loss(hidden, table, bias, labels)[0]

    expected = torch.autograd.grad(loss(*given), given)
    found = torch.autograd.grad(masked_token_loss(*given, labels)[0], given)
    for mine, other in zip(found, expected):
        torch.testing.assert_close(mine, other)


def test_scores_far_apart_give_a_finite_loss() -> None:
    hidden = torch.full((2, 1), 1e3, requires_grad=True)
    table = torch.tensor([[1.0], [-1.0], [0.0]], requires_grad=True)
    loss, found = masked_token_loss(hidden, table, torch.zeros(3), torch.tensor([1, 0]))
    assert loss.item() == pytest.approx(2000.0)
    assert int(found) == 1
    (gradient,) = torch.autograd.grad(loss, hidden)
    torch.testing.assert_close(gradient, torch.tensor([[2.0], [0.0]]))


def test_without_gradients_and_without_masked_tokens() -> None:
    given = values()
    with torch.no_grad():
        loss, _ = masked_token_loss(*given)
    assert not loss.requires_grad
    assert loss.item() == pytest.approx(computed(masked_token_loss, given, 1.0, False)[0], rel=1e-6)
    empty, none = masked_token_loss(given[0][:0], given[1], given[2], given[3][:0])
    assert empty.item() == 0
    assert int(none) == 0
    assert all(one.abs().sum() == 0 for one in torch.autograd.grad(empty, given[1:3]))


@pytest.mark.parametrize("tied", [True, False])
def test_the_head_uses_the_matrix_of_its_scores(tied: bool) -> None:
    torch.manual_seed(0)
    config = BertConfig(vocab_size=60, hidden_size=16, num_attention_heads=2, tie_word_embeddings=tied)
    head = MaskedLanguageModelHead(config)
    hidden, table, labels = torch.randn(5, 16), torch.randn(60, 16), torch.arange(5)
    loss, _ = head.loss(hidden, table, labels)
    expected = torch.nn.functional.cross_entropy(head(hidden, table), labels, reduction="sum")
    torch.testing.assert_close(loss, expected)
