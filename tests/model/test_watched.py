"""Hooks, and modules of one's own, see the shapes that the peer would show them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.parity.peers import BY_NAME, TINY, make_inputs, make_pair

HEARD = [
    "embeddings",
    "embeddings.word_embeddings",
    "encoder.layer.0",
    "encoder.layer.1.attention.self.query",
    "encoder.layer.1.attention.self",
    "encoder.layer.1.attention.output.LayerNorm",
    "encoder.layer.2.intermediate",
    "encoder.layer.2.output.dense",
    "pooler",
]


@pytest.mark.parametrize("mask", ["none", "right"])
@pytest.mark.parametrize("path", HEARD)
def test_a_hook_hears_what_the_peer_would_give_it(path: str, mask: str) -> None:
    pair, heard = make_pair(BY_NAME["single-label"], TINY), []
    inputs = make_inputs(pair.case, pair.ours.config, mask)
    before = pair.ours(**inputs).logits
    for model in (pair.ours, pair.peer):
        module = model.get_submodule(f"bert.{path}")
        module.register_forward_hook(
            lambda _, __, output: heard.append(output[0] if isinstance(output, tuple) else output)
        )
        logits = model(**inputs).logits
        torch.testing.assert_close(logits, before, atol=1e-5, rtol=1e-4)
    ours, theirs = heard
    assert ours.shape == theirs.shape
    real = inputs.get("attention_mask", torch.ones(4, 9)).bool()
    if ours.dim() == 3:
        ours, theirs = ours[real], theirs[real]
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-4)


def test_a_hook_on_the_encoder_hears_its_output_and_may_change_it() -> None:
    pair, found = make_pair(BY_NAME["tokens"], TINY), []
    inputs = make_inputs(pair.case, pair.ours.config, "right")

    def hook(_: nn.Module, __: Any, output: Any) -> Any:
        output["last_hidden_state"] = output["last_hidden_state"] * 2
        return output

    for model in (pair.ours, pair.peer):
        model.get_submodule("bert").register_forward_hook(hook)
        output = model(**inputs, output_hidden_states=True, output_attentions=True)
        found.append(output)
    real = inputs["attention_mask"].bool()
    torch.testing.assert_close(found[0].logits[real], found[1].logits[real], atol=1e-5, rtol=1e-4)
    assert [one.shape for one in found[0].attentions] == [one.shape for one in found[1].attentions]
    torch.testing.assert_close(found[0].attentions[1][0], found[1].attentions[1][0], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(found[0].hidden_states[1][real], found[1].hidden_states[1][real], atol=1e-5, rtol=1e-4)


class Neighbours(nn.Module):
    """Mixes each token with the next one, which rows without places cannot."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, hidden: Tensor) -> Tensor:
        _, width, _ = hidden.shape
        made: Tensor = self.inner(hidden) + 0.1 * hidden.roll(1, 1)[:, :width].mean(-1, keepdim=True)
        return made


@pytest.mark.parametrize("path", ["classifier", "dropout"])
def test_a_module_of_ones_own_gets_the_padded_form(path: str) -> None:
    pair, found = make_pair(BY_NAME["tokens"], TINY), []
    inputs = make_inputs(pair.case, pair.ours.config)
    for model in (pair.ours, pair.peer):
        setattr(model, path, Neighbours(getattr(model, path)))
        found.append(model(**inputs).logits)
    torch.testing.assert_close(*found, atol=1e-5, rtol=1e-4)


def test_a_wrapped_encoder_is_called() -> None:
    class Louder(nn.Module):
        def __init__(self, inner: nn.Module) -> None:
            super().__init__()
            self.inner = inner

        def forward(self, *args: Any, **kwargs: Any) -> Any:
            output = self.inner(*args, **kwargs)
            output["pooler_output"] = output["pooler_output"] * 3
            return output

    pair, found = make_pair(BY_NAME["single-label"], TINY), []
    inputs = make_inputs(pair.case, pair.ours.config, "left")
    inputs["position_ids"] = torch.arange(9).expand(4, 9)
    for model in (pair.ours, pair.peer):
        setattr(model, "bert", Louder(model.get_submodule("bert")))  # noqa: B010 for the type checker
        found.append(model(**{name: tensor[:1] for name, tensor in inputs.items()}).logits)
    torch.testing.assert_close(*found, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    "watch", [lambda module: module.register_forward_hook(lambda *_: None), None], ids=["watched", "not watched"]
)
def test_gradients_are_those_of_a_model_without_listeners(watch: Callable[[nn.Module], object] | None) -> None:
    pair = make_pair(BY_NAME["single-label"], TINY)
    inputs = make_inputs(pair.case, pair.ours.config, "holes") | {"labels": torch.tensor([0, 1, 2, 0])}
    if watch is not None:
        watch(pair.ours.get_submodule("bert.encoder.layer.1"))
    pair.ours(**inputs).loss.backward()
    pair.peer(**inputs).loss.backward()
    norm = pair.ours.get_parameter("bert.embeddings.LayerNorm.weight").grad
    theirs = pair.peer.get_parameter("bert.embeddings.LayerNorm.weight").grad
    torch.testing.assert_close(norm, theirs, atol=1e-5, rtol=1e-3)
