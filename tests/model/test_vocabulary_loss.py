"""The loss over the vocabulary in place equals the plain one: value, hits and every gradient."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from bertwright.model import vocabulary_loss as module
from bertwright.model.config import BertConfig
from bertwright.model.heads import MaskedLanguageModelHead
from bertwright.model.vocabulary_loss import plain_loss, vocabulary_loss

Loss = Callable[..., tuple[Tensor, Tensor]]


def values(count: int = 37, hidden: int = 24, vocabulary: int = 501) -> list[Tensor]:
    """`hidden`, `table`, `bias`, `labels`, of which a third score best, and `shares`."""
    draw = torch.Generator().manual_seed(3)
    sizes = ((count, hidden), (vocabulary, hidden), (vocabulary,))
    made = [torch.randn(size, generator=draw, requires_grad=True) for size in sizes]
    labels = torch.randint(vocabulary, (count,), generator=draw)
    best = (made[0] @ made[1].T + made[2]).argmax(-1)
    shares = torch.rand(count, generator=draw)
    return [*made, torch.where(torch.arange(count) % 3 == 0, best, labels), shares]


def computed(
    way: Loss, given: list[Tensor], factor: float = 1.0, bf16: bool = False, smoothing: float = 0.0
) -> tuple[float, float, list[Tensor]]:
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        loss, hits = way(*given, smoothing)
    return loss.item(), hits.item(), list(torch.autograd.grad(loss * factor, given[:3]))


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("factor", [1.0, 0.125, -3.0])
@pytest.mark.parametrize("bf16", [False, True])
@pytest.mark.parametrize("count", [1, 37])
@pytest.mark.parametrize("rows", [1, 5, 100])
def test_it_equals_the_plain_loss(
    rows: int, count: int, bf16: bool, factor: float, smoothing: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PART", rows * 501)
    given = values(count)
    loss, hits, gradients = computed(vocabulary_loss, given, factor, bf16, smoothing)
    plain, plain_hits, plain_gradients = computed(plain_loss, given, factor, bf16, smoothing)
    assert loss == pytest.approx(plain, rel=1e-5)
    assert hits == pytest.approx(plain_hits)
    assert hits > 0
    assert [one.dtype for one in gradients] == [torch.float32] * 3
    # In bf16 a gradient is rounded once, to 8 bits, in another order of sums.
    rtol = 2e-2 if bf16 else 1e-5
    for mine, other in zip(gradients, plain_gradients):
        torch.testing.assert_close(mine, other, rtol=rtol, atol=rtol * abs(factor))


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_its_gradients_are_right_in_float64(smoothing: float) -> None:
    hidden, table, bias = given = [one.detach().double().requires_grad_() for one in values(3, 4, 7)[:3]]
    labels, shares = torch.tensor([1, 6, 0]), torch.tensor([0.5, 1.0, 2.0])

    def loss(hidden: Tensor, table: Tensor, bias: Tensor) -> Tensor:
        scores = F.linear(hidden, table, bias)
        return (F.cross_entropy(scores, labels, reduction="none", label_smoothing=smoothing) * shares).sum()

    expected = torch.autograd.grad(loss(*given), given)
    found = torch.autograd.grad(vocabulary_loss(hidden, table, bias, labels, shares, smoothing)[0], given)
    for mine, other in zip(found, expected):
        torch.testing.assert_close(mine, other)


def test_scores_far_apart_give_a_finite_loss() -> None:
    hidden = torch.full((2, 1), 1e3, requires_grad=True)
    table = torch.tensor([[1.0], [-1.0], [0.0]], requires_grad=True)
    loss, hits = vocabulary_loss(hidden, table, torch.zeros(3), torch.tensor([1, 0]), torch.ones(2))
    assert loss.item() == pytest.approx(2000.0)
    assert hits == 1
    (gradient,) = torch.autograd.grad(loss, hidden)
    torch.testing.assert_close(gradient, torch.tensor([[2.0], [0.0]]))


def test_a_graph_that_is_kept_gives_the_same_gradients_again() -> None:
    hidden, table, bias, labels, shares = given = values()
    loss, _ = vocabulary_loss(hidden, table, bias, labels, shares)
    first = [one.clone() for one in torch.autograd.grad(loss, given[:3], retain_graph=True)]
    loss.backward(retain_graph=True)  # adds to nothing
    loss.backward()  # adds to what is there
    for one, parameter in zip(first, given):
        torch.testing.assert_close(parameter.grad, 2 * one)


def test_without_gradients_and_without_tokens() -> None:
    hidden, table, bias, labels, shares = given = values()
    with torch.no_grad():
        loss, _ = vocabulary_loss(hidden, table, bias, labels, shares)
    assert not loss.requires_grad
    assert loss.item() == pytest.approx(computed(vocabulary_loss, given)[0], rel=1e-6)
    empty, none = vocabulary_loss(given[0][:0], given[1], given[2], given[3][:0], given[4][:0])
    assert empty.item() == none.item() == 0
    assert all(one.abs().sum() == 0 for one in torch.autograd.grad(empty, given[1:3]))


@pytest.mark.parametrize("tied", [True, False])
def test_the_head_uses_the_matrix_of_its_scores(tied: bool) -> None:
    torch.manual_seed(0)
    config = BertConfig(vocab_size=60, hidden_size=16, num_attention_heads=2, tie_word_embeddings=tied)
    head = MaskedLanguageModelHead(config)
    hidden, table, labels = torch.randn(5, 16), torch.randn(60, 16), torch.arange(5)
    loss, _ = head.loss(hidden, table, labels, torch.ones(5))
    expected = F.cross_entropy(head(hidden, table), labels, reduction="sum")
    torch.testing.assert_close(loss, expected)
