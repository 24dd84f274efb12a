"""The training loop: the only one. It knows steps, batches and losses, and never which task it trains."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from bertwright.data.batches import derive_seed, epoch_order, training_batch
from bertwright.data.examples import Example
from bertwright.data.ragged import Ragged
from bertwright.model.models import BertWithHead
from bertwright.tasks.scoring import predict_encoded
from bertwright.tasks.task import Prediction, Task
from bertwright.text.encoded import Encoded
from bertwright.training.optimizer import make_optimizer, make_schedule
from bertwright.training.progress import training_progress
from bertwright.training.settings import FinetuneSettings


@dataclass(frozen=True, slots=True)
class Dataset:
    """Examples, ready to be read by a model.

    Attributes:
        examples: as the user wrote them.
        encoded: their tokens.
        targets: what is to be learnt of each, one row an example.
    """

    examples: Sequence[Example]
    encoded: Sequence[Encoded]
    targets: Tensor


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The dev set after an epoch.

    Attributes:
        epoch: counted from 1.
        step: steps of the optimizer so far.
        train_loss: mean over the epoch, weighted by examples.
        scores: the task's metrics.
        predictions: of the dev examples.
        is_best: whether the task's headline metric is higher than after every epoch before.
    """

    epoch: int
    step: int
    train_loss: float
    scores: dict[str, float]
    predictions: Sequence[Prediction]
    is_best: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a run: the best evaluation, and what the training cost.

    Attributes:
        best: the evaluation that `best/` was saved at.
        steps: steps of the optimizer.
        tokens: real tokens trained on.
        train_seconds: time in training steps, without evaluation and saving.
    """

    best: Evaluation
    steps: int
    tokens: int
    train_seconds: float


def train(
    model: BertWithHead,
    task: Task,
    train_set: Dataset,
    dev_set: Dataset,
    settings: FinetuneSettings,
    on_evaluation: Callable[[Evaluation], None],
) -> Outcome:
    """Train `model` on `train_set`; after each epoch score it on `dev_set` and call `on_evaluation`.

    Order, dropout and fresh choices are functions of `(seed, epoch)` and `(seed, step)`, so that nothing but
    the step need be known to go on from anywhere.
    """
    assert settings.learning_rate is not None
    count = len(train_set.examples)
    lengths = np.array([len(one.input_ids) for one in train_set.encoded])
    steps_per_epoch = math.ceil(count / settings.batch_size)
    steps = settings.epochs * steps_per_epoch
    optimizer = make_optimizer(model, settings.learning_rate, settings.weight_decay)
    schedule = make_schedule(optimizer, settings, steps)
    best: Evaluation | None = None
    model.train()
    with training_progress(steps) as meter:
        for epoch in range(settings.epochs):
            order = epoch_order(count, settings.seed, epoch)
            loss_sum = 0.0
            for index in range(steps_per_epoch):
                started = time.perf_counter()
                step = epoch * steps_per_epoch + index
                chosen = training_batch(order, index, settings.batch_size, lengths)
                batch = Ragged.from_encoded([train_set.encoded[i] for i in chosen]).to(model.device)
                targets = train_set.targets[chosen].to(model.device)
                torch.manual_seed(derive_seed(settings.seed, step))
                loss = task.loss(model, batch, targets)
                loss.backward()
                torch.nn.utils.clip_grad_norm_(model.parameters(), settings.max_grad_norm)
                optimizer.step()
                schedule.step()
                optimizer.zero_grad()
                value = loss.item()
                loss_sum += value * len(chosen)
                meter.step(value, batch.num_tokens, time.perf_counter() - started)
            evaluation = _evaluate(model, task, dev_set, epoch + 1, step + 1, loss_sum / count, best)
            best = evaluation if evaluation.is_best else best
            on_evaluation(evaluation)
            meter.say(_line(evaluation, settings.epochs))
    assert best is not None
    return Outcome(best, steps, meter.tokens, meter.seconds)


def _evaluate(
    model: BertWithHead,
    task: Task,
    dev_set: Dataset,
    epoch: int,
    step: int,
    train_loss: float,
    best: Evaluation | None,
) -> Evaluation:
    predictions = predict_encoded(model, task, dev_set.encoded)
    scores = task.score(predictions, dev_set.examples)
    is_best = best is None or scores[task.metric] > best.scores[task.metric]
    return Evaluation(epoch, step, train_loss, scores, predictions, is_best)


def _line(evaluation: Evaluation, epochs: int) -> str:
    scores = " · ".join(f"{name} {value:.4f}" for name, value in evaluation.scores.items())
    best = " · best so far" if evaluation.is_best else ""
    return f"epoch {evaluation.epoch}/{epochs} · train loss {evaluation.train_loss:.4f} · dev {scores}{best}"
