"""No pad is ever computed: the rows that enter every linear layer are counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from bertwright.data.ragged import from_padded
from bertwright.model.pretrained import Pretrained
from tests.model.conftest import KINDS

TOKENS, TEXTS = 14, 3  # of the fixture `inputs`


@pytest.fixture
def counted() -> Callable[[Pretrained], dict[str, list[int]]]:
    """Rows that enter each linear layer of a model from now on, by the layer's name."""

    def count(model: Pretrained) -> dict[str, list[int]]:
        rows: dict[str, list[int]] = {}
        for name, module in model.named_modules():
            # Of the last layer, where only the first tokens are read, this matrix is read without a call.
            around = getattr(model, "reads_first_only", False) and name.endswith(".layer.1.attention.self.qkv")
            if type(module) is nn.Linear and not around:
                seen = rows.setdefault(name, [])
                module.register_forward_pre_hook(
                    lambda _, args, seen=seen: seen.append(args[0].numel() // args[0].shape[-1])
                )
        return rows

    return count


def expected_rows(model: Pretrained, name: str) -> int:
    by_text = name.endswith("pooler.dense") or name == "cls.seq_relationship"
    by_text |= name == "classifier" and not type(model).__name__.endswith("TokenClassification")
    # Where only the first tokens are read, the last layer computes the keys and values of all, and the rest for these.
    by_text |= getattr(model, "reads_first_only", False) and ".layer.1." in name
    return TEXTS if by_text else TOKENS


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "BertForMultipleChoice"])
def test_padded_inputs_are_computed_without_their_pads(
    kind: str, make_model: Callable[..., Any], counted: Callable, inputs: dict[str, Tensor]
) -> None:
    model = make_model(kind)
    rows = counted(model)
    model(**inputs)
    used = {name: seen for name, seen in rows.items() if seen}
    assert used == {name: [expected_rows(model, name)] for name in used}
    assert len(used) >= 8


def test_choices_are_computed_without_their_pads(
    make_model: Callable[..., Any], counted: Callable, inputs: dict[str, Tensor]
) -> None:
    model = make_model("BertForMultipleChoice")
    rows = counted(model)
    model(**{name: tensor[None] for name, tensor in inputs.items()})
    used = {name: seen for name, seen in rows.items() if seen}
    assert len(used) >= 8
    assert used == {name: [expected_rows(model, name)] for name in used}


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "BertModel"])
def test_scores_of_a_ragged_batch_are_computed_once_a_token(
    kind: str, make_model: Callable[..., Any], counted: Callable, inputs: dict[str, Tensor]
) -> None:
    model = make_model(kind)
    rows = counted(model)
    batch, _ = from_padded(**inputs)
    scores = model.scores(batch)
    used = {name: seen for name, seen in rows.items() if seen}
    assert used == {name: [expected_rows(model, name)] for name in used}
    assert len(used) >= 8
    of_texts = ("BertForSequenceClassification", "BertForNextSentencePrediction", "BertForMultipleChoice")
    assert len(scores) == (TEXTS if kind in of_texts else TOKENS)


def test_the_positions_of_a_ragged_batch_are_scored_as_those_of_the_padded_form(
    make_model: Callable[..., Any], inputs: dict[str, Tensor]
) -> None:
    model = make_model("BertForMaskedLM")
    batch, places = from_padded(**inputs)
    assert torch.equal(model.scores(batch), places.pick(model(**inputs).logits))


@pytest.mark.parametrize("untied", [False, True])
def test_masked_words_are_predicted_at_their_places_only(
    make_model: Callable[..., Any], counted: Callable, inputs: dict[str, Tensor], untied: bool
) -> None:
    model = make_model("BertForMaskedLM", tie_word_embeddings=not untied)
    batch, _ = from_padded(**inputs)
    hidden = model.bert.encode(batch).last
    rows = counted(model)
    chosen = torch.tensor([0, 5, 11])
    scores = model.predict(hidden[chosen])
    assert rows["cls.predictions.transform.dense"] == [3]
    torch.testing.assert_close(scores, model.scores(batch)[chosen])
