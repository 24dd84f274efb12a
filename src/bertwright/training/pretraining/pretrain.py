"""From a corpus store to a pre-trained BERT."""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bertwright.checkpoint.folders import whole_folder
from bertwright.checkpoint.hub import weights_folder
from bertwright.checkpoint.vocabulary_rows import check_rows
from bertwright.corpus.drawing.neighbours import token_counts
from bertwright.corpus.drawing.sampler import PretrainSampler
from bertwright.corpus.store import CorpusStore
from bertwright.data.windows import Reading
from bertwright.errors import BertwrightError
from bertwright.machine.device import usable_device
from bertwright.machine.matrix_rate import matrix_rate
from bertwright.machine.precision import resolve_precision
from bertwright.model.config import BertConfig
from bertwright.model.growth import deepen
from bertwright.model.models import BertWithHead
from bertwright.model.operations import training_operations
from bertwright.reports.pretrain_card import write_pretrain_card
from bertwright.runs.results import RunResult
from bertwright.runs.run_folder import RunFolder, run_facts
from bertwright.runs.training_state import TrainingState
from bertwright.tasks.fill_mask import FillMask
from bertwright.tasks.prediction import Prediction
from bertwright.tasks.pretraining import PreTraining
from bertwright.tasks.task_file import write_task
from bertwright.text.tokenizer.tokenizer import BertTokenizer
from bertwright.training.lesson import Lesson
from bertwright.training.loop import Course
from bertwright.training.micro_tokens import choose_micro_tokens
from bertwright.training.pretraining.budget import planned_steps
from bertwright.training.pretraining.held_out_set import HeldOut
from bertwright.training.pretraining.pretrain_settings import PretrainSettings, default_pretraining_rate
from bertwright.training.pretraining.pretrain_steps import PretrainSteps, drawing_pool, make_phases
from bertwright.training.pretraining.whole_words import say_of_words
from bertwright.training.pretraining.word_start import start_from_counts
from bertwright.training.session import Job, open_folder, train_or_resume, written_by
from bertwright.training.world import World, this_world
from bertwright.wording import Phrase, said

log = logging.getLogger("bertwright")

_EVALUATIONS = 10  # of a run, where no eval_steps are given
_SHARE_OF_EVALUATIONS = 0.25  # of the time in steps, at most
_EXAMPLES_COUNTED = 1000  # to tell how much is cut


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class PretrainRun:
    """A finished run; wherever a model folder is asked for, it stands for its own.

    Attributes:
        folder: its run folder; `folder / "best"` is the model.
        outcome: the best evaluation and the cost.
    """

    folder: Path
    outcome: RunResult

    def __fspath__(self) -> str:
        return str(self.folder)

    def __repr__(self) -> str:
        best = self.outcome.best
        scores = ", ".join(f"{name}={value:.4f}" for name, value in best.scores.items())
        return f"PretrainRun('{self.folder}', best_step={best.step}, {scores})"

    def to_json(self) -> dict[str, Any]:
        """Where it is, how good and at what cost, as a JSON object."""
        best, outcome = self.outcome.best, self.outcome
        return {
            "run": str(self.folder), "model": str(self.folder / "best"), "best_step": best.step, "scores": best.scores,
            "tokens": outcome.tokens, "train_seconds": outcome.train_seconds, "total_seconds": outcome.total_seconds,
            "stopped": str(outcome.stopped),
        }  # fmt: skip


def pretrain(
    store: str | Path,
    *,
    out: str | Path,
    init: str | os.PathLike[str] | None = None,
    vocab: str | os.PathLike[str] | None = None,
    settings: PretrainSettings | None = None,
    device: str = "cpu",
    overwrite: bool = False,
    resume: bool = False,
    download: bool = False,
    **changes: Any,
) -> PretrainRun:
    """Train a BERT on raw text, from scratch or from a checkpoint.

        bertwright.prepare(["corpus/"], "vocab/", "store")
        run = bertwright.pretrain("store", out="runs/pretrained", max_minutes=60)
        bertwright.finetune("train.csv", model=run, out="runs/first")

    Args:
        store: what `bertwright prepare` wrote.
        out: the run folder to write.
        init: a model folder or name to go on from; its vocabulary must be that of the store. A larger
            `num_hidden_layers` than its own gives it new layers on top.
        vocab: the vocabulary of a model from scratch; not given: that which lies in the store.
        settings: all settings at once.
        **changes: some of them, laid over `settings`, such as `max_steps=1000`.
        device: such as `cpu` or `cuda:0`.
        overwrite: replace the run that `out` holds.
        resume: go on with the run that `out` holds, as if it had never stopped; where there is none, begin.
        download: fetch an `init` or a `vocab` that is on the hub and not on this machine.

    Raises:
        BertwrightError: BW561 `resume` beside `overwrite`, BW111 `vocab` beside `init`, BW124 a setting of a CRF, and
            for every other mistake in what was given; each says what, where, why and what to do.
    """
    if resume and overwrite:
        raise BertwrightError("BW561")
    settings = (settings or PretrainSettings.resolve()).changed(**changes)
    if "transition_factor" in settings.model_fields_set:  # there is no CRF
        raise BertwrightError(
            "BW124", name="transition_factor", value=settings.transition_factor, task=PreTraining.name
        )
    for line in settings.doubts():
        log.warning(line)
    place = usable_device(device)
    RunFolder.require_place(Path(out), overwrite=overwrite, resume=resume)
    if init is not None and vocab is not None:
        raise BertwrightError("BW111")
    source = whole_folder(
        weights_folder(init or vocab or CorpusStore.vocabulary_of(store), download=download, vocabulary=download)
    )
    tokenizer = BertTokenizer.from_pretrained(source)
    opened = CorpusStore.open(store, tokenizer)
    world, reads = this_world(), [source, opened.folder]
    job = PretrainJob(opened, tokenizer, source if init is not None else None, place, settings, world)
    with written_by(world, Path(out)):
        folder = open_folder(world, Path(out), overwrite=overwrite, resume=resume, reads=reads)
        return train_or_resume(job, folder)


class PretrainJob(Job[PretrainSettings, PretrainRun]):
    """A store, a vocabulary, and the model that is trained.

    Raises:
        BertwrightError: BW112 texts that are longer than the model's table of positions.
    """

    decided = ("max_steps", "eval_steps")
    objective: PreTraining

    def __init__(
        self,
        store: CorpusStore,
        tokenizer: BertTokenizer,
        init: Path | None,
        device: torch.device,
        settings: PretrainSettings,
        world: World,
    ) -> None:
        self._store, self.tokenizer, self._init = store, tokenizer, init
        self._device, self.requested, self.world = device, settings, world
        if init is None:
            values = settings.config_values()
            self._config = BertConfig(vocab_size=len(tokenizer), pad_token_id=tokenizer.pad_token_id, **values)
        else:
            self._config = BertConfig.from_pretrained(init, **settings.dropout_values())
            self._config = replace(self._config, num_hidden_layers=settings.layers_from(self._config))
            for line in settings.other_than(self._config):
                log.warning(said("the model of --init keeps its shape: no effect of {what}", what=line))
            if settings.word_start != "random":
                what = f"word_start={settings.word_start}"
                log.info(said("the model of --init keeps its word table: no effect of {what}", what=what))
            _check_start(init, self._config, tokenizer, settings)
        for line in settings.without_effect():
            log.warning(line)
        if settings.longest > self._config.max_position_embeddings:
            raise BertwrightError("BW112", max_length=settings.longest, rows=self._config.max_position_embeddings)
        self.objective = PreTraining(settings.objective, self._config.vocab_size)
        self._samplers = [self._sampler(settings, length, "train") for _, length in settings.plan]

    def record(self) -> dict[str, Any]:
        return run_facts(self.objective.name, str(self._init or "from scratch"), self._device) | {
            "store": str(self._store.folder),
            "train_sha256": self._store.digest,
        }

    def model(self, checkpoint: Path | None) -> BertWithHead:
        """Fresh weights, those of `init`, or those of a checkpoint of this run."""
        wished, source = self.requested, checkpoint or self._init
        torch.manual_seed(wished.seed)
        if source is None:
            net = self.objective.model_class(self._config)
            if wished.word_start == "counts":
                start_from_counts(net, self._store, wished.held_out)
        else:
            net = self.objective.model_class.load(source, **wished.dropout_values())
            assert net.load_report is not None
            log.info(net.load_report.summary())
            if new := self._config.num_hidden_layers - net.config.num_hidden_layers:
                deepen(net, self._config.num_hidden_layers)
                log.info(said("new layers: {n} on top of the model of --init, which change nothing at first", n=new))
        net.checkpoint_layers(wished.gradient_checkpointing)  # before a step is timed
        return net.to(self._device).train()

    def decide(self, model: BertWithHead) -> PretrainSettings:
        wished, config, world = self.requested, self._config, self.world
        checkpointing = wished.gradient_checkpointing
        settings = wished.model_copy(
            update={
                "learning_rate": wished.learning_rate or default_pretraining_rate(config.hidden_size),
                "precision": resolve_precision(wished.precision, self._device),
                "micro_tokens": wished.micro_tokens
                or world.least(
                    choose_micro_tokens(config, self._device, max_length=wished.longest, checkpointing=checkpointing)
                ),
            }
        )
        first = PretrainSteps(make_phases(self._samplers[:1], [1.0], settings.batch_tokens, 1), self.tokenizer)
        steps = planned_steps(settings, first, Lesson(model, self.objective, settings.precision), world)
        log.info(said("{n} steps planned", n=steps))
        return settings.model_copy(
            update={
                "max_steps": steps,
                "epochs": math.ceil(steps / first.steps_per_epoch),
                "eval_steps": settings.eval_steps or max(steps // self._evaluations(settings, steps), 1),
            }
        )

    def _evaluations(self, settings: PretrainSettings, steps: int) -> int:
        """How many there are in so many steps: few enough to take a small share of the time."""
        length = settings.plan[-1][1]
        held_out = self._sampler(settings, length, "held_out", seed=0)
        texts = min(settings.eval_examples, held_out.count(0))
        in_steps = texts * length / settings.batch_tokens / 3  # a step has a backward pass, which is two forward ones
        return max(min(_EVALUATIONS, int(_SHARE_OF_EVALUATIONS * steps / max(in_steps, 1e-9))), 1)

    @contextmanager
    def course(self, lesson: Lesson, settings: PretrainSettings) -> Iterator[Course]:
        assert settings.max_steps is not None
        shares = [share for share, _ in settings.plan]
        phases = make_phases(self._samplers, shares, settings.batch_tokens, settings.max_steps)
        self._say_what_is_trained(lesson.model, settings)
        held_out = self._sampler(settings, settings.plan[-1][1], "held_out", seed=0)
        judged = held_out.samples(0, min(settings.eval_examples, held_out.count(0)))
        untrained = self._init is None and settings.word_start == "random"
        with drawing_pool(phases, settings.workers) as pool:
            yield Course(
                PretrainSteps(phases, self.tokenizer, pool),
                HeldOut(lesson, judged, self.tokenizer),
                loss_at_start=self.objective.loss_at_start() if untrained else None,
                peak_tokens=self._peak_tokens(settings),
            )

    def describe(self, staging: Path, predictions: Sequence[Prediction] | None) -> None:
        # A window knows nothing of a mask in another one, so what is too long is cut.
        reading = Reading(self._config.max_position_embeddings, "head", 0)
        write_task(staging, FillMask(self.requested.objective), reading)

    def ended(self, folder: Path, model: BertWithHead, settings: PretrainSettings, result: RunResult) -> PretrainRun:
        return PretrainRun(folder, result)

    def finish(self, folder: RunFolder, record: dict[str, Any], run: PretrainRun, state: TrainingState) -> None:
        write_pretrain_card(folder.path, record, self._config, run.outcome, state.rows)

    def _sampler(self, settings: PretrainSettings, length: int, split: Any, seed: int | None = None) -> PretrainSampler:
        sampling = settings.sampling(length)
        return PretrainSampler(self._store, self.tokenizer, sampling, settings.seed if seed is None else seed, split)

    def _peak_tokens(self, settings: PretrainSettings) -> float:
        length = sum(share * length for share, length in settings.plan)
        rate = matrix_rate(self._device, torch.bfloat16 if settings.precision == "bf16" else torch.float32)[0]
        return rate * 1e9 / training_operations(self._config, length, settings.mask_share)

    def _say_what_is_trained(self, net: BertWithHead, settings: PretrainSettings) -> None:
        config, sampler = self._config, self._samplers[0]
        log.info(
            said(
                "{n:.1f} million parameters: {layers} layers, {width} wide, {heads} heads, {tokens} tokens in the "
                "vocabulary",
                n=net.num_parameters() / 1e6, layers=config.num_hidden_layers, width=config.hidden_size,
                heads=config.num_attention_heads, tokens=config.vocab_size,
            )
        )  # fmt: skip
        documents, texts = sampler.documents, sampler.count(0)
        log.info(said("{n} documents to learn from, about {texts} texts a pass", n=documents, texts=texts))
        examples = sampler.samples(0, min(_EXAMPLES_COUNTED, sampler.count(0)))
        cut = sum(one.tokens_cut for one in examples)
        if cut:
            share = 100 * cut / (cut + sum(len(one) for one in examples))
            limit = sampler.settings.max_length
            log.info(said("about {share:.1f} % of the tokens do not fit into {n} and are cut", share=share, n=limit))
        say_of_words(self._store, self.tokenizer, settings.masking)
        baseline = unigram_entropy(self._store, config.vocab_size)
        line = said("a model that knows only how often each token occurs has the MLM loss {loss:.3f}", loss=baseline)
        if self.objective.pair_name:
            line = said("{line}; of a pair it guesses 50 % ({loss:.3f})", line=line, loss=math.log(2))
        log.info(line)


def _check_start(init: Path, config: BertConfig, tokenizer: BertTokenizer, settings: PretrainSettings) -> None:
    """Refuse a checkpoint whose tables lack rows for the tokens, or for the second of two texts."""
    check_rows(init, len(tokenizer), config.vocab_size)
    if settings.objective != "mlm" and config.type_vocab_size < 2:
        reason = Phrase("the model of --init knows no second text, mlm needs none")
        raise BertwrightError("BW102", key="objective", value=settings.objective, reason=reason)


def unigram_entropy(store: CorpusStore, vocab_size: int) -> float:
    """Entropy, in nats, of the tokens of a store one by one: the MLM loss of a model that reads no context."""
    counts = token_counts(store, vocab_size)
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log(shares)).sum())
