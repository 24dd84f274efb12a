"""The losses that `forward` gives where labels are given: those of the peers.

Shapes: T tokens, B sequences, S longest sequence, C classes.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from bertwright.data.ragged import Places
from bertwright.data.unpacked import is_recorded
from bertwright.errors import BertwrightError

IGNORED = -100  # the label of a place that takes no part in a loss


def class_loss(scores: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy of `scores [n, C]` over the `labels` (n integers) that are not `IGNORED`.

    Raises:
        BertwrightError: BW340 for a label that is no class, BW420 for another number of labels, BW440 for fractions.
    """
    count, classes = scores.shape
    if labels.numel() != count:
        raise BertwrightError("BW420", what="labels", shape=list(labels.shape), expected=[count])
    _refuse_fractions(labels)
    labels = labels.reshape(-1).long()
    if labels.device.type == "cpu" and not is_recorded():  # a GPU would have to be waited for
        outside = labels[((labels < 0) & (labels != IGNORED)) | (labels >= classes)]
        if outside.numel():
            raise BertwrightError("BW340", value=int(outside[0]), classes=classes)
    return F.cross_entropy(scores, labels, ignore_index=IGNORED)


def token_loss(scores: Tensor, labels: Tensor, places: Places) -> Tensor:
    """`class_loss` over the real tokens of `labels [B, S]`; `scores [T, n]`."""
    return class_loss(scores, labels_of(labels, places))


def labels_of(labels: Tensor, places: Places) -> Tensor:
    """`[T]`: those of the real tokens of `labels [B, S]`.

    Raises:
        BertwrightError: BW420 for another shape, BW440 for fractions.
    """
    _refuse_fractions(labels)
    if labels.shape != (places.batch_size, places.width):
        expected = [places.batch_size, places.width]
        raise BertwrightError("BW420", what="labels", shape=list(labels.shape), expected=expected)
    picked = places.pick(labels)
    return picked if places.real is None else picked.masked_fill(~places.real, IGNORED)


def _refuse_fractions(labels: Tensor) -> None:
    """Numbers of classes are whole; of 0.7 nobody knows which it is."""
    if labels.is_floating_point():
        raise BertwrightError("BW440", dtype=str(labels.dtype).removeprefix("torch."))


def text_loss(scores: Tensor, labels: Tensor, problem_type: str | None) -> Tensor:
    """The loss over `scores [B, C]` that `problem_type` names; where it names none, that which the labels imply.

    Raises:
        BertwrightError: BW340, BW420 or BW440 for labels that do not fit the scores.
    """
    if problem_type is None:
        whole = not labels.is_floating_point()
        problem_type = "single_label_classification" if whole else "multi_label_classification"
        problem_type = "regression" if scores.shape[1] == 1 else problem_type
    if problem_type == "single_label_classification":
        return class_loss(scores, labels)
    if labels.numel() != scores.numel():
        raise BertwrightError("BW420", what="labels", shape=list(labels.shape), expected=list(scores.shape))
    kind = torch.promote_types(scores.dtype, torch.float32)  # in half precision 1987 would be 1984
    scores, target = scores.to(kind), labels.reshape(scores.shape).to(kind)
    if problem_type == "regression":
        return F.mse_loss(scores, target)
    return F.binary_cross_entropy_with_logits(scores, target)
