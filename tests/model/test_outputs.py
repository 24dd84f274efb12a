"""What `forward` returns, and what it refuses to take."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest
import torch
import transformers
from torch import Tensor

from bertwright import BertwrightError
from bertwright.model.outputs import ScoresOutput
from tests.parity.peers import KINDS, Case, make_inputs, make_pair, with_labels

OUTPUT = ScoresOutput(loss=torch.tensor(0.5), logits=torch.ones(2), hidden_states=(torch.zeros(1),))


def test_fields_read_as_attributes_as_a_dict_and_as_a_tuple() -> None:
    assert OUTPUT.logits is OUTPUT["logits"] is OUTPUT[1] is OUTPUT.to_tuple()[1] is OUTPUT.get("logits")
    assert list(OUTPUT) == list(OUTPUT.keys()) == ["loss", "logits", "hidden_states"]
    assert [key for key, _ in OUTPUT.items()] == list(OUTPUT)
    assert next(iter(OUTPUT.values())) is OUTPUT[:2][0] is OUTPUT.loss
    assert isinstance(OUTPUT, dict)
    assert len(OUTPUT) == 3
    assert "logits" in OUTPUT
    assert dict(OUTPUT)["logits"] is OUTPUT.logits


def test_fields_that_are_none_are_attributes_only() -> None:
    assert OUTPUT.attentions is None
    assert "attentions" not in OUTPUT
    assert OUTPUT.get("attentions", "nothing") == "nothing"
    with pytest.raises(KeyError):
        OUTPUT["attentions"]
    with pytest.raises(IndexError):
        OUTPUT[3]


@pytest.mark.parametrize("case", KINDS, ids=str)
def test_the_order_of_the_fields_is_that_of_the_peer(case: Case) -> None:
    pair = make_pair(case)
    inputs = with_labels(case, make_inputs(case, pair.ours.config))
    wanted = {"output_hidden_states": True, "output_attentions": True}
    ours, peer = pair.ours(**inputs, **wanted), pair.peer(**inputs, **wanted)
    # The peer's bare encoder adds an empty tuple of cross-attentions, which an encoder does not have.
    assert list(ours.keys()) == [key for key in peer if key != "cross_attentions"]
    plain = pair.ours(**inputs, **wanted, return_dict=False)
    assert isinstance(plain, tuple)
    assert len(plain) == len(ours)
    assert torch.equal(plain[0], ours[0])
    assert list(pair.ours(**inputs).keys()) == list(pair.peer(**inputs).keys())
    assert list(pair.ours(**inputs, return_dict=None).keys()) == list(pair.ours(**inputs).keys())


def test_arguments_go_by_position_as_in_the_peer(make_model: Callable[..., Any]) -> None:
    model = make_model("BertForSequenceClassification")
    ids = torch.tensor([[5, 6, 7]])
    mask, types, positions = torch.tensor([[1, 1, 0]]), torch.tensor([[0, 1, 1]]), torch.tensor([[3, 1, 2]])
    by_name = model(input_ids=ids, attention_mask=mask, token_type_ids=types, position_ids=positions)
    assert torch.equal(model(ids, mask, types, positions).logits, by_name.logits)
    names = list(inspect.signature(transformers.BertForSequenceClassification.forward).parameters)
    assert names[1:5] == ["input_ids", "attention_mask", "token_type_ids", "position_ids"]


@pytest.mark.parametrize(
    ("kind", "argument", "known"),
    [
        ("BertModel", "labels", "output_hidden_states"),
        ("BertModel", "head_mask", "inputs_embeds"),
        ("BertForMaskedLM", "next_sentence_label", "labels"),
        ("BertForQuestionAnswering", "labels", "start_positions"),
        ("BertForMultipleChoice", "label", "labels"),
    ],
)
def test_an_argument_that_a_model_does_not_have_is_named(
    make_model: Callable[..., Any], kind: str, argument: str, known: str
) -> None:
    ids = torch.ones(1, 2, 3, dtype=torch.int64) if kind.endswith("Choice") else torch.ones(1, 3, dtype=torch.int64)
    with pytest.raises(BertwrightError) as caught:
        make_model(kind)(ids, **{argument: torch.tensor([0])})
    assert caught.value.code == "BW424"
    assert f"'{argument}'" in str(caught.value)
    assert known in str(caught.value)


@pytest.mark.parametrize(
    ("code", "change", "value"),
    [
        ("BW421", {"input_ids": torch.tensor([[5, 61]])}, 61),
        ("BW421", {"input_ids": torch.tensor([[5, -1]])}, -1),
        ("BW422", {"token_type_ids": torch.tensor([[0, 2]])}, 2),
        ("BW423", {"position_ids": torch.tensor([[0, 40]])}, 40),
    ],
    ids=str,
)
def test_an_index_outside_its_table_is_a_sentence(
    make_model: Callable[..., Any], code: str, change: dict[str, Tensor], value: int
) -> None:
    with pytest.raises(BertwrightError) as caught:
        make_model("BertModel")(**{"input_ids": torch.tensor([[5, 6]]), **change})
    assert (caught.value.code, caught.value.fields["value"]) == (code, value)


def test_a_text_longer_than_the_model_reads_is_a_sentence(make_model: Callable[..., Any]) -> None:
    with pytest.raises(BertwrightError) as caught:
        make_model("BertModel")(torch.ones(1, 41, dtype=torch.int64))
    assert caught.value.code == "BW423"
    assert "max_length=40" in str(caught.value)


def test_ids_at_pads_are_not_looked_at(make_model: Callable[..., Any]) -> None:
    model = make_model("BertModel")
    mask = torch.tensor([[1, 0]])
    outside = model(torch.tensor([[5, 10_000]]), mask).last_hidden_state
    assert torch.equal(outside, model(torch.tensor([[5, 0]]), mask).last_hidden_state)


@pytest.mark.parametrize(
    ("kind", "labels"),
    [
        ("BertForSequenceClassification", [0, 2]),
        ("BertForSequenceClassification", [0, -1]),
        ("BertForTokenClassification", [[0, 1], [1, 2]]),
        ("BertForNextSentencePrediction", [2, 0]),
        ("BertForMaskedLM", [[0, 61], [-100, 1]]),
    ],
)
def test_a_label_that_is_no_class_is_a_sentence(
    make_model: Callable[..., Any], kind: str, labels: list[object]
) -> None:
    with pytest.raises(BertwrightError) as caught:
        make_model(kind)(torch.ones(2, 2, dtype=torch.int64), labels=torch.tensor(labels))
    assert caught.value.code == "BW340"


@pytest.mark.parametrize(
    ("kind", "settings", "labels"),
    [
        ("BertForSequenceClassification", {}, torch.zeros(3, dtype=torch.int64)),
        ("BertForSequenceClassification", {"num_labels": 1}, torch.zeros(3)),
        ("BertForSequenceClassification", {"problem_type": "multi_label_classification"}, torch.zeros(2)),
        ("BertForSequenceClassification", {"problem_type": "regression"}, torch.zeros(2)),
        ("BertForTokenClassification", {}, torch.zeros(2, 1, dtype=torch.int64)),
        ("BertForTokenClassification", {}, torch.zeros(4, dtype=torch.int64)),
    ],
    ids=str,
)
def test_labels_of_another_shape_are_a_sentence(
    make_model: Callable[..., Any], kind: str, settings: dict[str, object], labels: Tensor
) -> None:
    with pytest.raises(BertwrightError) as caught:
        make_model(kind, **settings)(torch.ones(2, 2, dtype=torch.int64), labels=labels)
    assert (caught.value.code, caught.value.fields["what"]) == ("BW420", "labels")


def test_labels_of_several_classes_may_be_whole_numbers(make_model: Callable[..., Any]) -> None:
    model = make_model("BertForSequenceClassification", problem_type="multi_label_classification")
    ids, labels = torch.ones(2, 2, dtype=torch.int64), torch.tensor([[0, 1], [1, 1]])
    assert torch.equal(model(ids, labels=labels).loss, model(ids, labels=labels.float()).loss)


def test_choices_need_three_dimensions(make_model: Callable[..., Any]) -> None:
    with pytest.raises(BertwrightError, match="choices"):
        make_model("BertForMultipleChoice")(torch.ones(2, 3, dtype=torch.int64))
