"""An encoder in bf16: near the one in fp32, born with row counts that recur, and never older than its weights."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from bertwright.data.ragged import Ragged
from bertwright.engines.bf16_encoder import Bf16Encoder, in_bf16, rows_to_add
from bertwright.engines.torch_engine import TorchEngine
from bertwright.model.config import BertConfig
from bertwright.model.encoder import Layer
from bertwright.model.models import BertForSequenceClassification, BertForTokenClassification, BertWithHead
from bertwright.model.pretraining_models import BertForMaskedLM
from bertwright.model.tagger import BertCrfForTokenClassification
from bertwright.tasks.classification import Classification

TINY = {"vocab_size": 300, "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2,
        "intermediate_size": 128, "max_position_embeddings": 80, "num_labels": 3}  # fmt: skip


def batch_of(*lengths: int) -> Ragged:
    random = np.random.default_rng(lengths)
    ids = torch.from_numpy(random.integers(5, 300, sum(lengths)))
    positions = torch.cat([torch.arange(length) for length in lengths])
    return Ragged.of(ids, torch.zeros_like(ids), positions, lengths)


def sharpened(kind: type[BertWithHead]) -> BertWithHead:
    """A model with weights large enough that its answers differ from text to text."""
    torch.manual_seed(3)
    model = kind(BertConfig(**TINY)).eval()  # type: ignore[arg-type]
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 2:
                parameter.mul_(4)
    return model


@pytest.mark.parametrize(
    "kind",
    [BertForSequenceClassification, BertForTokenClassification, BertCrfForTokenClassification, BertForMaskedLM],
)
@pytest.mark.parametrize("lengths", [(9, 9, 9, 4), (70, 40, 31), (1,), (16,), (64, 64)])
def test_it_is_near_the_plain_one(kind: type[BertWithHead], lengths: tuple[int, ...]) -> None:
    model, batch = sharpened(kind), batch_of(*lengths)
    with torch.inference_mode():
        plain, quick = model.scores(batch), in_bf16(model).scores(batch)
    assert quick.shape == plain.shape
    assert quick.dtype == torch.float32
    difference = (quick.softmax(-1) - plain.softmax(-1)).abs().max()
    assert 0 < difference < 0.02


def test_what_else_it_is_asked_for_has_its_places() -> None:
    model, batch = sharpened(BertForTokenClassification), batch_of(9, 4)
    with torch.inference_mode():
        plain, quick = (
            one.encode(batch, output_hidden_states=True, output_attentions=True) for one in (model, in_bf16(model))
        )
    assert [len(one) for one in quick.hidden_states] == [13] * 3
    for ours, theirs in zip(quick.hidden_states, plain.hidden_states):
        torch.testing.assert_close(ours, theirs, atol=0.1, rtol=0.05)
    assert [[one.shape for one in layer] for layer in quick.attentions] == [[(2, 9, 9), (2, 4, 4)]] * 2
    torch.testing.assert_close(quick.attentions[1][1], plain.attentions[1][1], atol=0.05, rtol=0.05)


def test_the_rows_of_products_recur_and_few_are_empty() -> None:
    for tokens in range(1, 5000):
        rows, few = tokens + rows_to_add(tokens), tokens <= 128
        assert rows % (16 if few else 64) == 0
        assert rows - tokens < (16 if few else 64)

    model = sharpened(BertForTokenClassification)
    quick, seen = in_bf16(model), []
    encoder: nn.Module = quick.base_model.encoder
    assert isinstance(encoder, Bf16Encoder)
    for module in encoder.modules():
        if isinstance(module, nn.Linear):
            module.register_forward_pre_hook(lambda _, inputs: seen.append(len(inputs[0])))
    for lengths, rows in (((9, 9, 4), 32), ((70, 70, 31), 192)):
        seen.clear()
        quick.scores(batch_of(*lengths))
        assert set(seen) == {rows}


def test_all_but_the_encoder_is_shared_and_the_model_stays_as_it_was() -> None:
    model = sharpened(BertForSequenceClassification)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    quick = in_bf16(model)
    ours = {id(one) for one in model.parameters()}
    theirs = {name: one for name, one in quick.named_parameters() if id(one) not in ours}
    assert theirs
    assert all(name.startswith("bert.encoder.") and one.dtype == torch.bfloat16 for name, one in theirs.items())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    own: nn.Module = model.base_model.encoder
    assert not isinstance(own, Bf16Encoder)


def layer(model: BertWithHead, index: int) -> Layer:
    found = model.base_model.encoder.layer[index]
    assert isinstance(found, Layer)
    return found


def by_an_optimizer(model: BertWithHead) -> None:
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    model.scores(batch_of(9, 4)).square().sum().backward()
    optimizer.step()


def by_a_state(model: BertWithHead) -> None:
    model.load_state_dict({name: value * 1.5 for name, value in model.state_dict().items()})


def behind_the_back(model: BertWithHead) -> None:
    weight = layer(model, 0).attention.self.qkv.weight
    weight.data.copy_(weight.data * 2)


def by_another_type(model: BertWithHead) -> None:
    behind_the_back(model)
    model.bfloat16()


def by_an_adapter(model: BertWithHead) -> None:
    """Low-rank, and merged into the weight that it was made for."""
    weight = layer(model, 1).intermediate.dense.weight
    weight.data += torch.ones(len(weight), 1) @ torch.linspace(-1, 1, weight.shape[1])[None]


class Doubling(nn.Module):
    """An adapter that stands around a part of a layer."""

    def __init__(self, inside: nn.Module) -> None:
        super().__init__()
        self.inside = inside

    def forward(self, hidden: Tensor) -> Tensor:
        made: Tensor = self.inside(hidden)
        return made * 2


def by_a_module_around(model: BertWithHead) -> None:
    upper = layer(model, 1)
    upper.intermediate = Doubling(upper.intermediate)  # type: ignore[assignment]


def by_a_hook(model: BertWithHead) -> None:
    layer(model, 0).register_forward_hook(lambda module, inputs, output: output.flip(-1))


@pytest.mark.parametrize(
    "change",
    [by_an_optimizer, by_a_state, behind_the_back, by_another_type, by_an_adapter, by_a_module_around, by_a_hook],
)
def test_a_change_of_the_model_is_in_the_next_answer(change: Callable[[BertWithHead], None]) -> None:
    model, batch = sharpened(BertForSequenceClassification), batch_of(9, 9, 4)
    task = Classification(("a", "b", "c"))
    engine = TorchEngine(model, task, "bf16")
    before = engine.ready().run(batch)
    change(model)
    model.eval()
    after = engine.ready().run(batch)
    afresh = TorchEngine(model, task, "bf16").ready().run(batch)
    for name, value in after.items():
        assert torch.equal(value, afresh[name])
        assert not torch.equal(value, before[name])


def test_a_module_that_nobody_else_has_is_prepared_once() -> None:
    engine = TorchEngine(sharpened(BertForSequenceClassification), Classification(("a", "b", "c")), "bf16").sole()
    prepared = engine._computing
    assert engine.ready()._computing is prepared
    assert engine.model is not None  # now somebody has it
    assert engine.ready()._computing is not prepared
