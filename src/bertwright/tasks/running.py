"""Predictions for encoded texts: the one place where a model is run without being trained."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor

from bertwright.data.batches import batches_by_length
from bertwright.data.ragged import Ragged
from bertwright.data.windows import EncodedTexts
from bertwright.model.models import BertWithHead
from bertwright.tasks.task import Answerer, Prediction

TOKENS_A_BATCH = 4096


def predict_encoded(
    model: BertWithHead,
    task: Answerer,
    encoded: EncodedTexts,
    *,
    max_tokens: int = TOKENS_A_BATCH,
    precision: AbstractContextManager[object] | None = None,
) -> list[Prediction]:
    """One answer a text, in their order; inside, neighbours in length share a batch of up to `max_tokens`.

    The model is switched to `eval` and back. `precision` is a context to compute in, such as an autocast.
    """
    scores: list[Tensor] = [torch.empty(0)] * len(encoded.inputs)
    was_training = model.training
    model.eval()
    try:
        with torch.inference_mode(), precision or nullcontext():
            for group in batches_by_length(encoded.lengths.tolist(), max_tokens):
                batch = Ragged.from_encoded([encoded.inputs[index] for index in group]).to(model.device)
                for index, one in zip(group, task.scores(model, batch)):
                    scores[index] = one
        return task.with_model(model).decode(scores, encoded)
    finally:
        model.train(was_training)
