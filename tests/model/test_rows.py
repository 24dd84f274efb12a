"""No pad is ever computed: the rows that enter every linear layer are counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from bertwright.data.ragged import from_padded
from bertwright.model.pretrained import Pretrained
from tests.model.conftest import KINDS

TOKENS, TEXTS = 14, 3  # of the fixture `inputs`


class Rows(TorchFunctionMode):
    """Counts the rows that are multiplied by each of these matrices. A hook would be seen by the model."""

    def __init__(self) -> None:
        super().__init__()
        self.of_weight: dict[int, list[int]] = {}

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if function is F.linear and id(args[1]) in self.of_weight:
            self.of_weight[id(args[1])].append(args[0].numel() // args[0].shape[-1])
        return function(*args, **(kwargs or {}))


@pytest.fixture
def counted() -> Iterator[Callable[[Pretrained], dict[str, list[int]]]]:
    """Rows that enter each linear layer of a model from now on, by the layer's name."""
    counter = Rows()

    def count(model: Pretrained) -> dict[str, list[int]]:
        rows: dict[str, list[int]] = {}
        for name, module in model.named_modules():
            if type(module) is nn.Linear:
                counter.of_weight[id(module.weight)] = rows.setdefault(name, [])
        return rows

    with counter:
        yield count


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
