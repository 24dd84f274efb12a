"""Every model class beside its peer: the same weights, the same inputs, and the names of what to compare."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import Tensor

import bertwright
from bertwright.checkpoint.matching import match
from bertwright.model.pretrained import Pretrained

TINY: dict[str, Any] = {
    "vocab_size": 61,
    "hidden_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 80,
    "max_position_embeddings": 40,
}
BASE: dict[str, Any] = {}  # what both configs say of themselves
LARGE: dict[str, Any] = {
    "hidden_size": 1024,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "intermediate_size": 4096,
}

Labels = Callable[[Tensor, Tensor], dict[str, Tensor]]


def token_labels(classes: int | None) -> Labels:
    """One label for each real token but every third; -100 elsewhere."""

    def make(ids: Tensor, mask: Tensor) -> dict[str, Tensor]:
        labels = ids if classes is None else ids % classes
        left_out = (mask == 0) | (torch.arange(ids.shape[-1]) % 3 == 2)
        return {"labels": labels.masked_fill(left_out, -100)}

    return make


def text_labels(classes: int) -> Labels:
    return lambda ids, _: {"labels": torch.arange(len(ids)) % classes}


def both_labels(ids: Tensor, mask: Tensor) -> dict[str, Tensor]:
    return token_labels(None)(ids, mask) | {"next_sentence_label": torch.arange(len(ids)) % 2}


def span_labels(ids: Tensor, mask: Tensor) -> dict[str, Tensor]:
    first = mask.int().argmax(1)
    return {"start_positions": first, "end_positions": first + (mask.sum(1) - 1).clamp(0, 2)}


@dataclass(frozen=True)
class Case:
    """A model class and one way of using it; `scores` are the names of the outputs to compare."""

    name: str
    kind: str
    labels: Labels | None
    scores: tuple[str, ...] = ("logits",)
    settings: dict[str, Any] = field(default_factory=dict)
    per_token: bool = False
    choices: int = 0

    @property
    def ours(self) -> type[Pretrained]:
        return getattr(bertwright, self.kind)

    @property
    def peer(self) -> type[transformers.PreTrainedModel]:
        return getattr(transformers, self.kind)

    def __str__(self) -> str:
        return self.name


CASES = [
    Case("encoder", "BertModel", None, ("last_hidden_state", "pooler_output")),
    Case("pretraining", "BertForPreTraining", both_labels, ("prediction_logits", "seq_relationship_logits")),
    Case("masked-lm", "BertForMaskedLM", token_labels(None), per_token=True),
    Case("next-sentence", "BertForNextSentencePrediction", text_labels(2)),
    Case("single-label", "BertForSequenceClassification", text_labels(3), settings={"num_labels": 3}),
    Case(
        "multi-label",
        "BertForSequenceClassification",
        lambda ids, _: {"labels": (torch.arange(len(ids) * 4).view(-1, 4) % 3 == 0).float()},
        settings={"num_labels": 4, "problem_type": "multi_label_classification"},
    ),
    Case(
        "regression",
        "BertForSequenceClassification",
        lambda ids, _: {"labels": torch.linspace(-1, 2, len(ids))},
        settings={"num_labels": 1},
    ),
    Case("tokens", "BertForTokenClassification", token_labels(5), settings={"num_labels": 5}, per_token=True),
    Case("span", "BertForQuestionAnswering", span_labels, ("start_logits", "end_logits"), per_token=True),
    Case("choice", "BertForMultipleChoice", text_labels(3), choices=3),
]
BY_NAME = {case.name: case for case in CASES}
KINDS = sorted({case.kind: case for case in CASES}.values(), key=lambda case: case.kind)


@dataclass
class Pair:
    """Our model and the peer's, with equal weights, both in eval mode."""

    case: Case
    ours: Pretrained
    peer: transformers.PreTrainedModel

    def exact(self) -> transformers.PreTrainedModel:
        """The peer in float64."""
        return copy.deepcopy(self.peer).double()

    def fused(self) -> transformers.PreTrainedModel:
        """The peer with the attention that its users get."""
        peer = copy.deepcopy(self.peer)
        peer.set_attn_implementation("sdpa")
        return peer


def make_peer(case: Case, shape: Mapping[str, Any], seed: int = 0) -> transformers.PreTrainedModel:
    """A peer in which no two parameters are alike: biases and norms, too, are random."""
    config = transformers.BertConfig(**{**shape, **case.settings, "attn_implementation": "eager"})
    torch.manual_seed(seed)
    peer = case.peer(config).eval()
    scale = 2.0 if config.hidden_size < 200 else 1.0
    with torch.no_grad():
        for name, parameter in peer.named_parameters():
            if "LayerNorm" in name or parameter.dim() == 1:
                parameter.add_(torch.randn_like(parameter), alpha=0.1)
            else:
                parameter.mul_(scale)
    return peer


def ours_like(peer: transformers.PreTrainedModel, case: Case) -> Pretrained:
    """Our model with the weights of `peer`, every one of them."""
    config = bertwright.BertConfig.from_dict(peer.config.to_dict())
    with torch.device("meta"):
        model = case.ours(config)
    wanted = {name: parameter.shape for name, parameter in model.named_parameters()}
    found, report = match(peer.state_dict(), wanted, Path("peer"))
    assert not report.fresh
    model.load_state_dict({name: tensor.clone() for name, tensor in found.items()}, assign=True)
    return model.requires_grad_().eval()


def make_pair(case: Case, shape: Mapping[str, Any] = TINY, seed: int = 0) -> Pair:
    peer = make_peer(case, shape, seed)
    return Pair(case, ours_like(peer, case), peer)


MASKS: dict[str, list[list[int]] | None] = {
    "none": None,
    "right": [[1] * 9, [1] * 6 + [0] * 3, [1] * 8 + [0], [1] * 4 + [0] * 5],
    "left": [[1] * 9, [0] * 3 + [1] * 6, [0] + [1] * 8, [0] * 5 + [1] * 4],
    "holes": [[1] * 9, [1, 0, 0, 1, 1, 1, 0, 1, 1], [1, 1, 0, 1, 1, 1, 1, 1, 0], [1, 0, 1, 0, 1, 0, 1, 0, 1]],
    "one token": [[1] * 9, [1] + [0] * 8, [1] * 5 + [0] * 4, [1] * 9],
}


def make_inputs(case: Case, config: Any, mask: str = "none", seed: int = 1) -> dict[str, Tensor]:
    """Random ids and token types `[4, 9]` (`[4, choices, 9]`) and the mask of that name."""
    generator = torch.Generator().manual_seed(seed)
    shape = (4, case.choices, 9) if case.choices else (4, 9)
    inputs = {
        "input_ids": torch.randint(1, config.vocab_size, shape, generator=generator),
        "token_type_ids": torch.randint(0, config.type_vocab_size, shape, generator=generator),
    }
    if MASKS[mask] is not None:
        real = torch.tensor(MASKS[mask])
        inputs["attention_mask"] = real[:, None].repeat(1, case.choices, 1) if case.choices else real
    return inputs


def mask_of(inputs: Mapping[str, Tensor]) -> Tensor:
    return inputs.get("attention_mask", torch.ones_like(inputs["input_ids"]))


def with_labels(case: Case, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {**inputs, **case.labels(inputs["input_ids"], mask_of(inputs))} if case.labels else dict(inputs)
