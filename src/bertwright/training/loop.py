"""The training loop: the only one. It knows steps, batches and losses, and never which task it trains.

The loss of a step is a sum over its parts, however many they are and in whichever process they are computed; a loss
that is none, such as one that compares all texts of a step with each other, cannot be trained so.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from bertwright.data.batches import derive_seed
from bertwright.errors import BertwrightError
from bertwright.machine.freed_memory import freed_memory_kept
from bertwright.runs.results import DevScores, Evaluation, RunResult
from bertwright.runs.saving import Saver
from bertwright.runs.training_state import Step, TrainingState
from bertwright.tasks.prediction import Prediction
from bertwright.training.interruption import Interruption, interruptible
from bertwright.training.lesson import Lesson
from bertwright.training.loop_settings import LoopSettings, lower_rate
from bertwright.training.optimizer import make_optimizers, rate_factor, set_rates
from bertwright.training.steps import MicroBatch, Steps
from bertwright.training.training_progress import Meter, training_progress
from bertwright.training.watchers import FiniteWatcher, check_collapse, check_first_loss, first_bad_tensor
from bertwright.training.world import World
from bertwright.wording import Phrase, measure_name, said


@dataclass(frozen=True, slots=True)
class Course:
    """What a lesson is learnt from, and how it is judged.

    Attributes:
        steps: the training data.
        judge: the scores of the model as it is when this is called.
        loss_at_start: what the first loss is compared with; None: with nothing.
        peak_tokens: a second, if the machine did nothing but multiply; what it computes is shown as a share of them.
    """

    steps: Steps
    judge: Callable[[], DevScores]
    loss_at_start: float | None = None
    peak_tokens: float | None = None


class Trainer:
    """One training run.

    Order, dropout and fresh choices are functions of `(seed, epoch)` and `(seed, step)`, so that nothing but the
    state need be known to go on from anywhere.

    Attributes:
        state: where the run stands.
        interruption: whether a signal came while it ran.
    """

    def __init__(self, lesson: Lesson, course: Course, settings: LoopSettings, saver: Saver, world: World) -> None:
        """`settings` are decided: rate and micro_tokens stand there. A `saver` with a checkpoint goes on from it.

        Raises:
            BertwrightError: BW507 for a state that cannot be understood.
        """
        assert settings.micro_tokens is not None
        assert settings.learning_rate is not None
        self._model, self._objective, self._course = lesson.model, lesson.objective, course
        self._settings, self._saver, self._world = settings, saver, world
        self._peak = settings.learning_rate
        self._count = settings.epochs * course.steps.steps_per_epoch
        if settings.max_steps is not None:
            self._count = min(self._count, settings.max_steps)
        self._lesson = world.spread(lesson)
        self._optimizers = make_optimizers(self._model, settings)
        self._rate_factor = rate_factor(settings, self._count)
        self.state = saver.restored(self._optimizers) or TrainingState(settings.micro_tokens)
        self._finite = FiniteWatcher(saver.folder, self.state, world)
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
        state = self.state
        self._model.train()
        progress = training_progress(self._count, state, self._course.peak_tokens)
        with progress as meter, interruptible() as interruption, freed_memory_kept():
            self.interruption = interruption
            while state.step < self._count and not state.stopped:
                self._step(state.step, meter)
                state.step += 1
                # Asked once: between two answers a signal may come.
                requested = self._world.agree_any(interruption.requested)
                if self._evaluation_is_due():
                    self._evaluate(meter)
                elif requested or self._save_is_due():
                    self._save(None)
                if requested and state.step < self._count and not state.stopped:
                    step = state.step
                    meter.say(
                        said(
                            "stopped after step {step}, which is saved; the same command with --resume goes on",
                            step=step,
                        )
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
        measures = self._accumulate(step, meter)
        loss = measures["loss"]
        if step == 0:
            check_first_loss(loss, self._course.loss_at_start)
        norm = float(torch.nn.utils.clip_grad_norm_(self._model.parameters(), self._settings.max_grad_norm))
        set_rates(self._optimizers, self._rate_factor(step))
        describe = self._course.steps.describe
        if self._finite.accepts(step, loss, norm, self._peak, lambda: describe(step), lambda: self._culprit(step)):
            for optimizer in self._optimizers:
                optimizer.step()
            for name, value in measures.items():
                state.recent.setdefault(name, []).append(value)
        self._zero_grad()
        beside = {name: value for name, value in measures.items() if name != "loss"}
        state.history.append(Step(step + 1, loss, self._rate_factor(step) * self._peak, norm, beside))
        state.seconds += time.perf_counter() - started
        meter.show(measures)

    def _accumulate(self, step: int, meter: Meter) -> dict[str, float]:
        """Add up the gradients of all parts: loss and measures of the whole step.

        Where memory does not suffice for a part, the step begins again in parts of half the size.
        """
        state, world = self.state, self._world
        while True:
            done = self._compute(step)
            if not world.agree_any(done is None):
                break
            self._zero_grad()
            state.micro_tokens //= 2
            meter.say(
                said("out of memory: from here on {n} tokens at once; the step stays the same", n=state.micro_tokens)
            )
        assert done is not None
        sums, tokens = done
        world.sum_gradients(self._model.parameters())
        state.tokens += int(world.sum(torch.tensor(tokens)))
        numbers = world.sum(torch.stack([value.float() for value in sums.values()]))
        return dict(zip(sums, numbers.tolist()))

    def _compute(self, step: int) -> tuple[dict[str, Tensor], int] | None:
        """The parts of a step that this process computes, forth and back: sums of loss and measures, and the tokens;
        None where memory does not suffice.

        Raises:
            BertwrightError: BW515 it does not suffice for a single text.
        """
        sums: dict[str, Tensor] = {}
        tokens, part = 0, None
        try:
            for index, part in self._parts(step):
                torch.manual_seed(derive_seed(self._settings.seed, step, index))
                measures = self._lesson(part.batch, part.targets, part.weights)
                measures["loss"].backward()
                sums = {name: value.detach() + sums.get(name, 0) for name, value in measures.items()}
                tokens += part.num_tokens
        except torch.OutOfMemoryError as error:
            if part is not None and part.batch.batch_size == 1:
                reason = (str(error).splitlines() or ["-"])[0]
                raise BertwrightError("BW515", step=step + 1, tokens=part.num_tokens, reason=reason) from error
            return None
        return sums, tokens

    def _parts(self, step: int) -> Iterable[tuple[int, MicroBatch]]:
        """Those of a step that this process computes, with their numbers in the step."""
        return self._world.share(enumerate(self._course.steps.parts(step, self.state.micro_tokens)))

    def _culprit(self, step: int) -> str:
        parts = [part for _, part in self._parts(step)]
        return first_bad_tensor(
            self._model, lambda: [self._lesson(part.batch, part.targets, part.weights) for part in parts]
        )

    def _zero_grad(self) -> None:
        for optimizer in self._optimizers:
            optimizer.zero_grad()

    def _evaluation_is_due(self) -> bool:
        every = self._settings.eval_steps or self._course.steps.steps_per_epoch
        return self.state.step % every == 0 or self.state.step == self._count

    def _save_is_due(self) -> bool:
        if (every := self._settings.save_steps) is not None:
            return self.state.step % every == 0
        return self._world.agree_any(time.monotonic() - self._saved_at > 60 * self._settings.save_minutes)

    def _save(self, predictions: Sequence[Prediction] | None) -> None:
        self.state.total_seconds = time.monotonic() - self._started_at
        self._saver.save(self.state, self._optimizers, predictions)
        self._saved_at = time.monotonic()

    def _evaluate(self, meter: Meter) -> None:
        state, per_epoch = self.state, self._course.steps.steps_per_epoch
        epoch = math.ceil(state.step / per_epoch)
        dev = self._judged()
        names = ["loss", *state.history[-1].measures]  # every row has them all, also where no step was taken
        train = {name: float(np.mean(state.recent[name])) if name in state.recent else math.nan for name in names}
        evaluation = Evaluation(epoch, state.step, train, dev.scores, dev.predictions)
        is_best = self._best is None or self._worth(dev.scores) > self._worth(self._best.scores)
        if is_best:
            self._best = evaluation
            state.best = {"epoch": epoch, "step": state.step, "train": train, "scores": dev.scores}
        state.without_better = 0 if is_best else state.without_better + 1
        state.recent.clear()
        state.rows.append(evaluation.row())
        for line in (_line(evaluation, math.ceil(self._count / per_epoch), is_best), *dev.remarks):
            meter.say(line)
        if not state.told_collapse:
            state.told_collapse = check_collapse(
                dev.only_answer, len(dev.predictions), self._peak, self._objective.collapse_causes
            )
        self._stop_early(meter)
        self._save(dev.predictions)

    def _judged(self) -> DevScores:
        """The dev set; raises BW583 where the steps so far have made the weights no numbers."""
        try:
            return self._course.judge()
        except BertwrightError as error:
            state = self.state
            if error.code != "BW526" or state.skipped >= state.step:  # they were none before
                raise
            raise BertwrightError(
                "BW583", step=state.step, rate=self._peak, culprit=error.fields["culprit"],
                lower=lower_rate(self._peak, self._model.config.hidden_size),
            ) from error  # fmt: skip

    def _worth(self, scores: Mapping[str, float]) -> tuple[bool, float]:
        """The greater, the better; what is no number is worth less than any."""
        score = scores[self._objective.metric]
        return not math.isnan(score), score if self._objective.higher_is_better else -score

    def _stop_early(self, meter: Meter) -> None:
        patience = self._settings.patience
        is_enough = self._world.agree_any(0 < patience <= self.state.without_better)
        if is_enough and self.state.step < self._count:
            reason = Phrase("no better evaluation in {n}", n=patience)
            self.state.stopped = reason.within("en")  # it is stored
            meter.say(said("stopped early: {reason}", reason=reason))


def _line(evaluation: Evaluation, epochs: int, is_best: bool) -> str:
    scores = " · ".join(f"{measure_name(name)} {value:.4f}" for name, value in evaluation.scores.items())
    line = said(
        "epoch {epoch}/{epochs} · step {step} · train loss {loss:.4f} · dev {scores}",
        epoch=evaluation.epoch, epochs=epochs, step=evaluation.step, loss=evaluation.train["loss"], scores=scores,
    )  # fmt: skip
    return said("{line} · best so far", line=line) if is_best else line
