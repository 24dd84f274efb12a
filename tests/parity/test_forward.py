"""Scores, states and attention weights: ours beside the peer's, on random checkpoints of a tiny shape."""

from __future__ import annotations

import functools
from typing import Any

import pytest
import torch
from torch import Tensor

from bertwright.model.activations import ACTIVATIONS
from tests.parity.peers import BY_NAME, CASES, MASKS, TINY, Case, Pair, make_inputs, make_pair, mask_of
from tests.parity.rule import assert_equal_scores


@functools.cache
def tiny(case_name: str) -> Pair:
    return make_pair(BY_NAME[case_name])


def at_real_places(name: str, scores: Tensor, inputs: dict[str, Tensor]) -> Tensor:
    """Scores of tokens at the places that the mask leaves in; scores of texts as they are."""
    by_text = name in ("pooler_output", "seq_relationship_logits") or scores.shape[:2] != inputs["input_ids"].shape
    return scores if by_text else scores[mask_of(inputs).bool()]


def exact_at_real_places(pair: Pair, name: str, inputs: dict[str, Tensor]) -> Tensor:
    return at_real_places(name, pair.exact()(**inputs)[name], inputs)


def assert_like_peer(pair: Pair, inputs: dict[str, Tensor]) -> None:
    with torch.no_grad():
        ours, peer = pair.ours(**inputs), pair.peer(**inputs)
        for name in pair.case.scores:
            assert_equal_scores(
                at_real_places(name, ours[name], inputs),
                at_real_places(name, peer[name], inputs),
                functools.partial(exact_at_real_places, pair, name, inputs),
                name,
            )


@pytest.mark.parametrize("mask", ["none", "right", "holes", "one token"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_scores_are_those_of_the_peer(case: Case, mask: str) -> None:
    pair = tiny(case.name)
    assert_like_peer(pair, make_inputs(case, pair.ours.config, mask))


# Left padding. Deliberate difference: our pooler reads the first real token of a row, the peer's reads column 0,
# a pad. So the peer gets each row without its pads, at the same columns.
@pytest.mark.parametrize("case", CASES, ids=str)
def test_left_padding_scores_like_the_same_rows_without_pads(case: Case) -> None:
    pair = tiny(case.name)
    inputs = make_inputs(case, pair.ours.config, "left")
    masks = MASKS["left"]
    assert masks is not None
    with torch.no_grad():
        ours = pair.ours(**inputs)
        for row, mask in enumerate(masks):
            columns = torch.tensor(mask).nonzero().squeeze(1)
            alone = {key: inputs[key][row : row + 1, ..., columns] for key in ("input_ids", "token_type_ids")}
            alone["position_ids"] = columns.expand(alone["input_ids"].shape)
            peer = pair.peer(**alone)
            for name in case.scores:
                here = ours[name][row : row + 1]
                by_token = here.dim() > 1 and here.shape[1] == len(mask) and not case.choices
                here = here[:, columns] if by_token else here
                truth = functools.partial(lambda name, alone: pair.exact()(**alone)[name], name, alone)
                assert_equal_scores(here, peer[name], truth, name)


@pytest.mark.parametrize("case", [case for case in CASES if not case.choices], ids=str)
@pytest.mark.parametrize("mask", ["left", "right", "holes"])
def test_states_and_attentions_are_those_of_the_peer(case: Case, mask: str) -> None:
    pair = tiny(case.name)
    inputs = make_inputs(case, pair.ours.config, mask)
    real = mask_of(inputs).bool()
    seen = real[:, None, :, None] & real[:, None, None, :]
    with torch.no_grad():
        ours = pair.ours(**inputs, output_hidden_states=True, output_attentions=True)
        peer = pair.peer(**inputs, output_hidden_states=True, output_attentions=True)
        exact = functools.cache(lambda: pair.exact()(**inputs, output_hidden_states=True, output_attentions=True))
    assert len(ours.hidden_states) == TINY["num_hidden_layers"] + 1 == len(peer.hidden_states)
    assert len(ours.attentions) == TINY["num_hidden_layers"] == len(peer.attentions)
    for i, (state, theirs) in enumerate(zip(ours.hidden_states, peer.hidden_states)):
        truth = functools.partial(lambda i: exact().hidden_states[i][real], i)
        assert_equal_scores(state[real], theirs[real], truth, f"state {i}")
    for i, (weight, theirs) in enumerate(zip(ours.attentions, peer.attentions)):
        picked = seen.expand_as(weight)
        truth = functools.partial(lambda i, picked: exact().attentions[i][picked], i, picked)
        assert_equal_scores(weight[picked], theirs[picked], truth, f"attention {i}")


def test_states_of_choices_stand_in_rows_of_their_own_as_in_the_peer() -> None:
    pair = tiny("choice")
    inputs = make_inputs(pair.case, pair.ours.config)
    ours = pair.ours(**inputs, output_hidden_states=True, output_attentions=True)
    peer = pair.peer(**inputs, output_hidden_states=True, output_attentions=True)
    assert ours.hidden_states[-1].shape == peer.hidden_states[-1].shape == (12, 9, 48)
    assert ours.attentions[-1].shape == peer.attentions[-1].shape == (12, 4, 9, 9)


# Deliberate difference: the peer computes something at pads, ours is zero there (and the lowest number for spans).
@pytest.mark.parametrize("mask", ["left", "right", "holes"])
@pytest.mark.parametrize("case", [case for case in CASES if not case.choices], ids=str)
def test_everything_at_pads_is_zero(case: Case, mask: str) -> None:
    pair = tiny(case.name)
    inputs = make_inputs(case, pair.ours.config, mask)
    pads = ~mask_of(inputs).bool()
    output = pair.ours(**inputs, output_hidden_states=True, output_attentions=True)
    expected = torch.finfo(torch.float32).min if case.name == "span" else 0
    for name in case.scores:
        if output[name].shape[:2] == pads.shape:
            assert (output[name][pads] == expected).all()
    assert all((state[pads] == 0).all() for state in output.hidden_states)
    for weight in output.attentions:
        assert (weight.transpose(1, 2)[pads] == 0).all()
        assert (weight.permute(0, 3, 1, 2)[pads] == 0).all()


# Deliberate difference: with nothing to attend to the peer spreads attention over the pads; ours has no token, so
# its states are zero and its pooler sees zeros. The other rows are as if that one were not there.
@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_row_of_pads_alone_gives_zeros_and_leaves_the_others_as_they_are(case: Case) -> None:
    pair = tiny(case.name)
    inputs = make_inputs(case, pair.ours.config, "right")
    inputs["attention_mask"][2] = 0
    others = [0, 1, 3]
    with torch.no_grad():
        whole = pair.ours(**inputs, output_hidden_states=True)
        without = pair.peer(**{key: value[others] for key, value in inputs.items()})
        kept = {key: value[others] for key, value in inputs.items()}
        for name in case.scores:
            assert_equal_scores(
                at_real_places(name, whole[name][others], kept),
                at_real_places(name, without[name], kept),
                functools.partial(exact_at_real_places, pair, name, kept),
                name,
            )
    empty = slice(2 * max(1, case.choices), 3 * max(1, case.choices))
    assert all((state[empty] == 0).all() for state in whole.hidden_states)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_batch_of_pads_alone_is_no_crash(case: Case) -> None:
    pair = tiny(case.name)
    inputs = make_inputs(case, pair.ours.config, "right")
    inputs["attention_mask"].zero_()
    output = pair.ours(**inputs, output_hidden_states=True, output_attentions=True)
    assert all(torch.isfinite(output[name]).all() for name in case.scores)
    assert all((state == 0).all() for state in (*output.hidden_states, *output.attentions))


@pytest.mark.parametrize("shape", [(4, 9), (1, 9)])
def test_given_position_ids_are_followed(shape: tuple[int, int]) -> None:
    pair = tiny("pretraining")
    inputs = make_inputs(pair.case, pair.ours.config, "right")
    inputs["position_ids"] = torch.randint(0, 40, shape, generator=torch.Generator().manual_seed(7))
    assert_like_peer(pair, inputs)


def test_without_token_types_all_are_of_type_zero() -> None:
    pair = tiny("pretraining")
    inputs = make_inputs(pair.case, pair.ours.config, "right")
    del inputs["token_type_ids"]
    assert_like_peer(pair, inputs)


@pytest.mark.parametrize("dtype", [torch.bool, torch.float32, torch.int32])
def test_a_mask_of_any_type_means_the_same(dtype: torch.dtype) -> None:
    pair = tiny("pretraining")
    inputs = make_inputs(pair.case, pair.ours.config, "holes")
    expected = pair.ours(**inputs)
    given = pair.ours(**{**inputs, "attention_mask": inputs["attention_mask"].to(dtype)})
    assert torch.equal(given.prediction_logits, expected.prediction_logits)
    assert torch.equal(given.seq_relationship_logits, expected.seq_relationship_logits)


SHAPES: dict[str, dict[str, Any]] = {
    "13 numbers a head": {"hidden_size": 39, "num_attention_heads": 3},
    "1 head": {"num_attention_heads": 1},
    "1 number a head": {"num_attention_heads": 48},
    "no layer": {"num_hidden_layers": 0},
    "1 token type": {"type_vocab_size": 1},
    "4 token types": {"type_vocab_size": 4},
    "untied": {"tie_word_embeddings": False},
    "classifier_dropout": {"classifier_dropout": 0.4},
    "no pad": {"pad_token_id": None},
    "other pad": {"pad_token_id": 7},
    "other eps": {"layer_norm_eps": 1e-3},
    "20 layers": {"num_hidden_layers": 20},
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("case_name", ["pretraining", "single-label"])
def test_other_shapes(shape: str, case_name: str) -> None:
    pair = make_pair(BY_NAME[case_name], TINY | SHAPES[shape], seed=3)
    assert_like_peer(pair, make_inputs(pair.case, pair.ours.config, "right"))


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_every_activation(activation: str) -> None:
    pair = make_pair(BY_NAME["pretraining"], TINY | {"hidden_act": activation}, seed=4)
    assert_like_peer(pair, make_inputs(pair.case, pair.ours.config, "right"))
