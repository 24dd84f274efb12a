"""From a corpus store to a pre-trained BERT."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bertwright.checkpoint.folders import whole_folder
from bertwright.checkpoint.hub import model_folder
from bertwright.checkpoint.lock import sole_writer
from bertwright.corpus.drawing.neighbours import token_counts
from bertwright.corpus.drawing.sampler import PretrainSampler
from bertwright.corpus.store import CorpusStore
from bertwright.data.windows import Reading
from bertwright.errors import BertwrightError, Worded
from bertwright.machine.device import usable_device
from bertwright.machine.matrix_rate import matrix_rate
from bertwright.machine.precision import resolve_precision
from bertwright.model.config import BertConfig
from bertwright.model.growth import deepen
from bertwright.model.models import BertWithHead
from bertwright.model.operations import training_operations
from bertwright.reports.pretrain_card import write_pretrain_card
from bertwright.runs.results import Outcome
from bertwright.runs.resuming import check_same_run, kept_settings
from bertwright.runs.run_folder import TRAINING, RunFolder, run_facts
from bertwright.runs.saving import FolderKeeper
from bertwright.tasks.fill_mask import FillMask
from bertwright.tasks.pretraining import PreTraining
from bertwright.tasks.registry import write_task
from bertwright.tasks.task import Prediction
from bertwright.text.tokenizer.tokenizer import BertTokenizer
from bertwright.training.loop import Trainer
from bertwright.training.micro_tokens import choose_micro_tokens
from bertwright.training.pretraining.budget import planned_steps
from bertwright.training.pretraining.held_out_set import HeldOut
from bertwright.training.pretraining.pretrain_settings import PretrainSettings, default_pretraining_rate
from bertwright.training.pretraining.pretrain_steps import PretrainFeed, drawing_ahead, make_phases
from bertwright.training.pretraining.word_start import start_from_counts
from bertwright.training.training_progress import Speed

log = logging.getLogger("bertwright")

_EVALUATIONS = 10  # of a run, where no eval_steps are given
_EXAMPLES_COUNTED = 1000  # to tell how much is cut


@dataclass(frozen=True, slots=True)
class PretrainRun:
    """A finished run.

    Attributes:
        folder: its run folder; `folder / "best"` is the model.
        outcome: the best evaluation and the cost.
    """

    folder: Path
    outcome: Outcome


def pretrain(
    store: str | Path,
    *,
    out: str | Path,
    init: str | Path | None = None,
    vocab: str | Path | None = None,
    settings: PretrainSettings | None = None,
    device: str = "cpu",
    overwrite: bool = False,
    resume: bool = False,
    **changes: Any,
) -> PretrainRun:
    """Train a BERT on raw text, from scratch or from a checkpoint.

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
    place = usable_device(device)
    if init is not None and vocab is not None:
        raise BertwrightError("BW111")
    source = whole_folder(model_folder(init or vocab or CorpusStore.vocabulary_of(store)))
    tokenizer = BertTokenizer.from_pretrained(source)
    opened = CorpusStore.open(store, tokenizer)
    job = _Job(opened, tokenizer, source if init is not None else None, place, settings)
    with sole_writer(Path(out)):
        return job.run(RunFolder(Path(out), overwrite=overwrite, resume=resume, reads=[source, opened.folder]))


class _Job:
    """A store, a vocabulary, and the model that is trained."""

    def __init__(
        self,
        store: CorpusStore,
        tokenizer: BertTokenizer,
        init: Path | None,
        device: torch.device,
        settings: PretrainSettings,
    ) -> None:
        self._store, self._tokenizer, self._init = store, tokenizer, init
        self._device, self._requested = device, settings
        if init is None:
            values = settings.config_values()
            self._config = BertConfig(vocab_size=len(tokenizer), pad_token_id=tokenizer.pad_token_id, **values)
        else:
            self._config = BertConfig.from_pretrained(init, **settings.dropout_values())
            self._config = replace(self._config, num_hidden_layers=settings.layers_from(self._config))
            for line in settings.other_than(self._config):
                log.warning("the model of --init keeps its shape: no effect of %s", line)
            if settings.word_start != "random":
                log.info("the model of --init keeps its word table: no effect of word_start=%s", settings.word_start)
            _check_start(init, self._config, tokenizer, settings)
        for line in settings.without_effect():
            log.warning("%s", line)
        if settings.longest > self._config.max_position_embeddings:
            raise BertwrightError("BW112", max_length=settings.longest, rows=self._config.max_position_embeddings)
        self._objective = PreTraining(settings.objective, self._config.vocab_size)

    def run(self, folder: RunFolder) -> PretrainRun:
        """Train, or go on with the run that the folder holds."""
        record = self._record()
        checkpoint = None
        untrained = self._init is None and self._requested.word_start == "random"
        if folder.record is not None:
            check_same_run(folder.path, folder.record, record)
            checkpoint = folder.checkpoint()
        wished = self._requested
        samplers = [self._sampler(wished, length, "train") for _, length in wished.plan]
        net = self._model(checkpoint)
        net.checkpoint_layers(wished.gradient_checkpointing)  # before a step is timed
        if folder.record is not None:
            decided = ("max_steps", "eval_steps")
            settings = kept_settings(PretrainSettings, folder.path, folder.record, record, decided)
        else:
            settings = self._resolve(net, samplers)
        assert settings.max_steps is not None
        record["settings"] = settings.model_dump()
        shares = [share for share, _ in settings.plan]
        phases = make_phases(samplers, shares, settings.batch_tokens, settings.max_steps)
        self._say_what_is_trained(net, settings, samplers[0])
        held_out = self._sampler(settings, settings.plan[-1][1], "held_out", seed=0)
        judged = held_out.samples(0, min(settings.eval_examples, held_out.count(0)))
        task = FillMask(settings.objective)

        def describe(staging: Path, _predictions: Sequence[Prediction] | None) -> None:
            # A window knows nothing of a mask in another one, so what is too long is cut.
            write_task(staging, task, Reading(self._config.max_position_embeddings, "head", 0))

        keeper = FolderKeeper(folder, net, self._tokenizer, describe)
        with ExitStack() as stack:
            drawn = stack.enter_context(drawing_ahead(phases, settings.workers))
            trainer = Trainer(
                net,
                self._objective,
                PretrainFeed(phases, self._tokenizer, drawn),
                HeldOut(net, self._objective, judged, self._tokenizer, settings.precision),
                settings,
                folder.path,
                keeper,
                loss_at_start=self._objective.loss_at_start() if untrained and checkpoint is None else None,
                resume_from=None if checkpoint is None else checkpoint / TRAINING,
                speed=self._speed(settings),
            )
            if checkpoint is None:
                folder.write_run(record | {"finished": False})
            else:
                keeper.repair(trainer.state, checkpoint)
            outcome = trainer.run()
        if folder.record is not None and folder.record["finished"]:
            log.info("%s is finished already: nothing to do", folder.path)
        else:
            record |= outcome.summary()
            write_pretrain_card(folder.path, record, self._config, outcome, trainer.state.rows)
            folder.finish()
            folder.write_run(record)
        trainer.interruption.obey(f"stopped in the last step: the run in {folder.path} is finished")
        return PretrainRun(folder.path, outcome)

    def _sampler(self, settings: PretrainSettings, length: int, split: Any, seed: int | None = None) -> PretrainSampler:
        sampling = settings.sampling(length)
        return PretrainSampler(self._store, self._tokenizer, sampling, settings.seed if seed is None else seed, split)

    def _model(self, checkpoint: Path | None) -> BertWithHead:
        """Fresh weights, those of `init`, or those of a checkpoint of this run."""
        torch.manual_seed(self._requested.seed)
        source = checkpoint or self._init
        if source is None:
            net = self._objective.model_class(self._config)
            if self._requested.word_start == "counts":
                start_from_counts(net, self._store, self._requested.held_out)
        else:
            net = self._objective.model_class.load(source, **self._requested.dropout_values())
            assert net.load_report is not None
            log.info("%s", net.load_report.summary())
            if new := self._config.num_hidden_layers - net.config.num_hidden_layers:
                deepen(net, self._config.num_hidden_layers)
                log.info("new layers: %d on top of the model of --init, which change nothing at first", new)
        return net.to(self._device).train()

    def _resolve(self, net: BertWithHead, samplers: Sequence[PretrainSampler]) -> PretrainSettings:
        """The settings with everything decided that was left to the model and the machine."""
        wished, config = self._requested, self._config
        checkpointing = wished.gradient_checkpointing
        settings = wished.model_copy(
            update={
                "learning_rate": wished.learning_rate or default_pretraining_rate(config.hidden_size),
                "precision": resolve_precision(wished.precision, self._device),
                "micro_tokens": wished.micro_tokens
                or choose_micro_tokens(config, self._device, max_length=wished.longest, checkpointing=checkpointing),
            }
        )
        feed = PretrainFeed(make_phases(samplers[:1], [1.0], settings.batch_tokens, 1), self._tokenizer)
        steps = planned_steps(settings, feed, net, self._objective)
        log.info("%d steps planned", steps)
        return settings.model_copy(
            update={
                "max_steps": steps,
                "epochs": math.ceil(steps / feed.steps_per_epoch),
                "eval_steps": settings.eval_steps or max(steps // _EVALUATIONS, 1),
            }
        )

    def _speed(self, settings: PretrainSettings) -> Speed:
        length = sum(share * length for share, length in settings.plan)
        rate = matrix_rate(self._device, torch.bfloat16 if settings.precision == "bf16" else torch.float32)[0]
        return Speed(training_operations(self._config, length, settings.mask_share), rate * 1e9)

    def _record(self) -> dict[str, Any]:
        """What `run.json` says from the beginning."""
        return run_facts(self._objective.name, str(self._init or "from scratch"), self._device) | {
            "store": str(self._store.folder),
            "train_sha256": self._store.digest,
            "requested": self._requested.model_dump(mode="json"),
        }

    def _say_what_is_trained(self, net: BertWithHead, settings: PretrainSettings, sampler: PretrainSampler) -> None:
        config = self._config
        log.info(
            "%.1f million parameters: %d layers, %d wide, %d heads, %d tokens in the vocabulary",
            net.num_parameters() / 1e6, config.num_hidden_layers, config.hidden_size, config.num_attention_heads,
            config.vocab_size,
        )  # fmt: skip
        log.info("%d documents to learn from, about %d texts a pass", sampler.documents, sampler.count(0))
        examples = sampler.samples(0, min(_EXAMPLES_COUNTED, sampler.count(0)))
        cut = sum(one.tokens_cut for one in examples)
        if cut:
            share = 100 * cut / (cut + sum(len(one) for one in examples))
            log.info("about %.1f %% of the tokens do not fit into %d and are cut", share, sampler.settings.max_length)
        baseline = unigram_entropy(self._store, config.vocab_size)
        chance = f"; of a pair it guesses 50 % ({math.log(2):.3f})" if self._objective.pair_name else ""
        log.info("a model that knows only how often each token occurs has the MLM loss %.3f%s", baseline, chance)


def _check_start(init: Path, config: BertConfig, tokenizer: BertTokenizer, settings: PretrainSettings) -> None:
    """Refuse a checkpoint whose tables lack rows for the tokens, or for the second of two texts."""
    if len(tokenizer) > config.vocab_size:
        raise BertwrightError("BW325", model=init, tokens=len(tokenizer), rows=config.vocab_size)
    if settings.objective != "mlm" and config.type_vocab_size < 2:
        reason = Worded(
            "the model of --init knows no second text, mlm needs none", "--init 的模型只认单段文本；可用 mlm"
        )
        raise BertwrightError("BW102", key="objective", value=settings.objective, reason=reason)


def unigram_entropy(store: CorpusStore, vocab_size: int) -> float:
    """Entropy, in nats, of the tokens of a store one by one: the MLM loss of a model that reads no context."""
    counts = token_counts(store, vocab_size)
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log(shares)).sum())
