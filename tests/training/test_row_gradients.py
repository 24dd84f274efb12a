"""Sparse gradients of the word table: the steps are those of the library's AdamW with dense ones."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from bertwright import BertConfig, BertForMaskedLM, BertForSequenceClassification
from bertwright.data.ragged import Ragged
from bertwright.training.row_gradients import RowGradientAdamW, clip_gradients, use_row_gradients

CONFIG = {
    "vocab_size": 300,
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
}


def batch_of(step: int) -> Ragged:
    lengths = [3, 5, 5, 9]
    generator = torch.Generator().manual_seed(step)
    ids = torch.randint(0, 100 + 20 * step, (sum(lengths),), generator=generator)  # 0 is the pad's row
    return Ragged.of(ids, ids * 0, torch.cat([torch.arange(length) for length in lengths]), lengths)


def optimizer_of(model: nn.Module, kind: type[torch.optim.AdamW]) -> torch.optim.AdamW:
    return kind(model.parameters(), lr=1e-2, weight_decay=0.1, fused=True)


def step(model: BertForSequenceClassification, optimizer: torch.optim.Optimizer, number: int, parts: int = 1) -> None:
    for part in range(parts):
        torch.manual_seed(number)
        model.scores(batch_of(number + part)).pow(2).sum().backward()
    optimizer.step()
    optimizer.zero_grad()


def pair() -> tuple[BertForSequenceClassification, BertForSequenceClassification]:
    torch.manual_seed(0)
    sparse = BertForSequenceClassification(BertConfig(**CONFIG)).train()
    dense = copy.deepcopy(sparse)
    use_row_gradients(sparse)
    return sparse, dense


def assert_same(ours: nn.Module, theirs: nn.Module) -> None:
    for (name, one), other in zip(ours.named_parameters(), theirs.parameters()):
        assert torch.equal(one, other), name


def test_steps_and_state_are_those_of_dense_gradients() -> None:
    sparse, dense = pair()
    ours, theirs = optimizer_of(sparse, RowGradientAdamW), optimizer_of(dense, torch.optim.AdamW)
    for number in range(8):
        step(sparse, ours, number)
        step(dense, theirs, number)
        assert_same(sparse, dense)
    for one, other in zip(ours.state_dict()["state"].values(), theirs.state_dict()["state"].values()):
        assert one.keys() == other.keys()
        assert all(torch.equal(one[key], other[key]) for key in one)


def test_the_gradient_is_of_the_words_that_occur() -> None:
    sparse, dense = pair()
    for model in (sparse, dense):
        model.zero_grad()
        torch.manual_seed(0)
        model.scores(batch_of(1)).pow(2).sum().backward()
    gradient = sparse.bert.encoder.embeddings.word.weight.grad
    assert gradient is not None
    assert gradient.is_sparse
    assert gradient._nnz() <= batch_of(1).num_tokens
    assert torch.equal(gradient.to_dense(), dense.bert.encoder.embeddings.word.weight.grad)


def test_parts_of_a_step_add_up() -> None:
    sparse, dense = pair()
    ours, theirs = optimizer_of(sparse, RowGradientAdamW), optimizer_of(dense, torch.optim.AdamW)
    for number in range(4):
        step(sparse, ours, number, parts=3)
        step(dense, theirs, number, parts=3)
    for one, other in zip(sparse.parameters(), dense.parameters()):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)


def test_a_state_that_is_loaded_goes_on_as_before() -> None:
    sparse, dense = pair()
    ours, theirs = optimizer_of(sparse, RowGradientAdamW), optimizer_of(dense, torch.optim.AdamW)
    for number in range(3):
        step(sparse, ours, number)
    dense.load_state_dict(sparse.state_dict())
    theirs.load_state_dict(copy.deepcopy(ours.state_dict()))
    again = copy.deepcopy(dense)
    use_row_gradients(again)
    resumed = optimizer_of(again, RowGradientAdamW)
    resumed.load_state_dict(copy.deepcopy(theirs.state_dict()))
    for number in range(3, 6):
        for model, optimizer in ((sparse, ours), (dense, theirs), (again, resumed)):
            step(model, optimizer, number)
    assert_same(sparse, dense)
    assert_same(sparse, again)


@pytest.mark.parametrize("max_norm", [1e-3, 1.0, 1e6])
def test_clipping_is_the_librarys(max_norm: float) -> None:
    sparse, dense = pair()
    norms: list[Tensor] = []
    for model, clip in ((sparse, clip_gradients), (dense, torch.nn.utils.clip_grad_norm_)):
        torch.manual_seed(0)
        model.scores(batch_of(2)).pow(2).sum().backward()
        norms.append(clip(model.parameters(), max_norm))  # type: ignore[operator]
    torch.testing.assert_close(norms[0], norms[1])
    for one, other in zip(sparse.parameters(), dense.parameters()):
        assert one.grad is not None
        given = one.grad.to_dense() if one.grad.is_sparse else one.grad
        torch.testing.assert_close(given, other.grad, rtol=1e-5, atol=1e-9)


def test_nothing_to_clip() -> None:
    assert clip_gradients([nn.Parameter(torch.ones(2))], 1.0) == 0


def test_a_norm_that_is_not_finite_is_told() -> None:
    parameter = nn.Parameter(torch.ones(2))
    parameter.grad = torch.tensor([1.0, torch.inf])
    assert clip_gradients([parameter], 1.0) == torch.inf


def test_a_table_that_is_an_output_matrix_too_has_dense_gradients() -> None:
    model = BertForMaskedLM(BertConfig(**CONFIG))
    use_row_gradients(model)
    assert not model.bert.encoder.embeddings.word.sparse


def test_frozen_words_have_no_gradient() -> None:
    sparse, _ = pair()
    sparse.bert.encoder.embeddings.requires_grad_(False)
    step(sparse, optimizer_of(sparse, RowGradientAdamW), 0)
    assert sparse.bert.encoder.embeddings.word.weight.grad is None
