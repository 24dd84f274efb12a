"""The model that training starts from: what a checkpoint has learnt of classes of the same and of other names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from bertwright import BertConfig, BertCrfForTokenClassification
from bertwright.data.ragged import from_padded
from bertwright.model.models import BertWithHead
from bertwright.model.pointer import pair_scores
from bertwright.tasks.classification import Classification
from bertwright.tasks.entities.span_pointing import SpanPointing
from bertwright.tasks.entities.tagging import Tagging
from bertwright.tasks.task import Task

SIZES = {"vocab_size": 30, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
TASKS = [
    Classification(("bad", "good", "so-so")),
    Tagging(("LOC", "PER"), head="softmax"),
    Tagging(("LOC", "PER"), head="crf"),
    SpanPointing(("LOC", "ORG", "PER")),
]
IDS = ["classification", "softmax", "crf", "spans"]
BY_CLASS = {
    "classification": "classifier",
    "softmax": "classifier",
    "crf": "classifier, crf",
    "spans": "pointer.types",
}


def trained(task: Task, labels: Sequence[str], folder: Path) -> BertWithHead:
    """A model of the task over these labels in which no two numbers are alike, in a folder."""
    torch.manual_seed(0)
    config = replace(BertConfig(**SIZES), id2label=dict(enumerate(labels)), label2id=None, num_labels=None)  # type: ignore[arg-type]
    model = task.model_class(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter))
    model.save_pretrained(folder)
    return model


def labels_of(task: Task) -> list[str]:
    return list(task.config_changes()["id2label"].values())


@torch.no_grad()
def scores_of(model: BertWithHead) -> Tensor:
    """The scores of one text, the classes in front."""
    scores = model.scores(from_padded(torch.tensor([[2, 7, 9, 11, 3]]))[0])
    if model.__class__.__name__ == "BertForSpanPointing":
        return pair_scores(scores)
    if isinstance(model, BertCrfForTokenClassification):
        crf = model.crf
        parts = [scores.T, crf.start_transitions[:, None], crf.end_transitions[:, None]]
        return torch.cat([*parts, crf.transitions.sum(1)[:, None], crf.transitions.sum(0)[:, None]], 1)
    return scores.T


@pytest.mark.parametrize("task", TASKS, ids=IDS)
def test_the_same_classes_in_another_order_are_put_in_ours(task: Task, tmp_path: Path) -> None:
    ours = labels_of(task)
    theirs = [*ours[2:], *ours[:2]]
    before = trained(task, theirs, tmp_path)
    model = task.starting_model(tmp_path)
    assert model.config.labels == ours
    assert model.load_report is not None
    assert model.load_report.fresh == []
    rows = [theirs.index(label) for label in ours]
    torch.testing.assert_close(scores_of(model), scores_of(before)[rows], rtol=1e-4, atol=1e-4)
    if isinstance(model, BertCrfForTokenClassification) and isinstance(before, BertCrfForTokenClassification):
        assert torch.equal(model.crf.transitions, before.crf.transitions[rows][:, rows])


@pytest.mark.parametrize(("task", "name"), list(zip(TASKS, IDS)), ids=IDS)
def test_what_was_learnt_of_other_classes_is_not_taken_for_ours(task: Task, name: str, tmp_path: Path) -> None:
    ours = labels_of(task)
    theirs = [*(f"other {label}" for label in ours[:-1]), ours[-1]]
    before = trained(task, theirs, tmp_path)
    model = task.starting_model(tmp_path)
    report = model.load_report
    assert report is not None
    assert f"new and untrained: {BY_CLASS[name]}, whose classes were {', '.join(theirs)}" in report.summary()
    there = dict(before.named_parameters())
    for key, parameter in model.named_parameters():
        assert torch.equal(parameter, there[key]) != (key in report.fresh), key
        if key in report.fresh and not key.endswith("weight"):
            assert not parameter.any()
    assert {key.rpartition(".")[0] for key in report.fresh} == set(BY_CLASS[name].split(", "))


@pytest.mark.parametrize("task", TASKS, ids=IDS)
def test_classes_without_names_may_be_ours(task: Task, tmp_path: Path) -> None:
    before = trained(task, [f"LABEL_{index}" for index in range(len(labels_of(task)))], tmp_path)
    model = task.starting_model(tmp_path)
    assert model.load_report is not None
    assert model.load_report.fresh == []
    assert torch.equal(scores_of(model), scores_of(before))
