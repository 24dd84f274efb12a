"""Attention that looks back only, and attention from one text to another: every path against the plain one."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from bertwright.data.ragged import Ragged
from bertwright.model.attention.across import across_grouped, across_padded, across_plain, attend_across
from bertwright.model.attention.attention import attend_by_runs, attend_padded, attend_plain
from bertwright.model.attention.grouped import attend_grouped

TARGETS, SOURCES = [3, 1, 7, 3, 20], [5, 9, 2, 40, 5]


def batch_of(lengths: list[int]) -> Ragged:
    ids = torch.zeros(sum(lengths), dtype=torch.int64)
    return Ragged.of(ids, ids, ids, lengths)


def drawn(*shape: int) -> Tensor:
    generator = torch.Generator().manual_seed(sum(shape))
    return torch.randn(*shape, generator=generator, dtype=torch.float64).requires_grad_()


@pytest.mark.parametrize("lengths", [TARGETS, [1, 1, 1], [9, 1, 0, 1]], ids=str)
@pytest.mark.parametrize("path", [attend_by_runs, attend_grouped, attend_padded])
def test_causal_paths(path: Callable[..., Tensor], lengths: list[int]) -> None:
    qkv, batch = drawn(sum(lengths), 3, 2, 8), batch_of(lengths)
    plain, weights = attend_plain(qkv, batch, causal=True)
    assert all(not weight.triu(1).any() for weight in weights)
    output = path(qkv, batch, 0.0, True)
    torch.testing.assert_close(output, plain)
    above = torch.randn_like(output)
    torch.testing.assert_close(torch.autograd.grad(output, qkv, above), torch.autograd.grad(plain, qkv, above))


@pytest.mark.parametrize("path", [across_grouped, across_padded])
@pytest.mark.parametrize(("targets", "sources"), [(TARGETS, SOURCES), ([4, 4], [6, 6]), ([1], [1])])
def test_paths_across(path: Callable[..., Tensor], targets: list[int], sources: list[int]) -> None:
    query, key_value = drawn(sum(targets), 2, 8), drawn(sum(sources), 2, 2, 8)
    batches = batch_of(targets), batch_of(sources)
    plain, weights = across_plain(query, key_value, *batches)
    assert [tuple(weight.shape) for weight in weights] == [(2, s, k) for s, k in zip(targets, sources)]
    output = path(query, key_value, *batches)
    torch.testing.assert_close(output, plain)
    above = torch.randn_like(output)
    wanted = (query, key_value)
    torch.testing.assert_close(torch.autograd.grad(output, wanted, above), torch.autograd.grad(plain, wanted, above))


def test_groups_across_may_be_differentiated_under_autocast() -> None:
    query, key_value = (one.detach().float().requires_grad_() for one in (drawn(34, 2, 8), drawn(61, 2, 2, 8)))
    gradients = []
    for under in (False, True):
        output = across_grouped(query, key_value, batch_of(TARGETS), batch_of(SOURCES))
        with torch.autocast("cpu", torch.bfloat16, enabled=under):
            gradients.append(torch.autograd.grad(output.sum(), (query, key_value)))
    assert all(torch.equal(*pair) for pair in zip(*gradients))


def test_dropout_across_keeps_the_mean() -> None:
    query, key_value = drawn(sum(TARGETS), 2, 8), drawn(sum(SOURCES), 2, 2, 8)
    batches = batch_of(TARGETS), batch_of(SOURCES)
    torch.manual_seed(0)
    with torch.no_grad():
        mean = torch.stack([attend_across(query, key_value, *batches, 0.3) for _ in range(2000)]).mean(0)
        plain, _ = across_plain(query, key_value, *batches)
    assert float((mean - plain).abs().max()) < 0.15
    assert float((mean - plain).abs().mean()) < 0.015
