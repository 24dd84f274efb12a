"""Programs that find parameters and modules by the names of `transformers` find the same ones here."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import transformers
from torch import nn

from bertwright import BertConfig, BertForMaskedLM, BertForSequenceClassification, BertModel
from tests.parity.peers import BY_NAME, TINY, Case, make_pair, make_peer

CASES = sorted(BY_NAME)
WORDS = torch.arange(1, 13).view(2, 6)
NO_DECAY = ("bias", "LayerNorm.weight")


def outside_attention(model: nn.Module) -> set[str]:
    """Names of parameters, but for those of which we have three in one, and a bias that an untied head keeps twice."""
    twice = "cls.predictions.decoder.bias"
    return {name for name, _ in model.named_parameters() if "attention.self." not in name and name != twice}


@pytest.mark.parametrize("case_name", CASES)
@pytest.mark.parametrize("tied", [True, False])
def test_parameters_have_the_names_of_the_peer(case_name: str, tied: bool) -> None:
    pair = make_pair(BY_NAME[case_name], TINY | {"tie_word_embeddings": tied})
    assert outside_attention(pair.ours) == outside_attention(pair.peer)
    inside = {name for name, _ in pair.ours.named_parameters() if "attention.self." in name}
    assert {name.rsplit(".", 2)[1] for name in inside} == {"qkv"}


@pytest.mark.parametrize("case_name", CASES)
@pytest.mark.parametrize("tied", [True, False])
def test_a_state_of_the_peer_is_loaded_strictly(case_name: str, tied: bool) -> None:
    case: Case = BY_NAME[case_name]
    pair = make_pair(case, TINY | {"tie_word_embeddings": tied})
    other: Any = make_peer(case, TINY | {"tie_word_embeddings": tied}, seed=5)
    state = other.state_dict()
    before = set(state)
    assert str(pair.ours.load_state_dict(state)) == "<All keys matched successfully>"
    assert set(state) == before, "the state of the caller stays as it is"
    ids = WORDS[:, None].repeat(1, case.choices, 1) if case.choices else WORDS
    with torch.no_grad():
        torch.testing.assert_close(pair.ours(ids)[0], other(ids)[0], atol=1e-5, rtol=1e-4)


def test_what_does_not_fit_is_reported() -> None:
    peer = make_peer(BY_NAME["single-label"], TINY)
    ours = BertForSequenceClassification(BertConfig(**TINY, num_labels=3))
    state = {name: tensor for name, tensor in peer.state_dict().items() if "layer.1.attention.self.key" not in name}
    found = ours.load_state_dict(state | {"elsewhere": torch.zeros(1)}, strict=False)
    part = "bert.encoder.layer.1.attention.self"
    assert found.missing_keys == [f"{part}.qkv.weight", f"{part}.qkv.bias"]
    assert {"elsewhere", f"{part}.query.weight"} <= set(found.unexpected_keys)
    with pytest.raises(RuntimeError, match="elsewhere"):
        ours.load_state_dict(state | {"elsewhere": torch.zeros(1)})


def test_an_encoder_inside_a_model_of_ones_own_takes_a_state_of_the_peer() -> None:
    class Mine(nn.Module):
        def __init__(self, bert: nn.Module) -> None:
            super().__init__()
            self.bert = bert
            self.fc = nn.Linear(TINY["hidden_size"], 2)

    theirs = Mine(transformers.BertModel(transformers.BertConfig(**TINY)))
    ours = Mine(BertModel(BertConfig(**TINY)))
    assert not any(ours.load_state_dict(theirs.state_dict()))
    word = ours.get_parameter("bert.embeddings.word_embeddings.weight")
    assert torch.equal(word, theirs.get_parameter("bert.embeddings.word_embeddings.weight"))


def test_what_shall_not_decay_is_found_by_name() -> None:
    model = BertForSequenceClassification(BertConfig(**TINY))
    kept = {name for name, _ in model.named_parameters() if any(part in name for part in NO_DECAY)}
    assert kept == {name for name, parameter in model.named_parameters() if parameter.dim() == 1}


def test_a_layer_is_found_by_name_and_by_place() -> None:
    model = BertForSequenceClassification(BertConfig(**TINY))
    last = TINY["num_hidden_layers"] - 1
    by_name = {name for name, _ in model.named_parameters() if f"encoder.layer.{last}." in name}
    by_place = {f"bert.encoder.layer.{last}.{name}" for name, _ in model.bert.encoder.layer[last].named_parameters()}
    assert by_name == by_place
    assert len(by_name) == 12  # of 16 in the peer six are two


def test_disturbed_word_embeddings_change_the_loss() -> None:
    """Miyato et al. 2017 as people program it: move the table along its gradient, and back."""
    pair = make_pair(BY_NAME["single-label"], TINY)
    inputs, losses = {"input_ids": WORDS, "labels": torch.tensor([0, 1])}, []
    for model in (pair.ours, pair.peer):
        model.zero_grad()
        model(**inputs).loss.backward()
        moved = 0
        for name, parameter in model.named_parameters():
            if "word_embeddings" in name and parameter.grad is not None:
                parameter.data.add_(parameter.grad / parameter.grad.norm())
                moved += 1
        assert moved == 1
        losses.append(model(**inputs).loss.item())
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


@pytest.mark.parametrize("place", ["dropout", "bert.embeddings.dropout", "bert.encoder.layer.1.output.dropout"])
def test_a_replaced_dropout_counts(place: str) -> None:
    still = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    model = BertForSequenceClassification(BertConfig(**TINY | still)).train()
    assert torch.equal(model(WORDS).logits, model(WORDS).logits)
    above, _, name = place.rpartition(".")
    setattr(model.get_submodule(above), name, nn.Dropout(0.5))
    assert not torch.equal(model(WORDS).logits, model(WORDS).logits)
    setattr(model.get_submodule(above), name, nn.Identity())
    assert torch.equal(model(WORDS).logits, model(WORDS).logits)


def test_attention_drops_with_the_probability_of_its_module() -> None:
    still = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    model = BertModel(BertConfig(**TINY | still)).train()
    assert torch.equal(model(WORDS)[0], model(WORDS)[0])
    for number in range(TINY["num_hidden_layers"]):
        dropout: Any = model.get_submodule(f"encoder.layer.{number}.attention.self.dropout")
        dropout.p = 0.5
    assert not torch.equal(model(WORDS)[0], model(WORDS)[0])


@pytest.mark.parametrize(
    "path", ["output", "output.dense", "attention.output", "intermediate.dense", "output.LayerNorm"]
)
def test_a_hook_in_the_last_layer_hears_every_call(path: str) -> None:
    model = BertForSequenceClassification(BertConfig(**TINY)).eval()
    heard: list[int] = []
    last = model.bert.encoder.layer[-1]
    last.get_submodule(path).register_forward_hook(lambda *_: heard.append(1))
    model(WORDS)
    assert heard == [1]


def test_a_replaced_classifier_counts() -> None:
    model = BertForSequenceClassification(BertConfig(**TINY)).eval()
    model.classifier = nn.Sequential(  # type: ignore[assignment]
        nn.Linear(TINY["hidden_size"], 8), nn.Tanh(), nn.Linear(8, 5)
    )
    assert model(WORDS).logits.shape == (2, 5)


def test_the_head_of_a_masked_language_model_is_found_by_its_path() -> None:
    model = BertForMaskedLM(BertConfig(**TINY))
    assert model.cls.predictions.transform.dense.weight.shape == (TINY["hidden_size"], TINY["hidden_size"])
    assert model.cls.predictions.bias.shape == (TINY["vocab_size"],)
