"""The shapes that people use: base and large with random weights, and a real checkpoint."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from torch import Tensor

import bertwright
from tests.parity.peers import BASE, BY_NAME, LARGE, Case, Pair, make_inputs, make_pair, with_labels
from tests.parity.rule import assert_equal_scores
from tests.parity.test_forward import assert_like_peer
from tests.parity.test_losses import assert_gradients_like_peer


@pytest.mark.parametrize("case_name", ["masked-lm", "single-label"])  # both hold the encoder
def test_base(case_name: str) -> None:
    pair = make_pair(BY_NAME[case_name], BASE)
    assert_like_peer(pair, make_inputs(pair.case, pair.ours.config, "right"))
    if case_name == "single-label":
        assert_gradients_like_peer(pair, with_labels(pair.case, make_inputs(pair.case, pair.ours.config, "right")))


@pytest.mark.slow
@pytest.mark.parametrize("case_name", ["encoder", "pretraining", "single-label", "span"])
def test_large(case_name: str) -> None:
    pair = make_pair(BY_NAME[case_name], LARGE)
    assert_like_peer(pair, make_inputs(pair.case, pair.ours.config, "right"))
    if case_name == "single-label":
        assert_gradients_like_peer(pair, with_labels(pair.case, make_inputs(pair.case, pair.ours.config, "right")))


TEXTS = [
    "The quick brown fox jumps over the lazy dog.",
    "Berlin",
    "A sentence that is a good deal longer than the two others, so that pads stand behind them; it ends here.",
]


@functools.cache
def real_inputs(folder: Path, side: str) -> dict[str, Tensor]:
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, padding_side=side)
    return dict(tokenizer(TEXTS, padding=True, return_tensors="pt"))


def real_pair(folder: Path, **settings: Any) -> Pair:
    """Our encoder and the peer's, each as its own `from_pretrained` reads the folder."""
    case: Case = BY_NAME["encoder"]
    peer = transformers.BertModel.from_pretrained(folder, attn_implementation="eager", **settings)
    return Pair(case, bertwright.BertModel.from_pretrained(folder, **settings), peer)


def test_a_real_checkpoint(minilm: Path) -> None:
    assert_like_peer(real_pair(minilm), real_inputs(minilm, "right"))


def test_a_real_checkpoint_against_float64(minilm: Path) -> None:
    pair, inputs = real_pair(minilm), real_inputs(minilm, "right")
    with torch.no_grad():
        peer, exact = pair.peer(**inputs).pooler_output, pair.exact()(**inputs).pooler_output
        ours = pair.ours.double()(**inputs).pooler_output
    assert_equal_scores(ours, exact, lambda: pytest.fail("in float64 both are the same arithmetic"))
    assert (peer - exact).abs().max() < 1e-4


def test_gradients_of_a_real_checkpoint(minilm: Path) -> None:
    assert_gradients_like_peer(real_pair(minilm), real_inputs(minilm, "right"))


def test_a_real_checkpoint_in_bfloat16_is_as_near_to_float32_as_the_peers_own(minilm: Path) -> None:
    inputs = real_inputs(minilm, "right")
    real = inputs["attention_mask"].bool()
    half = real_pair(minilm, dtype=torch.bfloat16)
    with torch.no_grad():
        truth = real_pair(minilm).ours(**inputs).last_hidden_state[real]
        ours = half.ours(**inputs).last_hidden_state[real].float()
        peer = half.peer(**inputs).last_hidden_state[real].float()
    assert half.ours.dtype == torch.bfloat16
    assert (ours - truth).abs().mean() <= 1.5 * (peer - truth).abs().mean()
