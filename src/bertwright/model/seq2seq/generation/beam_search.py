"""Writing one token after the other: greedily, by chance, or with several beginnings at once.

Shapes: n sources under way, R = n · beams rows, t tokens written, V vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from bertwright.model.seq2seq.generation.choosing import forbid, sampled
from bertwright.model.seq2seq.generation.decoder_memory import Memory
from bertwright.model.seq2seq.generation.generation_settings import GenerationSettings


@dataclass(frozen=True, slots=True)
class Output:
    """What was written from one source.

    Attributes:
        tokens: ids, the first and the last one included; where it does not end with the end token, it was cut off at
            `max_output_length`.
        score: beam search: the sum of the logarithms of the tokens' probabilities, divided by their number to the power
            of the length penalty; otherwise their mean.
    """

    tokens: Tensor
    score: float


def write_one(
    memory: Memory, count: int, start: int, end: int, settings: GenerationSettings, dice: Tensor | None
) -> list[Output]:
    """One beginning for each of `count` sources; sources that have ended leave the batch.

    `dice [count, max_output_length]` decide where tokens are drawn; without them the likeliest token is taken.
    """
    outputs: list[Output | None] = [None] * count
    open_ = torch.arange(count, device=memory.device)
    written = torch.full((count, 1), start, device=memory.device)
    total = torch.zeros(count, dtype=torch.float64, device=memory.device)
    while True:
        scores = forbid(memory.step(written[:, -1]).float(), written, settings, end)
        at = written.shape[1]
        token = scores.argmax(-1) if dice is None else sampled(scores, settings, dice[:, at])
        chosen = scores.gather(1, token[:, None]).squeeze(1) - scores.logsumexp(-1)
        total = total + chosen.double()
        written = torch.cat([written, token[:, None]], 1)
        done = (token == end) | (at + 1 >= settings.max_output_length)
        if not done.any():
            continue
        for row in done.nonzero().flatten().tolist():
            outputs[int(open_[row])] = Output(written[row].clone(), float(total[row]) / at)
        going = (~done).nonzero().flatten()
        if not len(going):
            return [one for one in outputs if one is not None]
        memory.keep(going)
        open_, written, total = open_[going], written[going], total[going]
        dice = None if dice is None else dice[going]


def write_beams(memory: Memory, count: int, start: int, end: int, settings: GenerationSettings) -> list[Output]:
    """The best of `num_beams` beginnings for each of `count` sources.

    Each step looks at twice as many continuations as there are beams, so that enough are left when some end. An ended
    one counts if it is among the best `num_beams` of the step; as many of those are kept. A source is done when no
    beginning, at its present length, would beat the worst of them, or, with `early_stopping`, when they are enough.

    Source: Wu et al. 2016, section 7, for scores by length; the rule of stopping is that of the peers.
    """
    beams, device = settings.num_beams, memory.device
    none = -1.0e30  # below every score, those of a negative length penalty, too
    outputs: list[Output | None] = [None] * count
    open_ = torch.arange(count, device=device)
    written = torch.full((count, beams, 1), start, device=device)
    running = torch.zeros(count, beams, device=device)
    running[:, 1:] = none  # all beginnings are alike at first: one of them goes on
    ended = torch.full((count, beams, settings.max_output_length), end, device=device)
    ended_score = torch.full((count, beams), none, device=device)
    has_ended = torch.zeros(count, beams, dtype=torch.bool, device=device)
    lengths = torch.zeros(count, beams, dtype=torch.int64, device=device)
    while True:
        at, n = written.shape[2], len(open_)
        scores = memory.step(written[:, :, -1].flatten()).float().log_softmax(-1)  # [R, V]
        scores = forbid(scores, written.flatten(0, 1), settings, end)
        vocabulary = scores.shape[1]
        found, place = best_of(scores.view(n, beams, vocabulary), running, 2 * beams)  # [n, 2 · beams]
        parent, token = place // vocabulary, place % vocabulary
        longer = torch.cat([_take(written, parent), token[:, :, None]], 2)
        ends = (token == end) | (at + 1 >= settings.max_output_length)

        # What ended, among the best: beside what had ended before, the best `beams` of both.
        ranked = torch.where(ends, found / at**settings.length_penalty, none)[:, :beams]
        merged, order = torch.cat([ended_score, ranked], 1).topk(beams)
        new = torch.full((n, beams, settings.max_output_length), end, device=device)
        new[:, :, : at + 1] = longer[:, :beams]
        ended = _take(torch.cat([ended, new], 1), order)
        lengths = torch.cat([lengths, torch.full((n, beams), at + 1, device=device)], 1).gather(1, order)
        has_ended = torch.cat([has_ended, ends[:, :beams]], 1).gather(1, order)
        ended_score = merged

        running, order = torch.where(ends, found + none, found).topk(beams)
        written, parent = _take(longer, order), parent.gather(1, order)

        best_to_come = running[:, 0] / at**settings.length_penalty
        worst = torch.where(has_ended, ended_score.amin(1, keepdim=True), none)
        hopeless = (best_to_come[:, None] <= worst).all(1)
        full = has_ended.all(1) if settings.early_stopping else torch.zeros_like(hopeless)
        done = hopeless | full | ends.all(1)
        memory.reorder((torch.arange(n, device=device)[:, None] * beams + parent).flatten())
        if not done.any():
            continue
        for row in done.nonzero().flatten().tolist():
            tokens = ended[row, 0, : int(lengths[row, 0])].clone()
            outputs[int(open_[row])] = Output(tokens, float(ended_score[row, 0]))
        going = (~done).nonzero().flatten()
        if not len(going):
            return [one for one in outputs if one is not None]
        memory.keep(going)
        open_, written, running = open_[going], written[going], running[going]
        ended, ended_score, has_ended, lengths = (one[going] for one in (ended, ended_score, has_ended, lengths))


def best_of(scores: Tensor, running: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The best `count` continuations of each source: their scores, and their places in `[beams · V]`.

    `scores [n, beams, V]` of the tokens, `running [n, beams]` of the beginnings.
    """
    summed = scores + running[:, :, None]
    return summed.flatten(1).topk(count)


def _take(values: Tensor, order: Tensor) -> Tensor:
    """`values [n, k, t]` in the order `[n, m]`: `[n, m, t]`."""
    return values.gather(1, order[:, :, None].expand(-1, -1, values.shape[2]))
