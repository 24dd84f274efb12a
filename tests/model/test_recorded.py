"""Models that are recorded to run with other inputs: one graph for all lengths, and the same numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from bertwright import BertConfig, BertForSequenceClassification
from tests.parity.peers import BY_NAME, MASKS, TINY, Case, make_inputs, make_pair, with_labels

CASES = sorted(BY_NAME)
SMALL = TINY | {"num_hidden_layers": 1, "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}


class Backend:
    """Runs what it is given as it is, and counts."""

    def __init__(self) -> None:
        self.graphs: list[torch.fx.GraphModule] = []

    def __call__(self, graph: torch.fx.GraphModule, _: list[Tensor]) -> Callable[..., Any]:
        self.graphs.append(graph)
        return graph.forward


@pytest.fixture
def backend() -> Iterator[Backend]:
    torch._dynamo.reset()
    yield Backend()
    torch._dynamo.reset()


def batch_of(case: Case, config: BertConfig, mask: str = "right", rows: int = 4, width: int = 9) -> dict[str, Tensor]:
    inputs = with_labels(case, make_inputs(case, config, mask))
    cut = {name: one[:rows] for name, one in inputs.items()}
    return {name: (one[..., :width] if one.shape[-1] == 9 else one).clone() for name, one in cut.items()}


@pytest.mark.parametrize("mask", sorted(MASKS))
@pytest.mark.parametrize("name", CASES)
def test_the_unpacked_form_gives_what_the_packed_one_gives(
    name: str, mask: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = BY_NAME[name]
    model = make_pair(case, TINY).ours
    inputs = with_labels(case, make_inputs(case, model.config, mask))
    wanted = {"output_hidden_states": True, "output_attentions": True}
    packed = model(**inputs, **wanted)
    monkeypatch.setattr("bertwright.model.padded.is_recorded", lambda: True)
    unpacked = model(**inputs, **wanted)
    assert packed.keys() == unpacked.keys()
    for key in packed:
        torch.testing.assert_close(unpacked[key], packed[key], atol=1e-5, rtol=1e-4)


def test_one_graph_serves_batches_of_every_size(backend: Backend) -> None:
    case = BY_NAME["single-label"]
    model = make_pair(case, SMALL).ours.train()
    compiled: Any = torch.compile(model, backend=backend, dynamic=True, fullgraph=True)
    for rows, width in ((4, 9), (3, 7), (2, 5)):
        inputs = batch_of(case, model.config, "right", rows, width)
        output, expected = compiled(**inputs), model(**inputs)
        torch.testing.assert_close(output.logits, expected.logits, atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(output.loss, expected.loss, atol=1e-5, rtol=1e-4)
        output.loss.backward()
    assert len(backend.graphs) == 1
    assert torch._dynamo.utils.counters["graph_break"] == {}
    assert all(parameter.grad is not None for parameter in model.parameters())


@pytest.mark.slow
def test_a_compiled_model_with_dropout_is_traced_twice_at_most(backend: Backend) -> None:
    torch.manual_seed(0)
    model = BertForSequenceClassification(BertConfig(**TINY, num_labels=3)).train()
    compiled: Any = torch.compile(model, backend=backend)
    case = BY_NAME["single-label"]
    for rows, width in ((4, 9), (3, 7), (2, 5), (3, 8)):
        compiled(**batch_of(case, model.config, "right", rows, width)).loss.backward()
    assert len(backend.graphs) == 2, "the second one is for all sizes"
    assert all(parameter.grad is not None for parameter in model.parameters())


@pytest.mark.slow
@pytest.mark.parametrize("name", ["single-label", "tokens", "span", "masked-lm"])
def test_other_heads_are_one_graph(name: str, backend: Backend) -> None:
    case = BY_NAME[name]
    model = make_pair(case, TINY).ours
    inputs = batch_of(case, model.config, "left")
    compiled: Any = torch.compile(model, backend=backend, fullgraph=True)
    torch.testing.assert_close(compiled(**inputs).loss, model(**inputs).loss, atol=1e-5, rtol=1e-4)


@pytest.mark.filterwarnings("default")  # the library has better ways than to trace
def test_a_traced_model_serves_texts_of_another_length() -> None:
    case = BY_NAME["single-label"]
    model = make_pair(case, TINY).ours.requires_grad_(False)
    first, second = batch_of(case, model.config), batch_of(case, model.config, "left", 3, 7)

    class Plain(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
            logits: Tensor = self.model(input_ids, attention_mask).logits
            return logits

    traced = torch.jit.trace(Plain().eval(), (first["input_ids"], first["attention_mask"]))
    for inputs in (first, second):
        ids, mask = inputs["input_ids"], inputs["attention_mask"]
        torch.testing.assert_close(traced(ids, mask), model(ids, mask).logits, atol=1e-5, rtol=1e-4)


@pytest.mark.slow
def test_an_exported_program_serves_texts_of_another_length() -> None:
    case = BY_NAME["single-label"]
    model = make_pair(case, TINY).ours.requires_grad_(False)
    first, second = batch_of(case, model.config), batch_of(case, model.config, "left", 3, 7)
    both = {0: torch.export.Dim.AUTO, 1: torch.export.Dim.AUTO}
    names = ("input_ids", "attention_mask")
    program = torch.export.export(
        model, (), {name: first[name] for name in names}, dynamic_shapes=dict.fromkeys(names, both)
    )
    for inputs in (first, second):
        given = {name: inputs[name] for name in names}
        torch.testing.assert_close(program.module()(**given).logits, model(**given).logits, atol=1e-5, rtol=1e-4)


@pytest.mark.slow
def test_inductor_gives_the_same_numbers_and_no_warnings(recwarn: pytest.WarningsRecorder) -> None:
    case = BY_NAME["single-label"]
    model = make_pair(case, TINY).ours
    compiled: Any = torch.compile(model)
    for rows, width in ((4, 9), (3, 7)):
        inputs = batch_of(case, model.config, "right", rows, width)
        torch.testing.assert_close(compiled(**inputs).logits, model(**inputs).logits, atol=1e-4, rtol=1e-3)
    assert not [str(one.message) for one in recwarn if "bertwright" in str(one.filename)]
