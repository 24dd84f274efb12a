"""New layers on top: they hand on what they read, the peer reads them, and they learn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from torch import Tensor

from bertwright import BertConfig
from bertwright.model.growth import deepen


def test_a_deeper_model_computes_what_it_did(make_model: Callable[..., Any], inputs: dict[str, Tensor]) -> None:
    net = make_model("BertForPreTraining")
    before = net(**inputs).prediction_logits.detach()
    own = net.bert.encoder.layer[1]
    keys = own.attention.self.qkv(net.bert(**inputs).last_hidden_state)
    deepen(net, 6)
    real = inputs["attention_mask"].bool()
    torch.testing.assert_close(net(**inputs).prediction_logits[real], before[real], atol=1e-4, rtol=1e-4)
    states = net.bert(**inputs, output_hidden_states=True).hidden_states
    read = net.bert.encoder.layer[2].attention.self.qkv(states[2])
    torch.testing.assert_close(read[real], keys[real], atol=1e-4, rtol=1e-4)  # a copy attends as the layer would


def test_the_peer_reads_the_deeper_model(
    make_model: Callable[..., Any], inputs: dict[str, Tensor], tmp_path: Path
) -> None:
    net = make_model("BertForPreTraining")
    deepen(net, 4)
    net.save_pretrained(tmp_path)
    assert BertConfig.from_pretrained(tmp_path).num_hidden_layers == 4
    peer = transformers.BertForPreTraining.from_pretrained(tmp_path).eval()
    real = inputs["attention_mask"].bool()
    theirs = peer(**inputs).prediction_logits[real]
    torch.testing.assert_close(net(**inputs).prediction_logits[real], theirs, atol=1e-5, rtol=1e-4)


def test_every_new_part_learns(make_model: Callable[..., Any], inputs: dict[str, Tensor]) -> None:
    net = make_model("BertForPreTraining")
    deepen(net, 3)
    step = torch.optim.SGD(net.parameters(), 0.1)
    for _ in range(3):  # the parts behind a zero get a gradient once it is none
        step.zero_grad()
        net(**inputs, labels=inputs["input_ids"], next_sentence_label=torch.tensor([0, 1, 0])).loss.backward()
        step.step()
    old, new = net.bert.encoder.layer[1:]
    gradients = [parameter.grad for parameter in new.parameters()]
    assert all(gradient is not None and gradient.abs().max() > 0 for gradient in gradients)
    assert not torch.equal(old.attention.self.qkv.weight, new.attention.self.qkv.weight), "no storage is shared"


def test_layers_only_grow(make_model: Callable[..., Any]) -> None:
    for layers, wished in ((2, 1), (0, 2)):
        with pytest.raises(ValueError, match=f"{layers} layers cannot grow to {wished}"):
            deepen(make_model("BertForPreTraining", num_hidden_layers=layers), wished)
