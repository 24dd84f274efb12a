"""The table of names: reversible, complete, and the same as the peer's."""

from __future__ import annotations

from pathlib import Path

import pytest

from bertwright.checkpoint import names
from bertwright.checkpoint.matching import match
from bertwright.checkpoint.weights import to_theirs
from tests.parity.peers import KINDS, TINY, Case, make_peer, ours_like

SETTINGS = {"tied": {}, "untied": {"tie_word_embeddings": False}}


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
@pytest.mark.parametrize("case", KINDS, ids=str)
def test_our_names_in_theirs_are_the_names_of_the_peer(case: Case, settings: dict[str, bool]) -> None:
    peer = make_peer(case, TINY | settings)
    ours = to_theirs(dict(ours_like(peer, case).named_parameters()))
    expected = {name: tensor.shape for name, tensor in peer.state_dict().items()}
    if not settings:  # tied: their decoder only repeats
        expected = {name: shape for name, shape in expected.items() if "predictions.decoder" not in name}
    assert {name: tensor.shape for name, tensor in ours.items()} == expected


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
@pytest.mark.parametrize("case", KINDS, ids=str)
def test_there_and_back_is_the_same_bit_for_bit(case: Case, settings: dict[str, bool], tmp_path: Path) -> None:
    state = dict(ours_like(make_peer(case, TINY | settings), case).named_parameters())
    found, report = match(to_theirs(state), {name: tensor.shape for name, tensor in state.items()}, tmp_path)
    assert found.keys() == state.keys()
    assert [name for name in state if not found[name].equal(state[name])] == []
    assert (report.missing, report.unused, report.renamed) == ([], [], [])


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("bert.embeddings.LayerNorm.bias", ("bert.embeddings.LayerNorm.bias",)),
        ("encoder.layer.11.intermediate.dense.weight", ("encoder.layer.11.intermediate.dense.weight",)),
        (
            "bert.encoder.layer.3.attention.self.qkv.bias",
            tuple(f"bert.encoder.layer.3.attention.self.{part}.bias" for part in ("query", "key", "value")),
        ),
        (
            "decoder.bert.encoder.layer.0.crossattention.self.key_value.weight",
            tuple(f"decoder.bert.encoder.layer.0.crossattention.self.{part}.weight" for part in ("key", "value")),
        ),
        ("cls.predictions.bias", ("cls.predictions.bias",)),
        ("classifier.weight", ("classifier.weight",)),
    ],
)
def test_examples(ours: str, theirs: tuple[str, ...]) -> None:
    assert names.theirs(ours) == theirs


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("bert.embeddings.LayerNorm.gamma", "embeddings.LayerNorm.weight"),
        ("module.bert.encoder.layer.0.output.LayerNorm.beta", "encoder.layer.0.output.LayerNorm.bias"),
        ("module._orig_mod.pooler.dense.bias", "pooler.dense.bias"),
        ("cls.predictions.transform.LayerNorm.gamma", "cls.predictions.transform.LayerNorm.weight"),
        ("classifier.beta", "classifier.beta"),
    ],
)
def test_old_names_are_understood(name: str, canonical: str) -> None:
    assert names.canonical(name) == canonical


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("bert.encoder.layer.0.attention.self.qkv.weight", False),
        ("embeddings.word_embeddings.weight", False),
        ("bert.pooler.dense.weight", True),
        ("decoder.bert.embeddings.word_embeddings.weight", True),
        ("encoder.encoder.layer.0.output.dense.bias", False),
        ("cls.predictions.bias", True),
        ("classifier.weight", True),
    ],
)
def test_what_may_be_missing_is_a_head_or_the_pooler(name: str, head: bool) -> None:
    assert names.is_head(name) is head
