"""The training loop: the only one. It knows steps, batches and losses, and never which task it trains."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bertwright.data.batches import derive_seed, epoch_order, split_by_tokens
from bertwright.data.examples import Example
from bertwright.data.ragged import Ragged
from bertwright.data.windows import EncodedTexts
from bertwright.model.models import BertWithHead
from bertwright.tasks.scoring import predict_encoded
from bertwright.tasks.task import Prediction, Task
from bertwright.training.optimizer import make_optimizer, rate_factor, set_rates
from bertwright.training.precision import autocast
from bertwright.training.progress import Meter, training_progress
from bertwright.training.settings import FinetuneSettings
from bertwright.training.watchers import FiniteWatcher, check_collapse, check_first_loss, first_bad_tensor


@dataclass(frozen=True, slots=True)
class Dataset:
    """Examples, ready to be read by a model. K examples, N ≥ K inputs.

    Attributes:
        examples: as the user wrote them.
        encoded: their inputs.
        targets: `[N, …]` what is to be learnt of each input.
        weights: `[N]` how much each input counts; the inputs of one text share its weight.
    """

    examples: Sequence[Example]
    encoded: EncodedTexts
    targets: Tensor
    weights: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the optimizer, as it is remembered: its number, loss, learning rate and gradient norm."""

    step: int
    loss: float
    learning_rate: float
    gradient_norm: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The dev set after some steps.

    Attributes:
        epoch: which pass over the data it is, counted from 1.
        step: steps of the optimizer so far.
        train_loss: mean over the steps since the evaluation before.
        scores: the task's metrics.
        predictions: of the dev examples.
        is_best: whether the task's headline metric is higher than at every evaluation before.
    """

    epoch: int
    step: int
    train_loss: float
    scores: dict[str, float]
    predictions: Sequence[Prediction]
    is_best: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a run.

    Attributes:
        best: the evaluation that `best/` was saved at.
        history: every step.
        tokens: real tokens trained on.
        train_seconds: time in training steps, without evaluation and saving.
        skipped: steps that were not taken because a loss or a gradient was not finite.
        micro_tokens: tokens computed at once, in the end.
        stopped: why the run ended before its last step; empty if it did not.
    """

    best: Evaluation
    history: Sequence[Step]
    tokens: int
    train_seconds: float
    skipped: int
    micro_tokens: int
    stopped: str = ""


class Trainer:
    """One training run over a model, a task and two sets of examples.

    Order, dropout and fresh choices are functions of `(seed, epoch)` and `(seed, step)`, so that nothing but the
    step need be known to go on from anywhere.
    """

    def __init__(
        self,
        model: BertWithHead,
        task: Task,
        train_set: Dataset,
        dev_set: Dataset,
        settings: FinetuneSettings,
        folder: Path,
        on_evaluation: Callable[[Evaluation], None],
        loss_at_start: float | None = None,
    ) -> None:
        """`settings` are resolved: rate, precision and micro_tokens are decided. `folder` takes bad batches.

        `loss_at_start` is what the first loss is compared with; None: with nothing.
        """
        assert settings.micro_tokens is not None
        assert settings.learning_rate is not None
        self._model, self._task = model, task
        self._train_set, self._dev_set = train_set, dev_set
        self._settings = settings
        self._on_evaluation = on_evaluation
        self._loss_at_start = loss_at_start
        self._lengths = train_set.encoded.lengths
        ends = np.cumsum(train_set.encoded.inputs_of)
        self._inputs_of = np.split(np.arange(len(self._lengths)), ends[:-1])  # of each text
        self._steps_per_epoch = math.ceil(len(train_set.examples) / settings.batch_size)
        self._steps = settings.epochs * self._steps_per_epoch
        if settings.max_steps is not None:
            self._steps = min(self._steps, settings.max_steps)
        self._micro_tokens = settings.micro_tokens
        self._peak = settings.learning_rate
        self._optimizer = make_optimizer(model, settings)
        self._rate_factor = rate_factor(settings, self._steps)
        self._finite = FiniteWatcher(folder)
        self._best: Evaluation | None = None
        self._history: list[Step] = []
        self._losses: list[float] = []
        self._without_better = 0
        self._told_collapse = False

    def run(self) -> Outcome:
        """All steps, or as many as it takes until nothing gets better (`patience`)."""
        settings = self._settings
        stopped = ""
        self._model.train()
        with training_progress(self._steps) as meter:
            for step in range(self._steps):
                epoch, index = divmod(step, self._steps_per_epoch)
                if index == 0:
                    order = epoch_order(len(self._train_set.examples), settings.seed, epoch)
                self._step(step, order[index * settings.batch_size :][: settings.batch_size], meter)
                at_end = step + 1 == self._steps
                due = index + 1 == self._steps_per_epoch
                if settings.eval_steps is not None:
                    due = (step + 1) % settings.eval_steps == 0
                if due or at_end:
                    self._evaluate(epoch + 1, step + 1, meter)
                    if 0 < settings.patience <= self._without_better and not at_end:
                        stopped = f"no better evaluation in {settings.patience}"
                        meter.say(f"stopped early: {stopped}")
                        break
        assert self._best is not None
        return Outcome(
            best=self._best,
            history=self._history,
            tokens=meter.tokens,
            train_seconds=meter.seconds,
            skipped=self._finite.skipped,
            micro_tokens=self._micro_tokens,
            stopped=stopped,
        )

    def _step(self, step: int, chosen: NDArray[np.int64], meter: Meter) -> None:
        """One step of the optimizer over the inputs of the chosen texts, in as many parts as memory asks for."""
        started = time.perf_counter()
        inputs = np.concatenate([self._inputs_of[text] for text in chosen])
        inputs = inputs[np.argsort(self._lengths[inputs], kind="stable")]  # equal lengths become neighbours
        while True:
            try:
                loss, tokens = self._accumulate(step, inputs)
                break
            except torch.OutOfMemoryError:
                if self._micro_tokens <= int(self._lengths[inputs].max()):
                    raise
                self._optimizer.zero_grad()
                self._micro_tokens //= 2
                meter.say(f"out of memory: from here on {self._micro_tokens} tokens at once; the step stays the same")
        if step == 0:
            check_first_loss(loss, self._loss_at_start)
        norm = float(torch.nn.utils.clip_grad_norm_(self._model.parameters(), self._settings.max_grad_norm))
        set_rates(self._optimizer, self._rate_factor(step))
        members = [self._train_set.examples[text] for text in chosen]
        culprit = lambda: first_bad_tensor(self._model, lambda: self._forward(inputs))  # noqa: E731
        if self._finite.accepts(step, loss, norm, members, culprit):
            self._optimizer.step()
            self._losses.append(loss)
        self._optimizer.zero_grad()
        self._history.append(Step(step + 1, loss, self._rate_factor(step) * self._peak, norm))
        meter.step(loss, tokens, time.perf_counter() - started)

    def _accumulate(self, step: int, inputs: NDArray[np.int64]) -> tuple[float, int]:
        """Add up the gradients of all parts; the loss is the weighted mean over the whole step."""
        total = float(self._train_set.weights[inputs].sum())
        loss_sum, tokens = torch.zeros((), device=self._model.device), 0
        for part, members in enumerate(split_by_tokens(inputs, self._lengths, self._micro_tokens)):
            torch.manual_seed(derive_seed(self._settings.seed, step, part))
            loss = self._forward(members, total)
            loss.backward()  # type: ignore[no-untyped-call]
            loss_sum += loss.detach()
            tokens += int(self._lengths[members].sum())
        return loss_sum.item(), tokens

    def _forward(self, members: NDArray[np.int64], total: float = 1.0) -> Tensor:
        """The loss of some inputs, each weighing its share of `total`."""
        device, data = self._model.device, self._train_set
        batch = Ragged.from_encoded([data.encoded.inputs[index] for index in members]).to(device)
        weights = torch.from_numpy((data.weights[members] / total).astype(np.float32)).to(device)
        with autocast(self._settings.precision, device):
            return self._task.loss(self._model, batch, data.targets[members].to(device), weights)

    def _evaluate(self, epoch: int, step: int, meter: Meter) -> None:
        precision = autocast(self._settings.precision, self._model.device)
        predictions = predict_encoded(self._model, self._task, self._dev_set.encoded, precision=precision)
        scores = self._task.score(predictions, self._dev_set.examples)
        is_best = self._best is None or scores[self._task.metric] > self._best.scores[self._task.metric]
        train_loss = float(np.mean(self._losses)) if self._losses else math.nan
        evaluation = Evaluation(epoch, step, train_loss, scores, predictions, is_best)
        self._losses.clear()
        self._without_better = 0 if is_best else self._without_better + 1
        if is_best:
            self._best = evaluation
        self._on_evaluation(evaluation)
        meter.say(_line(evaluation, self._settings.epochs))
        if not self._told_collapse:
            only = self._task.only_answer(predictions, self._dev_set.examples)
            self._told_collapse = check_collapse(only, len(predictions), self._peak)


def _line(evaluation: Evaluation, epochs: int) -> str:
    scores = " · ".join(f"{name} {value:.4f}" for name, value in evaluation.scores.items())
    best = " · best so far" if evaluation.is_best else ""
    where = f"epoch {evaluation.epoch}/{epochs} · step {evaluation.step}"
    return f"{where} · train loss {evaluation.train_loss:.4f} · dev {scores}{best}"
