"""Dropout: nothing at 0, a function of the seed, and the share that was asked for."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from bertwright import BertConfig, BertForSequenceClassification, BertModel
from bertwright.data.ragged import Ragged
from bertwright.model.attention.attention import attend_by_runs, attend_padded, attend_plain
from bertwright.model.attention.grouped import attend_grouped
from bertwright.model.heads import classifier_dropout
from tests.parity.peers import BY_NAME, TINY, make_inputs, make_pair
from tests.parity.test_forward import assert_like_peer

NONE: dict[str, Any] = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}


def assert_share(dropped: int, of: int, probability: float) -> None:
    """Within five standard deviations of the binomial: one run in two million fails by chance, and seeds are set."""
    deviation = math.sqrt(of * probability * (1 - probability))
    assert abs(dropped - of * probability) <= 5 * deviation, f"{dropped} of {of} dropped, {probability} asked for"


@pytest.mark.parametrize("case_name", ["pretraining", "single-label", "choice"])
def test_training_without_dropout_is_the_peers(case_name: str) -> None:
    pair = make_pair(BY_NAME[case_name], TINY | NONE)
    pair.ours.train()
    pair.peer.train()
    assert_like_peer(pair, make_inputs(pair.case, pair.ours.config, "right"))


@pytest.mark.parametrize("only", ["hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout"], ids=str)
def test_each_dropout_is_a_function_of_the_seed(only: str) -> None:
    model = BertForSequenceClassification(BertConfig(**TINY, **{**NONE, "classifier_dropout": 0.0, only: 0.3})).train()
    inputs = make_inputs(BY_NAME["single-label"], model.config, "right")

    def run(seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        return model(**inputs).logits.detach()

    assert torch.equal(run(1), run(1))
    assert not torch.equal(run(1), run(2))
    model.eval()
    assert torch.equal(run(1), run(2))


def test_without_classifier_dropout_a_classifier_drops_as_hidden_states_do() -> None:
    assert classifier_dropout(BertConfig(**TINY, hidden_dropout_prob=0.25)).p == 0.25
    assert classifier_dropout(BertConfig(**TINY, hidden_dropout_prob=0.25, classifier_dropout=0.0)).p == 0.0


def test_share_of_the_embeddings() -> None:
    torch.manual_seed(0)
    model = BertModel(BertConfig(**TINY, hidden_dropout_prob=0.2)).train()
    ids = torch.randint(1, 61, (20, 40))
    embeddings = model(ids, output_hidden_states=True).hidden_states[0]
    assert_share(int((embeddings == 0).sum()), embeddings.numel(), 0.2)


def test_share_of_the_classifier() -> None:
    torch.manual_seed(0)
    outputs = classifier_dropout(BertConfig(**TINY, classifier_dropout=0.3)).train()(torch.ones(500, 32))
    assert_share(int((outputs == 0).sum()), outputs.numel(), 0.3)
    assert torch.allclose(outputs[outputs != 0], torch.tensor(1 / 0.7))


@pytest.mark.parametrize("path", [attend_by_runs, attend_grouped, attend_padded, lambda *args: attend_plain(*args)[0]])
def test_share_of_the_attention_weights(path: Callable[..., Tensor]) -> None:
    torch.manual_seed(0)
    lengths, heads, size, dropout = [16] * 40, 4, 16, 0.25
    tokens = sum(lengths)
    qkv = torch.zeros(tokens, 3, heads, size)
    # Equal scores, and the values of a sequence are the unit vectors: the output shows each weight, or its absence.
    qkv[:, 2] = torch.eye(size).repeat(len(lengths), 1)[:, None]
    batch = Ragged.of(torch.zeros(tokens), torch.zeros(tokens), torch.zeros(tokens), lengths)
    weights = path(qkv, batch, dropout)
    assert_share(int((weights == 0).sum()), weights.numel(), dropout)
    assert torch.allclose(weights[weights != 0], torch.tensor(1 / 16 / (1 - dropout)))


@pytest.mark.parametrize("path", [attend_by_runs, attend_grouped, attend_padded, lambda *args: attend_plain(*args)[0]])
def test_dropped_attention_has_the_mean_of_whole_attention(path: Callable[..., Tensor]) -> None:
    torch.manual_seed(0)
    batch = Ragged.of(torch.zeros(12), torch.zeros(12), torch.zeros(12), [5, 7])
    qkv = torch.randn(12, 3, 2, 4)
    whole = path(qkv, batch, 0.0)
    mean = torch.stack([path(qkv, batch, 0.4) for _ in range(2000)]).mean(0)
    assert F.mse_loss(mean, whole) < 1e-3
