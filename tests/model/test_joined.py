"""Queries, keys and values stand in one matrix and are found under their own names."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, load_model, save_file, save_model
from torch import Tensor, nn

from bertwright import BertConfig, BertForSequenceClassification, BertModel, BertwrightError
from tests.parity.peers import BY_NAME, TINY, make_pair

WORDS = torch.arange(1, 13).view(2, 6)
PARTS = ("query", "key", "value")


def small(**settings: Any) -> BertModel:
    torch.manual_seed(0)
    return BertModel(BertConfig(**TINY, **settings)).eval()


def attention(model: BertModel, layer: int = 0) -> Any:
    return model.get_submodule(f"encoder.layer.{layer}.attention.self")


def hidden(model: nn.Module) -> Tensor:
    with torch.no_grad():
        found: Tensor = model(WORDS)[0]
    return found


def test_a_part_reads_and_writes_the_memory_of_the_whole() -> None:
    model = small()
    inside = attention(model)
    assert torch.equal(torch.cat([getattr(inside, name).weight for name in PARTS]), inside.qkv.weight)
    nn.init.zeros_(inside.value.weight)
    inside.value.bias.data.fill_(3.0)
    size = TINY["hidden_size"]
    assert not inside.qkv.weight[2 * size :].any()
    assert inside.qkv.weight[: 2 * size].all()
    assert inside.qkv.bias[2 * size :].eq(3.0).all()
    assert sum(parameter.numel() for parameter in inside.parameters()) == 3 * size * (size + 1)


def test_a_hook_hears_and_changes_what_a_part_makes() -> None:
    model, heard = small(), []
    before = hidden(model)
    handles = [getattr(attention(model, 1), name).register_forward_hook(lambda *_: heard.append(1)) for name in PARTS]
    torch.testing.assert_close(hidden(model), before)
    assert heard == [1, 1, 1]
    for handle in handles:
        handle.remove()
    attention(model, 2).key.register_forward_hook(lambda _module, _inputs, output: output * 2)
    assert not torch.allclose(hidden(model), before)


class Adapted(nn.Module):
    def __init__(self, base: nn.Module) -> None:
        super().__init__()
        self.base, self.more = base, nn.Linear(TINY["hidden_size"], TINY["hidden_size"])
        nn.init.zeros_(self.more.weight)
        nn.init.zeros_(self.more.bias)

    def forward(self, values: Tensor) -> Tensor:
        made: Tensor = self.base(values) + self.more(values)
        return made


def test_a_replaced_part_counts_and_learns() -> None:
    model = small()
    before, inside = hidden(model), attention(model, 2)
    inside.value = Adapted(inside.value)
    torch.testing.assert_close(hidden(model), before)
    assert inside.qkv is None
    names = {name for name, _ in inside.named_parameters()}
    assert names >= {"query.weight", "value.base.weight", "value.more.weight"}
    model(WORDS)[0].square().sum().backward()
    assert all(parameter.grad is not None for parameter in inside.parameters())
    other = small()
    attention(other, 2).query = Adapted(attention(other, 2).query)
    assert torch.equal(hidden(copy.deepcopy(other)), hidden(other))
    assert torch.equal(hidden(pickle.loads(pickle.dumps(model))), hidden(model))


def test_a_frozen_matrix_stays_frozen_when_it_is_taken_apart() -> None:
    model = small()
    attention(model).qkv.weight.requires_grad_(False)
    attention(model).key.weight = nn.Parameter(torch.ones(48, 48))
    learns = {name: one.requires_grad for name, one in attention(model).named_parameters() if "weight" in name}
    assert learns == {"query.weight": False, "key.weight": True, "value.weight": False}


def test_a_view_can_be_neither_frozen_nor_optimised_in_silence() -> None:
    query = attention(small()).query
    assert [name for name, _ in query.named_parameters()] == ["weight", "bias"]
    with pytest.raises(RuntimeError, match="leaf"):
        query.requires_grad_(False)
    with pytest.raises(ValueError, match="leaf"):
        torch.optim.SGD(query.parameters(), lr=0.1)


def test_whole_and_parts_cannot_both_be_replaced() -> None:
    inside = attention(small())
    inside.qkv = Adapted(inside.qkv)
    with pytest.raises(BertwrightError) as caught:
        inside.query = nn.Identity()
    assert (caught.value.code, caught.value.fields["found"]) == ("BW150", "Adapted")


def test_a_state_has_the_names_of_the_peer() -> None:
    pair = make_pair(BY_NAME["single-label"], TINY)
    state = pair.ours.state_dict()
    assert set(state) == set(pair.peer.state_dict())
    assert str(pair.peer.load_state_dict(state)) == "<All keys matched successfully>"
    assert all(torch.equal(tensor, state[name]) for name, tensor in pair.peer.state_dict().items())


def test_what_is_written_into_a_state_is_written_into_the_model() -> None:
    model = small()
    for tensor in model.state_dict().values():
        tensor.zero_()
    assert not any(parameter.any() for parameter in model.parameters())


def test_tensors_of_a_state_have_storages_of_their_own() -> None:
    storages = [tensor.untyped_storage().data_ptr() for tensor in small().state_dict().values()]
    assert len(set(storages)) == len(storages)


def test_a_layer_takes_the_state_of_another_layer() -> None:
    teacher, student = small(), small(initializer_range=0.5)
    student.encoder.layer[0].load_state_dict(teacher.encoder.layer[2].state_dict())
    assert torch.equal(attention(student).qkv.weight, attention(teacher, 2).qkv.weight)
    apart = small(initializer_range=0.3)
    attention(apart).separate()
    apart.load_state_dict(teacher.state_dict())
    assert torch.equal(hidden(apart), hidden(teacher)) or torch.allclose(hidden(apart), hidden(teacher), atol=1e-6)
    teacher.load_state_dict(apart.state_dict())


@pytest.mark.parametrize("separate", [False, True])
def test_safetensors_writes_and_reads_a_model(tmp_path: Path, separate: bool) -> None:
    model, other = small(), small(initializer_range=0.5)
    if separate:
        attention(model).separate()
    save_model(model, str(tmp_path / "a.safetensors"))
    assert not any(load_model(other, tmp_path / "a.safetensors"))
    torch.testing.assert_close(hidden(other), hidden(model))
    save_file(model.state_dict(), tmp_path / "b.safetensors")
    assert load_file(tmp_path / "b.safetensors").keys() == model.state_dict().keys()


def test_a_model_taken_apart_is_saved_as_every_model(tmp_path: Path) -> None:
    model = BertForSequenceClassification(BertConfig(**TINY)).eval()
    attention(model.bert, 1).separate()
    model.save_pretrained(tmp_path)
    again = BertForSequenceClassification.from_pretrained(tmp_path)
    torch.testing.assert_close(hidden(again), hidden(model))
    assert attention(again.bert, 1).qkv is not None


@pytest.mark.parametrize(
    "to",
    [lambda model: model.half(), copy.deepcopy, lambda model: model.to("meta")],
    ids=["halved", "copied", "without memory"],
)
def test_a_part_follows_its_matrix(to: Callable[[BertModel], BertModel]) -> None:
    inside = attention(to(small()))
    assert inside.query.weight.dtype == inside.qkv.weight.dtype
    assert inside.query.weight.device == inside.qkv.weight.device
    assert inside.query._place[0] is inside


def test_the_parts_of_cross_attention_are_found(tmp_path: Path) -> None:
    from bertwright.model.seq2seq.decoder import CrossSelf

    cross = CrossSelf(BertConfig(**TINY))
    assert {name.partition(".")[0] for name in cross.state_dict()} == {"query", "key", "value"}
    assert next(name for name, _ in cross.named_parameters()) == "query.weight"
    memory = torch.randn(5, 48)
    before = cross.read(memory)
    cross.separate()
    torch.testing.assert_close(cross.read(memory), before)
