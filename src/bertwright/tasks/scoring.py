"""Predictions for encoded texts: the one place where a model is run without being trained."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from bertwright.data.batches import batches_by_length
from bertwright.data.ragged import Ragged
from bertwright.model.models import BertWithHead
from bertwright.tasks.task import Prediction, Task
from bertwright.text.encoded import Encoded

TOKENS_A_BATCH = 4096


def predict_encoded(
    model: BertWithHead, task: Task, encoded: Sequence[Encoded], max_tokens: int = TOKENS_A_BATCH
) -> list[Prediction]:
    """Answers in the order of `encoded`; inside, neighbours in length share a batch of up to `max_tokens`.

    The model is switched to `eval` and back.
    """
    answers: list[Prediction | None] = [None] * len(encoded)
    was_training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            for group in batches_by_length([len(one.input_ids) for one in encoded], max_tokens):
                members = [encoded[index] for index in group]
                scores = model.scores(Ragged.from_encoded(members).to(model.device))
                for index, answer in zip(group, task.decode(scores, members)):
                    answers[index] = answer
    finally:
        model.train(was_training)
    return [answer for answer in answers if answer is not None]
