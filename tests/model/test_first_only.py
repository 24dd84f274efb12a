"""Where only [CLS] is read, the last layer computes nothing else; scores and gradients are those of the plain path."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from bertwright.data.ragged import Ragged, from_padded
from bertwright.model.attention.attention import attend_plain
from bertwright.model.attention.grouped import attend_first, attend_grouped
from bertwright.model.models import BertWithHead

KINDS = ["BertForSequenceClassification", "BertForNextSentencePrediction", "BertForMultipleChoice"]
LENGTHS = {"sorted": [1, 2, 2, 3, 9, 9, 10], "unsorted": [9, 1, 4, 9, 2, 30], "one": [5], "equal": [4, 4, 4]}
NO_DROPOUT = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0, "classifier_dropout": 0.0}


def batch_of(lengths: list[int]) -> Ragged:
    generator = torch.Generator().manual_seed(sum(lengths))
    ids = torch.randint(1, 61, (sum(lengths),), generator=generator)
    return Ragged.of(ids, ids % 2, torch.cat([torch.arange(length) for length in lengths]), lengths)


def scores_and_gradients(model: BertWithHead, batch: Ragged, first_only: bool) -> tuple[Tensor, dict[str, Tensor]]:
    model.zero_grad()
    scores = model.head(model.bert.encode(batch, first_only=first_only), batch)
    scores.pow(3).sum().backward()
    return scores.detach(), {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("checkpointing", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)
@pytest.mark.parametrize("kind", KINDS)
def test_scores_and_gradients_are_those_of_all_tokens(
    kind: str, lengths: list[int], dtype: torch.dtype, checkpointing: bool, make_model: Callable[..., Any]
) -> None:
    model = make_model(kind, **NO_DROPOUT).to(dtype).train()
    assert isinstance(model, BertWithHead)
    model.bert.encoder.checkpointing = checkpointing
    batch = batch_of(lengths)
    scores, gradients = scores_and_gradients(model, batch, first_only=True)
    expected, expected_gradients = scores_and_gradients(model, batch, first_only=False)
    tolerance = 1e-12 if dtype == torch.float64 else 2e-5
    torch.testing.assert_close(scores, expected, rtol=tolerance, atol=tolerance)
    assert gradients.keys() == expected_gradients.keys() == {name for name, _ in model.named_parameters()}
    for name, gradient in gradients.items():
        size = float(expected_gradients[name].abs().max())
        torch.testing.assert_close(gradient, expected_gradients[name], rtol=0, atol=10 * tolerance * max(1.0, size))


@pytest.mark.parametrize("kind", KINDS[:2])
def test_the_models_take_it(kind: str, make_model: Callable[..., Any]) -> None:
    model = make_model(kind)
    assert isinstance(model, BertWithHead)
    batch = batch_of([3, 5])
    encoding = model.bert.encode(batch, first_only=model.reads_first_only)
    assert encoding.first_only
    assert encoding.last.shape == (2, 32)
    assert torch.equal(model.scores(batch), model.head(encoding, batch))


def test_states_that_are_asked_for_are_all_computed(make_model: Callable[..., Any], inputs: dict[str, Tensor]) -> None:
    model = make_model(KINDS[0])
    whole = model(**inputs, output_hidden_states=True, output_attentions=True)
    assert whole.hidden_states[-1].shape == (3, 9, 32)
    torch.testing.assert_close(whole.logits, model(**inputs).logits, rtol=1e-5, atol=1e-5)


def test_a_row_without_a_token_takes_the_whole_path(make_model: Callable[..., Any]) -> None:
    model = make_model(KINDS[0])
    ids, mask = torch.ones(2, 4, dtype=torch.int64), torch.tensor([[1, 1, 0, 0], [0, 0, 0, 0]])
    assert not model.bert.encode(from_padded(ids, mask)[0], first_only=True).first_only
    assert model(ids, mask).logits.isfinite().all()


def test_a_model_without_layers_has_only_embeddings(make_model: Callable[..., Any]) -> None:
    model = make_model(KINDS[0], num_hidden_layers=0)
    assert model.scores(batch_of([3, 5])).shape == (2, 2)


@pytest.mark.parametrize("path", [attend_first, attend_grouped])
def test_dropped_weights_have_the_right_gradients(path: Callable[..., Tensor]) -> None:
    """Against differences of the output, with the same weights dropped each time."""
    batch = batch_of([1, 3, 3, 4])
    generator = torch.Generator().manual_seed(8)

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64).requires_grad_()

    inputs = (draw(4, 2, 3), draw(11, 2, 2, 3)) if path is attend_first else (draw(11, 3, 2, 3),)

    def run(*tensors: Tensor) -> Tensor:
        torch.manual_seed(7)
        return path(*tensors, batch, 0.4)

    assert (run(*inputs) != path(*inputs, batch, 0.0)).any()
    assert torch.autograd.gradcheck(run, inputs)


def test_the_mean_over_dropped_weights_is_that_of_whole_ones() -> None:
    torch.manual_seed(9)
    batch, qkv = batch_of([5, 7]), torch.randn(12, 3, 2, 4)
    first = batch.first_of_each(qkv[:, 0])
    whole = batch.first_of_each(attend_plain(qkv, batch)[0])
    torch.testing.assert_close(attend_first(first, qkv[:, 1:], batch), whole)
    mean = torch.stack([attend_first(first, qkv[:, 1:], batch, 0.4) for _ in range(2000)]).mean(0)
    assert (mean - whole).pow(2).mean() < 1e-3


def test_bf16_trains_like_fp32(make_model: Callable[..., Any]) -> None:
    model = make_model(KINDS[0], **NO_DROPOUT).train()
    assert isinstance(model, BertWithHead)
    batch = batch_of([3, 5, 5, 8])
    expected, expected_gradients = scores_and_gradients(model, batch, first_only=True)
    model.zero_grad()
    with torch.autocast("cpu", torch.bfloat16):
        scores = model.scores(batch)
    scores.float().pow(3).sum().backward()
    torch.testing.assert_close(scores.float(), expected, rtol=0.05, atol=0.05)
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None
        difference = (parameter.grad - expected_gradients[name]).norm()
        assert difference <= 0.1 * expected_gradients[name].norm() + 1e-3, name


class Adapter(nn.Module):
    """A low-rank addition to a matrix (Hu et al. 2021)."""

    def __init__(self, inner: nn.Linear) -> None:
        super().__init__()
        self.inner = inner
        self.down = nn.Linear(inner.in_features, 2, bias=False)
        self.up = nn.Linear(2, inner.out_features, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x) + self.up(self.down(x))


@pytest.mark.parametrize("kind", KINDS[:2])
def test_what_others_put_into_the_last_layer_counts(kind: str, make_model: Callable[..., Any]) -> None:
    model = make_model(kind, **NO_DROPOUT)
    assert isinstance(model, BertWithHead)
    batch = batch_of([3, 5])
    before = model.head(model.bert.encode(batch, first_only=True), batch)
    attention: Any = model.bert.encoder.layer[-1].attention
    called = []
    handle = attention.self.qkv.register_forward_hook(lambda *_: called.append(1))
    hooked = model.head(model.bert.encode(batch, first_only=True), batch)
    handle.remove()
    assert called == [1]
    torch.testing.assert_close(hooked, before)
    attention.self.qkv = Adapter(attention.self.qkv)
    scores = model.head(model.bert.encode(batch, first_only=True), batch)
    scores.sum().backward()
    assert float((scores - before).detach().abs().max()) > 1e-6
    assert float(attention.self.qkv.up.weight.grad.abs().max()) > 0


@pytest.mark.filterwarnings("ignore")  # of a module that torch is about to move
def test_a_model_may_be_quantised(make_model: Callable[..., Any], inputs: dict[str, Tensor]) -> None:
    model = make_model("BertForSequenceClassification").eval()
    small = torch.ao.quantization.quantize_dynamic(model, {nn.Linear}, dtype=torch.qint8)
    torch.testing.assert_close(small(**inputs).logits, model(**inputs).logits, rtol=0, atol=0.1)
