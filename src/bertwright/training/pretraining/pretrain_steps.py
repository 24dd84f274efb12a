"""Steps of pre-training: which examples they read is a function of the step's number, whoever draws them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate, count
from typing import Any

import numpy as np
import torch

from bertwright.corpus.drawing.sampler import PretrainExample, PretrainSampler
from bertwright.data.batches import split_by_tokens
from bertwright.errors import BertwrightError
from bertwright.machine.pool import Pool
from bertwright.tasks.pretraining import collate
from bertwright.text.tokenizer.tokenizer import BertTokenizer
from bertwright.training.steps import MicroBatch

_AHEAD = 4  # steps that a process has drawn or is drawing


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

    def __init__(
        self, phases: Sequence[Phase], tokenizer: BertTokenizer, pool: Pool[Sequence[Phase]] | None = None
    ) -> None:
        """`pool` draws the examples of the steps to come; without it they are drawn when they are needed."""
        self._phases, self._tokenizer = phases, tokenizer
        self._pool = pool or drawing_pool(phases, 0)
        self._step: int | None = None
        self._examples_of_step: list[PretrainExample] = []
        self._following: Iterator[list[PretrainExample]] = iter(())

    @property
    def steps_per_epoch(self) -> int:
        """Steps in a pass over the corpus, at the length of the first phase."""
        first = self._phases[0]
        return -(-first.sampler.count(0) // first.batch_size)

    def parts(self, step: int, micro_tokens: int) -> Iterator[MicroBatch]:
        """A step in parts of at most `micro_tokens` tokens.

        Raises:
            BertwrightError: BW513 a process that draws examples died.
        """
        yield from make_parts(self._examples(step), micro_tokens)

    def describe(self, step: int) -> list[dict[str, Any]]:
        """The examples of a step as text, masks in their places."""
        return [
            {"where": f"step {step}", "text": self._tokenizer.decode(one.input_ids)} for one in self._examples(step)
        ]

    def _examples(self, step: int) -> list[PretrainExample]:
        if step != self._step:
            if self._step is None or step != self._step + 1:
                self._following = self._pool.map(examples_of, zip(count(step)))
            self._examples_of_step = next(self._following)
            self._step = step
        return self._examples_of_step


def examples_of(phases: Sequence[Phase], step: int) -> list[PretrainExample]:
    """The examples of a step, whichever phase it is in."""
    phase = [one for one in phases if one.first_step <= step][-1]
    return phase.examples(step)


def drawing_pool(phases: Sequence[Phase], processes: int) -> Pool[Sequence[Phase]]:
    """Processes that draw the examples of steps while this one computes."""
    return Pool(
        partial(list, phases), processes, ahead=_AHEAD, died=lambda error: BertwrightError("BW513", reason=error)
    )
