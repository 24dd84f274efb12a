"""The head of a checkpoint whose classes have other names than ours, or stand in another order.

Shapes: C classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from bertwright.model.pretrained import Pretrained


def settle_classes(model: Pretrained, before: Sequence[str]) -> None:
    """Let what a checkpoint has learnt of the classes `before` speak of those of the model's config, or of nothing.

    Where the names are the same, the tensors that go by class are put in the order of the config; where they differ,
    these start afresh, and the load report says so. LABEL_0, LABEL_1, … say nothing: they may be our classes.
    """
    report, now = model.load_report, model.config.labels
    assert report is not None
    before = list(map(str, before))  # a file may hold numbers
    if before in (now, [f"LABEL_{index}" for index in range(len(before))]):
        return
    by_class = {name: dimensions for name, dimensions in _by_class(model).items() if name in report.loaded}
    if sorted(before) != sorted(now):
        report.started_afresh(by_class, before)
        model.initialise(only=set(by_class))
        return
    order = torch.tensor([before.index(label) for label in now])
    for name, dimensions in by_class.items():
        parameter = model.get_parameter(name)
        with torch.no_grad():
            for dimension in dimensions:
                parameter.copy_(_ordered(parameter, dimension, order))


def _by_class(model: Pretrained) -> dict[str, list[int]]:
    """The tensors that would be larger with a class more, and in which dimensions."""
    labels = dict(enumerate([*model.config.labels, "one more"]))
    with torch.device("meta"):
        larger = type(model)(replace(model.config, id2label=labels, label2id=None, num_labels=None))
    grown = {
        name: [at for at, size in enumerate(larger.get_parameter(name).shape) if size != parameter.shape[at]]
        for name, parameter in model.named_parameters()
    }
    return {name: dimensions for name, dimensions in grown.items() if dimensions}


def _ordered(tensor: Tensor, dimension: int, order: Tensor) -> Tensor:
    """A dimension may hold all classes several times over, one time after the other."""
    times = tensor.reshape(*tensor.shape[:dimension], -1, len(order), *tensor.shape[dimension + 1 :])
    return times.index_select(dimension + 1, order).reshape(tensor.shape)
