"""Every path of `attend` beside the plain one, and no sequence sees another."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from bertwright import BertConfig, BertForSequenceClassification
from bertwright.data.ragged import Ragged
from bertwright.model.attention import attention
from bertwright.model.attention.attention import (
    AttentionPath,
    attend,
    attend_by_runs,
    attend_padded,
    attend_plain,
    attend_varlen,
    choose_path,
)
from bertwright.model.attention.grouped import attend_grouped

PATHS = [attend_by_runs, attend_grouped, attend_padded]
LENGTHS = {
    "sorted": [2, 2, 3, 5, 5, 5, 8],
    "unsorted": [5, 2, 8, 2, 5, 1, 5],
    "all equal": [4, 4, 4],
    "one sequence": [7],
    "one token": [1],
    "all of one token": [1, 1, 1],
    "with an empty one": [3, 0, 2, 0],
    "all empty": [0, 0],
    "no sequence": [],
}


def batch_of(lengths: list[int], device: str = "cpu") -> Ragged:
    nothing = torch.zeros(sum(lengths), dtype=torch.int64, device=device)
    return Ragged.of(nothing, nothing, nothing, lengths)


def random_qkv(lengths: list[int], dtype: torch.dtype, heads: int = 3, size: int = 5) -> Tensor:
    generator = torch.Generator().manual_seed(sum(lengths))
    return torch.randn(sum(lengths), 3, heads, size, generator=generator, dtype=dtype)


def assert_like_plain(path: AttentionPath, lengths: list[int], dtype: torch.dtype) -> None:
    batch, start = batch_of(lengths), random_qkv(lengths, dtype)
    outputs, gradients = [], []
    for way in (path, lambda *args: attend_plain(*args)[0]):
        qkv = start.clone().requires_grad_()
        output = way(qkv, batch, 0.0, False)
        output.pow(3).sum().backward()
        outputs.append(output.detach())
        gradients.append(qkv.grad)
    tolerance = 1e-5 if dtype == torch.float32 else 1e-12
    torch.testing.assert_close(outputs[0], outputs[1], rtol=tolerance, atol=tolerance)
    torch.testing.assert_close(gradients[0], gradients[1], rtol=tolerance, atol=10 * tolerance)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)
@pytest.mark.parametrize("path", PATHS)
def test_each_path_is_plain_attention(path: AttentionPath, lengths: list[int], dtype: torch.dtype) -> None:
    assert_like_plain(path, lengths, dtype)


@settings(max_examples=60, deadline=None)
@given(lengths=st.lists(st.integers(0, 12), min_size=1, max_size=9))
@pytest.mark.parametrize("path", PATHS)
def test_each_path_is_plain_attention_for_any_lengths(path: AttentionPath, lengths: list[int]) -> None:
    assert_like_plain(path, lengths, torch.float64)


def test_plain_attention_is_the_formula_of_the_paper() -> None:
    qkv = random_qkv([3, 2], torch.float64, heads=1, size=4)
    output, weights = attend_plain(qkv, batch_of([3, 2]))
    query, key, value = (qkv[3:, part, 0] for part in range(3))
    expected = torch.softmax(query @ key.T / 2, dim=-1)
    torch.testing.assert_close(weights[1][0], expected)
    torch.testing.assert_close(output[3:, 0], expected @ value)


@pytest.mark.parametrize("path", [*PATHS, lambda *args: attend_plain(*args)[0]])
def test_no_sequence_sees_another(path: AttentionPath) -> None:
    lengths = [4, 4, 6, 1, 4]
    batch, qkv = batch_of(lengths), random_qkv([4, 4, 6, 1, 4], torch.float32)
    before = path(qkv, batch, 0.0, False)
    for number, (start, end) in enumerate(zip(batch.cu_seqlens[:-1].tolist(), batch.cu_seqlens[1:].tolist())):
        changed = qkv.clone()
        changed[start:end] = 1000.0 * (number + 1)
        after = path(changed, batch, 0.0, False)
        others = torch.ones(sum(lengths), dtype=torch.bool)
        others[start:end] = False
        torch.testing.assert_close(after[others], before[others], rtol=0, atol=1e-6)
        assert not torch.equal(after[start:end], before[start:end])


@pytest.mark.parametrize("path", PATHS)
def test_no_gradient_crosses_to_another_sequence(path: AttentionPath) -> None:
    qkv = random_qkv([4, 4, 6], torch.float32).requires_grad_()
    path(qkv, batch_of([4, 4, 6]), 0.0, False)[4:8].sum().backward()
    assert qkv.grad is not None
    assert (qkv.grad[:4] == 0).all()
    assert (qkv.grad[8:] == 0).all()
    assert (qkv.grad[4:8, 2] != 0).all()


@pytest.mark.parametrize("path", PATHS)
def test_half_precision_stays_half_precision(path: AttentionPath) -> None:
    qkv = random_qkv([4, 2], torch.float32)
    half = path(qkv.bfloat16(), batch_of([4, 2]), 0.0, False)
    assert half.dtype == torch.bfloat16
    torch.testing.assert_close(half.float(), path(qkv, batch_of([4, 2]), 0.0, False), rtol=0.05, atol=0.05)


def on(device: str, dtype: torch.dtype, head_size: int = 64, requires_grad: bool = False) -> Tensor:
    """Stands in for a tensor on a device that this machine does not have: the choice reads only these four."""
    return SimpleNamespace(  # type: ignore[return-value]
        device=torch.device(device), dtype=dtype, shape=(5, 3, 2, head_size), requires_grad=requires_grad
    )


@pytest.mark.parametrize(
    ("device", "dtype", "dropout", "expected"),
    [
        ("cpu", torch.float32, 0.0, attend_by_runs),
        ("cpu", torch.bfloat16, 0.0, attend_by_runs),
        ("cpu", torch.float32, 0.1, attend_grouped),
        ("cuda", torch.bfloat16, 0.0, attend_varlen),
        ("cuda:1", torch.float16, 0.0, attend_varlen),
        ("cuda", torch.bfloat16, 0.1, attend_padded),
        ("cuda", torch.float32, 0.0, attend_padded),
        ("cuda", torch.float64, 0.0, attend_padded),
        ("mps", torch.float16, 0.0, attend_padded),
        ("meta", torch.bfloat16, 0.0, attend_padded),
    ],
)
def test_the_path_for_each_device(device: str, dtype: torch.dtype, dropout: float, expected: AttentionPath) -> None:
    assert choose_path(on(device, dtype), dropout, 8) is expected


def test_training_on_a_cpu_takes_the_groups_where_they_pay() -> None:
    training = on("cpu", torch.float32, requires_grad=True)
    assert choose_path(training, 0.0, 64) is attend_grouped
    assert choose_path(training, 0.1, 512) is attend_grouped
    assert choose_path(training, 0.0, 65) is attend_by_runs
    half = on("cpu", torch.bfloat16, requires_grad=True)
    assert choose_path(half, 0.0, 256) is attend_grouped
    assert choose_path(half, 0.0, 257) is attend_by_runs


def test_groups_may_be_differentiated_under_autocast() -> None:
    start = random_qkv([4, 2, 4], torch.float32)
    gradients: list[Tensor] = []
    for under in (False, True):
        qkv = start.clone().requires_grad_()
        output = attend_grouped(qkv, batch_of([4, 2, 4]))
        with torch.autocast("cpu", torch.bfloat16, enabled=under):
            output.sum().backward()
        assert qkv.grad is not None
        gradients.append(qkv.grad)
    assert torch.equal(*gradients)


def test_attend_takes_the_chosen_path() -> None:
    qkv = random_qkv([4, 2, 4], torch.float32)
    assert torch.equal(attend(qkv, batch_of([4, 2, 4])), attend_by_runs(qkv, batch_of([4, 2, 4])))


def test_the_variable_length_kernel_refuses_dropout() -> None:
    with pytest.raises(ValueError, match="no dropout"):
        attend_varlen(random_qkv([2], torch.float32), batch_of([2]), 0.1)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="the variable-length kernel needs a CUDA device")
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("lengths", [[5, 2, 8, 2, 5, 1], [64] * 4, [1]], ids=str)
def test_the_variable_length_kernel_is_plain_attention(lengths: list[int], dtype: torch.dtype) -> None:
    start = random_qkv(lengths, torch.float32, heads=4, size=32)
    truth = start.clone().requires_grad_()
    expected = attend_plain(truth, batch_of(lengths))[0]
    expected.pow(3).sum().backward()
    qkv = start.to("cuda", dtype).requires_grad_()
    output = attend_varlen(qkv, batch_of(lengths, "cuda"))
    output.float().pow(3).sum().backward()
    torch.testing.assert_close(output.float().cpu(), expected, rtol=0.02, atol=0.02)
    assert qkv.grad is not None
    torch.testing.assert_close(qkv.grad.float().cpu(), truth.grad, rtol=0.1, atol=0.1)


@pytest.mark.parametrize("head_size", [12, 320])
def test_heads_that_the_kernel_does_not_take_are_padded(head_size: int) -> None:
    assert choose_path(on("cuda", torch.bfloat16, head_size), 0.0, 8) is attend_padded


def test_what_inference_asked_for_first_serves_training_too() -> None:
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=20, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=16,
    )  # fmt: skip
    model = BertForSequenceClassification(config)
    lengths = [11, 13, 9]  # of no other test
    ids = torch.arange(sum(lengths)) % 20
    batch = Ragged.of(ids, torch.zeros_like(ids), ids % 9, lengths)
    with torch.inference_mode():
        model.eval().scores(batch)
    model.train().scores(batch).sum().backward()
    assert model.get_parameter("bert.encoder.layer.0.attention.self.qkv.weight").grad is not None


def test_the_path_that_runs_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    attention._say_once.cache_clear()
    qkv = torch.randn(10, 3, 2, 4)
    with caplog.at_level(logging.DEBUG, "bertwright"):
        for dropout in (0.0, 0.0, 0.1, 0.0):
            attend(qkv, batch_of([4, 2, 4]), dropout)
    assert [record.getMessage() for record in caplog.records] == [
        "attention: attend_by_runs",
        "attention: attend_grouped",
    ]
