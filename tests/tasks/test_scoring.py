"""Running a model without training it: an answer is read from numbers only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from bertwright import BertTokenizer
from bertwright.data.examples import Example, Where
from bertwright.data.windows import Reading
from bertwright.engines.runner import Runner
from bertwright.engines.torch_engine import TorchEngine
from bertwright.errors import BertwrightError
from bertwright.tasks.classification import Classification
from bertwright.tasks.entities.span_pointing import SpanPointing
from bertwright.tasks.entities.tagging import Tagging
from bertwright.tasks.task import Task

TASKS = [Classification(("no", "yes")), Tagging(("A",)), Tagging(("A",), head="softmax"), SpanPointing(("A",))]


@pytest.mark.parametrize("task", TASKS, ids=lambda task: type(task).__name__)
@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_no_answer_is_read_from_what_is_no_number(tagger_model: Path, task: Task[Any, Any], value: float) -> None:
    model = task.model_class.load(tagger_model, **task.config_changes())
    encoded = task.encode(
        BertTokenizer.from_pretrained(tagger_model), [Example("Anna", None, Where("x", 1))], Reading(9, "head", 0)
    )
    assert len(Runner.of(TorchEngine(model, task), task).answers(encoded)) == 1
    name, bias = next((name, one) for name, one in model.named_parameters() if "layer.1.intermediate" in name)
    with torch.no_grad():
        bias[0] = value
    with pytest.raises(BertwrightError, match=f"BW526.*{name}") as error:
        Runner.of(TorchEngine(model, task), task).answers(encoded)
    assert error.value.code == "BW526"
