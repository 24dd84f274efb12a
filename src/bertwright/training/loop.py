"""The training loop: the only one. It knows steps, batches and losses, and never which task it trains."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from bertwright.data.batches import derive_seed
from bertwright.errors import BertwrightError
from bertwright.machine.freed_memory import freed_memory_kept
from bertwright.machine.precision import autocast
from bertwright.model.models import BertWithHead
from bertwright.runs.results import DevScores, Evaluation, RunResult
from bertwright.runs.training_state import Step, TrainingState, read_state
from bertwright.tasks.task import Objective, Prediction
from bertwright.training.interruption import Interruption, interruptible
from bertwright.training.loop_settings import LoopSettings
from bertwright.training.optimizer import make_optimizers, rate_factor, set_rates
from bertwright.training.steps import MicroBatch, Steps
from bertwright.training.training_progress import Meter, Speed, training_progress
from bertwright.training.watchers import FiniteWatcher, check_collapse, check_first_loss, first_bad_tensor


class Keeper(Protocol):
    """Who saves what the loop has got to."""

    def save(
        self,
        state: TrainingState,
        optimizers: Sequence[torch.optim.Optimizer],
        predictions: Sequence[Prediction] | None,
    ) -> None:
        """Save the model as it is, and all that it takes to go on from there.

        `predictions` of the dev set come with an evaluation; where `state.best` is of this very step, it is the
        best so far.
        """


class Trainer:
    """One training run over a model, an objective and its data.

    Order, dropout and fresh choices are functions of `(seed, epoch)` and `(seed, step)`, so that nothing but the
    state need be known to go on from anywhere.

    Attributes:
        state: where the run stands.
        interruption: whether a signal came while it ran.
    """

    def __init__(
        self,
        model: BertWithHead,
        objective: Objective,
        steps: Steps,
        judge: Callable[[], DevScores],
        settings: LoopSettings,
        folder: Path,
        keeper: Keeper,
        loss_at_start: float | None = None,
        resume_from: Path | None = None,
        speed: Speed | None = None,
    ) -> None:
        """`settings` are resolved: rate, precision and micro_tokens are decided. `folder` takes bad batches.

        Args:
            loss_at_start: what the first loss is compared with; None: with nothing.
            resume_from: a folder that `write_state` wrote; `model` has the weights that belong to it.
            speed: what tokens a second are worth on this machine, to be shown beside them.

        Raises:
            BertwrightError: BW507 for a state that cannot be understood.
        """
        assert settings.micro_tokens is not None
        assert settings.learning_rate is not None
        self._model, self._objective, self._steps, self._judge = model, objective, steps, judge
        self._speed = speed
        self._settings, self._keeper = settings, keeper
        self._loss_at_start = loss_at_start
        self._count = settings.epochs * steps.steps_per_epoch
        if settings.max_steps is not None:
            self._count = min(self._count, settings.max_steps)
        self._peak = settings.learning_rate
        self._optimizers = make_optimizers(model, settings)
        self._rate_factor = rate_factor(settings, self._count)
        self.state = TrainingState(settings.micro_tokens)
        if resume_from is not None:
            self.state = read_state(resume_from, model, self._optimizers)
        self._finite = FiniteWatcher(folder, self.state)
        self._best: Evaluation | None = None
        if self.state.best is not None:
            self._best = Evaluation(**self.state.best, predictions=None)
        self.interruption = Interruption()
        self._started_at = time.monotonic() - self.state.total_seconds
        self._saved_at = time.monotonic()

    def run(self) -> RunResult:
        """All steps, or as many as it takes until nothing gets better (`patience`).

        A signal in the last step is noted: whoever calls this obeys `interruption` when the run is written down.

        Raises:
            KeyboardInterrupt, SystemExit: after Ctrl-C and SIGTERM, when the step under way is done and saved.
        """
        state, per_epoch = self.state, self._steps.steps_per_epoch
        self._model.train()
        progress = training_progress(self._count, state, self._speed)
        with progress as meter, interruptible() as interruption, freed_memory_kept():
            self.interruption = interruption
            while state.step < self._count and not state.stopped:
                self._step(state.step, meter)
                state.step += 1
                requested = interruption.requested  # asked once: between two answers a signal may come
                if self._evaluation_is_due():
                    self._evaluate(math.ceil(state.step / per_epoch), meter)
                elif requested or self._save_is_due():
                    self._save(None)
                if requested and state.step < self._count and not state.stopped:
                    meter.say(
                        f"stopped after step {state.step}, which is saved; the same command with --resume goes on"
                    )
                    interruption.end()
        assert self._best is not None
        return RunResult(
            best=self._best,
            history=state.history,
            tokens=state.tokens,
            train_seconds=state.seconds,
            total_seconds=state.total_seconds,
            skipped=state.skipped,
            micro_tokens=state.micro_tokens,
            stopped=state.stopped,
        )

    def _step(self, step: int, meter: Meter) -> None:
        """One step of the optimizer, in as many parts as memory asks for."""
        started = time.perf_counter()
        state = self.state
        measures, tokens = self._accumulate(step, meter)
        loss = measures["loss"]
        if step == 0:
            check_first_loss(loss, self._loss_at_start)
        norm = float(torch.nn.utils.clip_grad_norm_(self._model.parameters(), self._settings.max_grad_norm))
        set_rates(self._optimizers, self._rate_factor(step))
        if self._finite.accepts(step, loss, norm, lambda: self._steps.describe(step), lambda: self._culprit(step)):
            for optimizer in self._optimizers:
                optimizer.step()
            for name, value in measures.items():
                state.recent.setdefault(name, []).append(value)
        self._zero_grad()
        beside = {name: value for name, value in measures.items() if name != "loss"}
        state.history.append(Step(step + 1, loss, self._rate_factor(step) * self._peak, norm, beside))
        state.tokens += tokens
        state.seconds += time.perf_counter() - started
        meter.show(measures)

    def _accumulate(self, step: int, meter: Meter) -> tuple[dict[str, float], int]:
        """Add up the gradients of all parts: loss and measures of the whole step, and its tokens.

        Where memory does not suffice for a part, the step begins again in parts of half the size.

        Raises:
            BertwrightError: BW515 it does not suffice for a single text.
        """
        state = self.state
        while True:
            sums: dict[str, Tensor] = {}
            tokens, part = 0, None
            try:
                for index, part in enumerate(self._steps.parts(step, state.micro_tokens)):
                    torch.manual_seed(derive_seed(self._settings.seed, step, index))
                    measures = self._forward(part)
                    measures["loss"].backward()  # type: ignore[no-untyped-call]
                    sums = {name: value.detach() + sums.get(name, 0) for name, value in measures.items()}
                    tokens += part.num_tokens
                return dict(zip(sums, torch.stack([value.float() for value in sums.values()]).tolist())), tokens
            except torch.OutOfMemoryError as error:
                if part is not None and part.batch.batch_size == 1:
                    reason = (str(error).splitlines() or ["-"])[0]
                    raise BertwrightError("BW515", step=step + 1, tokens=part.num_tokens, reason=reason) from error
                self._zero_grad()
                state.micro_tokens //= 2
                meter.say(f"out of memory: from here on {state.micro_tokens} tokens at once; the step stays the same")

    def _forward(self, part: MicroBatch) -> dict[str, Tensor]:
        """Loss and measures of a part: its share of those of the step."""
        part = part.to(self._model.device)
        with autocast(self._settings.precision, self._model.device):
            return self._objective.loss(self._model, part.batch, part.targets, part.weights)

    def _zero_grad(self) -> None:
        for optimizer in self._optimizers:
            optimizer.zero_grad()

    def _culprit(self, step: int) -> str:
        parts = self._steps.parts(step, self.state.micro_tokens)
        return first_bad_tensor(self._model, lambda: [self._forward(part) for part in parts])

    def _evaluation_is_due(self) -> bool:
        every = self._settings.eval_steps or self._steps.steps_per_epoch
        return self.state.step % every == 0 or self.state.step == self._count

    def _save_is_due(self) -> bool:
        if (every := self._settings.save_steps) is not None:
            return self.state.step % every == 0
        return time.monotonic() - self._saved_at > 60 * self._settings.save_minutes

    def _save(self, predictions: Sequence[Prediction] | None) -> None:
        self.state.total_seconds = time.monotonic() - self._started_at
        self._keeper.save(self.state, self._optimizers, predictions)
        self._saved_at = time.monotonic()

    def _evaluate(self, epoch: int, meter: Meter) -> None:
        state, metric = self.state, self._objective.metric
        dev = self._judge()
        names = ["loss", *state.history[-1].measures]  # every row has them all, also where no step was taken
        train = {name: float(np.mean(state.recent[name])) if name in state.recent else math.nan for name in names}
        evaluation = Evaluation(epoch, state.step, train, dev.scores, dev.predictions)
        sign = 1 if self._objective.higher_is_better else -1
        best = math.nan if self._best is None else sign * self._best.scores[metric]
        score = sign * dev.scores[metric]
        is_best = self._best is None or score > best or (math.isnan(best) and not math.isnan(score))
        if is_best:
            self._best = evaluation
            state.best = {"epoch": epoch, "step": state.step, "train": train, "scores": dev.scores}
        state.without_better = 0 if is_best else state.without_better + 1
        state.recent.clear()
        state.rows.append(evaluation.row())
        meter.say(_line(evaluation, math.ceil(self._count / self._steps.steps_per_epoch), is_best))
        for remark in dev.remarks:
            meter.say(remark)
        if not state.told_collapse:
            state.told_collapse = check_collapse(
                dev.only_answer, len(dev.predictions), self._peak, self._objective.collapse_causes
            )
        if 0 < self._settings.patience <= state.without_better and state.step < self._count:
            state.stopped = f"no better evaluation in {self._settings.patience}"
            meter.say(f"stopped early: {state.stopped}")
        self._save(dev.predictions)


def _line(evaluation: Evaluation, epochs: int, is_best: bool) -> str:
    scores = " · ".join(f"{name} {value:.4f}" for name, value in evaluation.scores.items())
    best = " · best so far" if is_best else ""
    where = f"epoch {evaluation.epoch}/{epochs} · step {evaluation.step}"
    return f"{where} · train loss {evaluation.train['loss']:.4f} · dev {scores}{best}"
