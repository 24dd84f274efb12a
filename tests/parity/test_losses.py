"""Losses and the gradient of every parameter: ours beside the peer's."""

from __future__ import annotations

import functools

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bertwright.checkpoint import names
from bertwright.checkpoint.weights import to_theirs
from bertwright.errors import BertwrightError
from bertwright.model.losses import text_loss
from tests.parity.peers import BY_NAME, CASES, MASKS, TINY, Case, Pair, make_inputs, make_pair, with_labels
from tests.parity.rule import assert_equal_gradient, assert_equal_scores


def loss_of(model: nn.Module, case: Case, inputs: dict[str, Tensor]) -> Tensor:
    """The model's own loss; for a bare encoder one that every parameter has a part in."""
    output = model(**inputs)
    if case.labels is not None:
        return output.loss
    real = inputs["attention_mask"].bool()
    return output.last_hidden_state[real].pow(3).mean() + output.pooler_output.pow(2).sum()


def gradients(model: nn.Module, case: Case, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
    model.zero_grad()
    loss_of(model, case, inputs).backward()
    return {name: one.grad for name, one in model.named_parameters() if one.grad is not None}


def in_double(inputs: dict[str, Tensor]) -> dict[str, Tensor]:
    return {key: value.double() if value.is_floating_point() else value for key, value in inputs.items()}


def vanishing(case: Case, name: str) -> str | None:
    """For a parameter whose true gradient is zero, so that all else is rounding: the one that gives the scale.

    Softmax does not see a number added to all scores: of the keys, of the places of a span, of the choices.
    """
    if name.endswith("self.key.bias"):
        return name.replace("key", "value")
    last_norm = f"bert.encoder.layer.{TINY['num_hidden_layers'] - 1}.output.LayerNorm.bias"
    adds_to_all = {"span": ("qa_outputs.bias", last_norm), "choice": ("classifier.bias",)}
    return name.replace("bias", "weight") if name in adds_to_all.get(case.name, ()) else None


def assert_gradients_like_peer(pair: Pair, inputs: dict[str, Tensor]) -> None:
    own = gradients(pair.ours, pair.case, inputs)
    assert own.keys() == {name for name, _ in pair.ours.named_parameters()}
    ours, peer = to_theirs(own), gradients(pair.peer, pair.case, inputs)
    exact = functools.cache(lambda: gradients(pair.exact(), pair.case, in_double(inputs)))
    fused = functools.cache(lambda: gradients(pair.fused(), pair.case, inputs))
    known = set(map(names.canonical, ours))
    repeats = {name for name in ours if names.repeated(names.canonical(name)) in known}
    assert peer.keys() | repeats == ours.keys() | repeats
    for name, gradient in peer.items():
        if scale_of := vanishing(pair.case, name):
            assert ours[name].abs().max() <= 1e-5 * peer[scale_of].abs().max()
        else:
            truth, default = (lambda name=name: exact()[name]), (lambda name=name: fused()[name])
            assert_equal_gradient(ours[name], gradient, truth, name, default)


# A span with pads is deliberately different: see test_pads_take_no_part_in_the_loss_of_a_span.
WITH_LOSS = [
    (case, mask)
    for case in CASES
    for mask in ("none", "right", "holes")
    if case.labels and (case.name != "span" or mask == "none")
]


@pytest.mark.parametrize(("case", "mask"), WITH_LOSS, ids=str)
def test_the_loss_is_that_of_the_peer(case: Case, mask: str) -> None:
    pair = make_pair(case)
    inputs = with_labels(case, make_inputs(case, pair.ours.config, mask))
    with torch.no_grad():
        ours, peer = pair.ours(**inputs).loss, pair.peer(**inputs).loss
    assert_equal_scores(ours, peer, lambda: pair.exact()(**in_double(inputs)).loss, "loss")


@pytest.mark.parametrize("case", CASES, ids=str)
def test_gradients_are_those_of_the_peer(case: Case) -> None:
    pair = make_pair(case)
    mask = "none" if case.name in ("encoder", "span") else "right"
    inputs = make_inputs(case, pair.ours.config, mask)
    inputs.setdefault("attention_mask", torch.ones_like(inputs["input_ids"]))
    assert_gradients_like_peer(pair, with_labels(case, inputs))


@pytest.mark.parametrize(
    "change",
    [{"tie_word_embeddings": False}, {"hidden_act": "gelu_new"}, {"hidden_size": 39, "num_attention_heads": 3}],
    ids=str,
)
def test_gradients_of_other_shapes(change: dict[str, object]) -> None:
    pair = make_pair(BY_NAME["pretraining"], TINY | change, seed=5)
    assert_gradients_like_peer(pair, with_labels(pair.case, make_inputs(pair.case, pair.ours.config, "right")))


# Deliberate difference: to the peer a pad can be the start of an answer, to us it cannot. So its logits are cut to
# the real tokens of each row before the loss is taken.
@pytest.mark.parametrize("mask", ["right", "left"])
def test_pads_take_no_part_in_the_loss_of_a_span(mask: str) -> None:
    pair = make_pair(BY_NAME["span"])
    inputs = with_labels(pair.case, make_inputs(pair.case, pair.ours.config, mask))
    with torch.no_grad():
        ours, peer = pair.ours(**inputs).loss, pair.peer(**inputs)
    terms = []
    for logits, places in ((peer.start_logits, "start_positions"), (peer.end_logits, "end_positions")):
        for row, place, real in zip(logits, inputs[places], torch.tensor(MASKS[mask]).bool()):
            terms.append(F.cross_entropy(row[real], place - real.int().argmax()))
    assert ours == pytest.approx(float(torch.stack(terms).mean()), rel=1e-5)


def test_an_answer_behind_the_text_does_not_count() -> None:
    pair = make_pair(BY_NAME["span"])
    inputs = with_labels(pair.case, make_inputs(pair.case, pair.ours.config))
    inputs["start_positions"][1] = inputs["end_positions"][1] = 500
    with torch.no_grad():
        ours, peer = pair.ours(**inputs).loss, pair.peer(**inputs).loss
    assert_equal_scores(ours, peer, lambda: pair.exact()(**inputs).loss, "loss")


def test_without_a_problem_type_the_labels_say_what_the_problem_is() -> None:
    pair = make_pair(BY_NAME["single-label"])
    inputs = make_inputs(pair.case, pair.ours.config)
    pair.ours.config.problem_type = pair.peer.config.problem_type = None
    inputs["labels"] = (torch.arange(12).view(4, 3) % 2).float()
    assert_equal_scores(
        pair.ours(**inputs).loss, pair.peer(**inputs).loss, lambda: pytest.fail("too far apart"), "loss"
    )


@pytest.mark.parametrize("case", ["single-label", "tokens"])
def test_fractions_are_no_classes_to_either(case: str) -> None:
    pair = make_pair(BY_NAME[case])
    pair.ours.config.problem_type = pair.peer.config.problem_type = "single_label_classification"
    inputs = with_labels(pair.case, make_inputs(pair.case, pair.ours.config))
    inputs["labels"] = inputs["labels"].float() + 0.4
    with pytest.raises(BertwrightError, match="BW440.*float32"):
        pair.ours(**inputs)
    with pytest.raises(RuntimeError):
        pair.peer(**inputs)


def test_regression_with_several_values() -> None:
    case = Case("values", "BertForSequenceClassification", None, settings={"num_labels": 3})
    pair = make_pair(case, TINY | {"problem_type": "regression"})
    inputs = make_inputs(case, pair.ours.config) | {"labels": torch.linspace(-1, 1, 12).view(4, 3)}
    assert_equal_scores(
        pair.ours(**inputs).loss, pair.peer(**inputs).loss, lambda: pytest.fail("too far apart"), "loss"
    )


@pytest.mark.parametrize("given", ["labels", "next_sentence_label"])
def test_pretraining_gives_a_loss_only_for_both_labels(given: str) -> None:
    pair = make_pair(BY_NAME["pretraining"])
    inputs = make_inputs(pair.case, pair.ours.config)
    inputs[given] = with_labels(pair.case, inputs)[given]
    assert pair.ours(**inputs).loss is None
    assert pair.peer(**inputs).loss is None


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_numbers_to_be_found_are_not_rounded(dtype: torch.dtype) -> None:
    scores, labels = torch.zeros(3, 1, dtype=dtype), torch.tensor([1987.0, 2003.0, 3.8])
    expected = float((labels**2).mean())
    assert float(text_loss(scores, labels, None)) == pytest.approx(expected, rel=1e-6)


def test_an_answer_at_a_pad_does_not_count() -> None:
    pair = make_pair(BY_NAME["span"])
    inputs = make_inputs(pair.case, pair.ours.config, "left")
    real = inputs["attention_mask"].bool()
    row = int((~real).sum(-1).argmax())
    positions = real.int().argmax(-1)
    at_a_pad = positions.clone()
    at_a_pad[row] = 0
    assert not real[row, 0]
    kept = torch.arange(len(real)) != row
    others = {name: value[kept] for name, value in inputs.items()}
    with torch.no_grad():
        loss = pair.ours(**inputs, start_positions=at_a_pad, end_positions=at_a_pad).loss
        expected = pair.ours(**others, start_positions=positions[kept], end_positions=positions[kept]).loss
    torch.testing.assert_close(loss, expected)
