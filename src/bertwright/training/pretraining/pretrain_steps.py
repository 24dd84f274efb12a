"""Steps of pre-training: which examples they read is a function of the step's number, whoever draws them."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from typing import Any

import numpy as np
import torch

from bertwright.corpus.drawing.sampler import PretrainExample, PretrainSampler
from bertwright.data.batches import split_by_tokens
from bertwright.errors import BertwrightError
from bertwright.tasks.pretraining import collate
from bertwright.text.tokenizer.tokenizer import BertTokenizer
from bertwright.training.steps import MicroBatch

_AHEAD = 4  # steps a worker has drawn or is drawing


@dataclass(frozen=True, slots=True)
class Phase:
    """Steps with examples of one length.

    Attributes:
        first_step: counted from 0.
        sampler: draws the examples.
        batch_size: examples of a step.
    """

    first_step: int
    sampler: PretrainSampler
    batch_size: int

    def examples(self, step: int) -> list[PretrainExample]:
        """Those of a step of this phase."""
        start = (step - self.first_step) * self.batch_size
        return self.sampler.samples(start, start + self.batch_size)


def make_phases(
    samplers: Sequence[PretrainSampler], shares: Sequence[float], batch_tokens: int, steps: int
) -> list[Phase]:
    """Phases one after the other over `steps` steps; a step reads about `batch_tokens` tokens in each."""
    firsts = [0, *(round(share * steps) for share in accumulate(shares))][: len(samplers)]
    return [
        Phase(first, sampler, max(batch_tokens // sampler.settings.max_length, 2))
        for first, sampler in zip(firsts, samplers)
    ]


def make_parts(examples: Sequence[PretrainExample], micro_tokens: int) -> Iterator[MicroBatch]:
    """The examples of a step in parts, equal lengths side by side."""
    lengths = np.array([len(one) for one in examples], dtype=np.int64)
    order = np.argsort(lengths, kind="stable")
    share = 1.0 / sum(len(one.labels) for one in examples)
    for members in split_by_tokens(order, lengths, micro_tokens):
        batch, targets = collate([examples[index] for index in members], share)
        yield MicroBatch(batch, targets, torch.full((len(members),), 1.0 / len(examples)), batch.num_tokens)


class PretrainSteps:
    """The steps of all phases."""

    def __init__(self, phases: Sequence[Phase], tokenizer: BertTokenizer, drawn: Drawn | None = None) -> None:
        """`drawn` has examples ready that other processes drew; without it they are drawn when they are needed."""
        self._phases, self._tokenizer, self._drawn = phases, tokenizer, drawn

    @property
    def steps_per_epoch(self) -> int:
        """Steps in a pass over the corpus, at the length of the first phase."""
        first = self._phases[0]
        return -(-first.sampler.count(0) // first.batch_size)

    def parts(self, step: int, micro_tokens: int) -> Iterator[MicroBatch]:
        """A step in parts of at most `micro_tokens` tokens."""
        yield from make_parts(self._examples(step), micro_tokens)

    def describe(self, step: int) -> list[dict[str, Any]]:
        """The examples of a step as text, masks in their places."""
        return [
            {"where": f"step {step}", "text": self._tokenizer.decode(one.input_ids)} for one in self._examples(step)
        ]

    def _examples(self, step: int) -> list[PretrainExample]:
        return examples_of(self._phases, step) if self._drawn is None else self._drawn.take(step)


def examples_of(phases: Sequence[Phase], step: int) -> list[PretrainExample]:
    """The examples of a step, whichever phase it is in."""
    phase = [one for one in phases if one.first_step <= step][-1]
    return phase.examples(step)


class Drawn:
    """Examples of the steps to come, drawn by other processes while this one computes."""

    def __init__(self, pool: ProcessPoolExecutor, workers: int) -> None:
        self._pool, self._ahead = pool, _AHEAD * workers
        self._waiting: dict[int, Future[list[PretrainExample]]] = {}

    def take(self, step: int) -> list[PretrainExample]:
        """Those of a step.

        Raises:
            BertwrightError: BW513 a process died.
        """
        try:
            for number in range(step, step + self._ahead):
                if number not in self._waiting:
                    self._waiting[number] = self._pool.submit(_draw, number)
            for number in [one for one in self._waiting if one < step]:
                del self._waiting[number]
            return self._waiting[step].result()
        except BrokenProcessPool as error:
            raise BertwrightError("BW513", reason=error) from error


@contextmanager
def drawing_ahead(phases: Sequence[Phase], workers: int) -> Iterator[Drawn | None]:
    """`workers` processes that draw; None without any."""
    if workers == 0:
        yield None
        return
    # Fresh processes: a fork would carry the threads' locks of this one with it.
    pool = ProcessPoolExecutor(workers, get_context("spawn"), _begin, (phases,))
    try:
        yield Drawn(pool, workers)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


_phases_of_worker: list[Phase] = []


def _begin(phases: Sequence[Phase]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; the parent decides
    threading.Thread(target=_end_with_parent, daemon=True).start()
    torch.set_num_threads(1)
    _phases_of_worker[:] = phases


def _end_with_parent() -> None:
    """A parent that was killed takes leave of nobody."""
    parent = parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)


def _draw(step: int) -> list[PretrainExample]:
    return examples_of(_phases_of_worker, step)
