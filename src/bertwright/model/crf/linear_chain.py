"""`LinearChainCrf`: the score of a whole sequence of tags, its probability, and the best one.

Lafferty, McCallum and Pereira 2001; for tagging with neural emissions Lample et al. 2016, section 2.2.

Shapes: T positions in the batch, B sequences, C tags, N spans.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from bertwright.errors import BertwrightError
from bertwright.model.crf.layout import Layout
from bertwright.model.crf.sums import messages
from bertwright.model.crf.viterbi import best_paths

_LONGEST_IN_FLOAT32 = 1024  # positions that `decode` sums in float32, which is up to half again as fast


class LinearChainCrf(nn.Module):
    """A distribution over the tags of a sequence, given a score for every tag at every position.

    Batches are ragged: `emissions [T, C]` of all sequences end to end, `cu_seqlens [B + 1]` says where each begins.
    What is to be ignored is left out before; a sequence may be empty. The parameters start at zero, where the CRF
    is a softmax at every position. Whatever the type of the emissions (under autocast, too), sums are computed in
    float64, or in float32 on devices without it.

    Args:
        num_tags: C.
        allowed: `[C, C]` bool, whether a tag (row) may be followed by another (column); None: all may.
        allowed_start, allowed_end: `[C]` bool, whether a sequence may begin and end with the tag.

    Attributes:
        transitions: `[C, C]` score of a tag (row) followed by another (column).
        start_transitions, end_transitions: `[C]` score of a sequence that begins and ends with the tag.

    Raises:
        BertwrightError: BW543 for `num_tags` below 1, BW420 for a mask of another shape.
    """

    allowed: Tensor
    allowed_start: Tensor
    allowed_end: Tensor

    def __init__(
        self,
        num_tags: int,
        *,
        allowed: Tensor | None = None,
        allowed_start: Tensor | None = None,
        allowed_end: Tensor | None = None,
    ) -> None:
        super().__init__()
        if num_tags < 1:
            raise BertwrightError("BW543", count=num_tags)
        self.num_tags = num_tags
        self.transitions = nn.Parameter(torch.zeros(num_tags, num_tags))
        self.start_transitions = nn.Parameter(torch.zeros(num_tags))
        self.end_transitions = nn.Parameter(torch.zeros(num_tags))
        self.forbid(allowed, allowed_start, allowed_end)

    def forbid(
        self, allowed: Tensor | None = None, allowed_start: Tensor | None = None, allowed_end: Tensor | None = None
    ) -> None:
        """Say which tags may follow which, begin and end; None allows all. The masks are not saved with the weights.

        Raises:
            BertwrightError: BW420 a mask of another shape than `[C, C]` or `[C]`.
        """
        shape = (self.num_tags, self.num_tags)
        device = self.transitions.device
        masks = {"allowed": (allowed, shape), "allowed_start": (allowed_start, shape[:1])}
        for name, (mask, expected) in (masks | {"allowed_end": (allowed_end, shape[:1])}).items():
            mask = torch.ones(expected, dtype=torch.bool, device="cpu") if mask is None else mask.bool()
            if mask.shape != expected:
                raise BertwrightError("BW420", what=name, shape=list(mask.shape), expected=list(expected))
            # A module that is built without memory still knows what is allowed.
            self.register_buffer(name, mask.to("cpu" if device.type == "meta" else device), persistent=False)

    def loss(self, emissions: Tensor, tags: Tensor, cu_seqlens: Tensor) -> Tensor:
        """The negative log-likelihood of `tags [T]`, a mean over all positions: a scalar, never negative.

        Raises:
            BertwrightError: as `negative_log_likelihood`.
        """
        return self.negative_log_likelihood(emissions, tags, cu_seqlens).sum() / max(len(tags), 1)

    def negative_log_likelihood(self, emissions: Tensor, tags: Tensor, cu_seqlens: Tensor) -> Tensor:
        """`[B]` of each whole sequence; 0 for an empty one.

        Raises:
            BertwrightError: BW420 a shape; BW440 tags with fractions; BW540 a tag that is not in [0, C); BW541 a path
                that is not allowed; BW542 a negative value, which no correct computation gives.
        """
        self._check(emissions, cu_seqlens)
        if tags.shape != emissions.shape[:1]:
            raise BertwrightError("BW420", what="tags", shape=list(tags.shape), expected=[len(emissions)])
        if tags.is_floating_point():
            raise BertwrightError("BW440", dtype=str(tags.dtype).removeprefix("torch."))
        if not len(tags):
            return emissions.new_zeros(len(cu_seqlens) - 1) + 0 * emissions.sum()
        lowest, highest = int(tags.min()), int(tags.max())
        if lowest < 0 or highest >= self.num_tags:
            raise BertwrightError("BW540", tag=lowest if lowest < 0 else highest, highest=self.num_tags - 1)
        layout = Layout(cu_seqlens, emissions.device)
        values: Tensor = _NegativeLogLikelihood.apply(  # type: ignore[no-untyped-call]
            emissions, *self._scores(), tags.long(), layout
        )
        self._check_values(values.detach(), tags, layout)
        return values.clamp(min=0.0).to(torch.promote_types(emissions.dtype, torch.float32))

    @torch.no_grad()
    def decode(self, emissions: Tensor, cu_seqlens: Tensor) -> Tensor:
        """`[T]` int64: the most probable tags of each sequence. On the device of the emissions, without a loop over B.

        Raises:
            BertwrightError: BW420 a shape.
        """
        self._check(emissions, cu_seqlens)
        if not len(emissions):
            return torch.zeros(0, dtype=torch.int64, device=emissions.device)
        layout = Layout(cu_seqlens, emissions.device)
        # The score of a path grows with it: in float32 the best one of some thousand positions drowns in rounding.
        is_long = layout.sorted_lengths[0] > _LONGEST_IN_FLOAT32 and emissions.device.type != "mps"
        kind = torch.promote_types(emissions.dtype, torch.float64 if is_long else torch.float32)
        transitions, start, end = (scores.to(kind) for scores in self._scores())
        return best_paths(emissions.detach().to(kind), transitions, start, end, layout)

    @torch.no_grad()
    def marginals(self, emissions: Tensor, cu_seqlens: Tensor) -> Tensor:
        """`[T, C]`: the probability of each tag at each position, over all sequences of tags.

        Raises:
            BertwrightError: BW420 a shape.
        """
        self._check(emissions, cu_seqlens)
        kind = torch.promote_types(emissions.dtype, torch.float32)
        if not len(emissions):
            return emissions.to(kind)
        layout = Layout(cu_seqlens, emissions.device)
        return messages(emissions.detach(), *self._scores(), layout).marginals().to(kind)

    @torch.no_grad()
    def span_probabilities(self, emissions: Tensor, cu_seqlens: Tensor, spans: SpanPaths) -> Tensor:
        """`[N]` float64: the exact probability of each span, with its tags and with both of its boundaries.

        The sum is over all tags outside the span that its boundaries allow.

        Raises:
            BertwrightError: BW420 a shape.
        """
        self._check(emissions, cu_seqlens)
        if not len(spans.begins):
            return torch.zeros(0, dtype=torch.float64, device=emissions.device)
        layout = Layout(cu_seqlens, emissions.device)
        kind = torch.float32 if emissions.device.type == "mps" else torch.float64
        transitions, start, end = (scores.to(kind) for scores in self._scores())
        emissions = emissions.detach().to(kind)
        found = messages(emissions, transitions, start, end, layout)
        return _probabilities(found.logarithms(), found.log_z, emissions, transitions, spans, layout)

    def _scores(self) -> tuple[Tensor, Tensor, Tensor]:
        """The parameters, -inf where something is not allowed."""
        return (
            self.transitions.masked_fill(~self.allowed, -torch.inf),
            self.start_transitions.masked_fill(~self.allowed_start, -torch.inf),
            self.end_transitions.masked_fill(~self.allowed_end, -torch.inf),
        )

    def _check(self, emissions: Tensor, cu_seqlens: Tensor) -> None:
        if emissions.dim() != 2 or emissions.shape[1] != self.num_tags:
            expected = f"[T, {self.num_tags}]"
            raise BertwrightError("BW420", what="emissions", shape=list(emissions.shape), expected=expected)
        bounds = cu_seqlens.tolist() if cu_seqlens.dim() == 1 else []
        falls = any(left > right for left, right in zip(bounds, bounds[1:]))
        if not bounds or bounds[0] != 0 or bounds[-1] != len(emissions) or falls:
            expected = f"[B + 1], 0 to {len(emissions)}"
            raise BertwrightError("BW420", what="cu_seqlens", shape=list(cu_seqlens.shape), expected=expected)

    def _check_values(self, values: Tensor, tags: Tensor, layout: Layout) -> None:
        """An infinite or a negative loss is told; one that is no number is left to whoever watches the training."""
        # Two sums of nearly the same size are subtracted: what their rounding leaves is no mistake.
        tolerance = 1e-6 if values.dtype == torch.float64 else 1e-3
        worst = float(values.min())
        if worst < -tolerance * (1 + layout.sorted_lengths[0]):
            raise BertwrightError("BW542", value=worst)
        if torch.isposinf(values).any():
            wrong = ~self.allowed[tags[:-1], tags[1:]] & ~layout.is_last[:-1]
            first, last = layout.firsts, layout.lasts
            if wrong.any():
                at = int(wrong.nonzero()[0])
                what = f"{int(tags[at])} → {int(tags[at + 1])}"
            elif (~self.allowed_start[tags[first]]).any():
                what = f"→ {int(tags[first][~self.allowed_start[tags[first]]][0])}"
            elif (~self.allowed_end[tags[last]]).any():
                what = f"{int(tags[last][~self.allowed_end[tags[last]]][0])} →"
            else:
                return
            raise BertwrightError("BW541", what=what)


@dataclass(frozen=True, slots=True)
class SpanPaths:
    """N spans, each with the tags of its positions and with what may stand beside it.

    Attributes:
        begins: `[N]` int64 the first position of each span, counted through the batch.
        lengths: `[N]` int64 positions of each.
        tags: `[sum of lengths]` int64: their tags, span after span.
        before: `[N, C]` bool: the tags that the position before the span may have.
        after: `[N, C]` bool: those that the position after it may have.
    """

    begins: Tensor
    lengths: Tensor
    tags: Tensor
    before: Tensor
    after: Tensor


class _NegativeLogLikelihood(torch.autograd.Function):
    """`[B]` from emissions `[T, C]` and parameters; the gradient is that of forward and backward messages."""

    @staticmethod
    def forward(
        ctx: Any, emissions: Tensor, transitions: Tensor, start: Tensor, end: Tensor, tags: Tensor, layout: Layout
    ) -> Tensor:
        found = messages(emissions, transitions, start, end, layout)
        kind = found.log_z.dtype
        path = emissions.to(kind).gather(1, tags[:, None])[:, 0]  # [T], what each position adds to the path's score
        steps = transitions.to(kind)[tags[:-1], tags[1:]]  # [T - 1]
        path[1:] += torch.where(layout.is_last[:-1], 0.0, steps)
        path += torch.where(layout.is_first, start.to(kind)[tags], 0.0)
        path += torch.where(layout.is_last, end.to(kind)[tags], 0.0)
        ctx.found, ctx.tags, ctx.layout = found, tags, layout
        ctx.kinds = [scores.dtype for scores in (emissions, transitions, start, end)]
        return found.log_z - layout.sums(path)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, outer: Tensor) -> tuple[Tensor | None, ...]:
        layout, tags = ctx.layout, ctx.tags
        weights = outer.to(ctx.found.log_z.dtype)[layout.sequence_of]  # [T]
        at_tags = ctx.found.marginals()  # [T, C]
        at_tags.scatter_add_(1, tags[:, None], at_tags.new_full((len(tags), 1), -1.0))
        at_tags *= weights[:, None]
        count = at_tags.shape[1]
        seen = at_tags.new_zeros(count * count)  # [C·C]
        seen.index_add_(0, tags[:-1] * count + tags[1:], torch.where(layout.is_last[:-1], 0.0, weights[1:]))
        moves = ctx.found.pairs(weights) - seen.view(count, count)  # [C, C]
        grads = (at_tags, moves, at_tags[layout.is_first].sum(0), at_tags[layout.is_last].sum(0))
        return *(grad.to(kind) for grad, kind in zip(grads, ctx.kinds)), None, None


def _probabilities(
    logarithms: tuple[Tensor, Tensor],
    log_z: Tensor,
    emissions: Tensor,
    transitions: Tensor,
    spans: SpanPaths,
    layout: Layout,
) -> Tensor:
    """What stands before each span times its own path times what stands after it, over all paths."""
    before, after = logarithms
    begins, lasts = spans.begins, spans.begins + spans.lengths - 1  # [N], positions in the batch
    # Of all positions in spans, P of them: the span of each, and how far it is from the span's first.
    span_of = torch.repeat_interleave(spans.lengths)  # [P]
    starts = spans.lengths.cumsum(0) - spans.lengths  # [N]
    place = torch.arange(len(span_of), device=span_of.device) - starts[span_of]  # [P]
    path = emissions[begins[span_of] + place, spans.tags]  # [P]
    steps = transitions[spans.tags[:-1], spans.tags[1:]]  # [P - 1]
    path[1:] += torch.where(place[1:] > 0, steps, 0.0)
    total = path.new_zeros(len(begins)).index_add_(0, span_of, path)  # [N]
    first, last = spans.tags[starts], spans.tags[starts + spans.lengths - 1]  # [N]

    left = before[begins, first]  # [N], where the span begins its sequence
    inside = ~layout.is_first[begins]
    ahead = (before + emissions)[begins - 1].masked_fill(~spans.before, -torch.inf)  # [N, C]
    left = torch.where(inside, (ahead + transitions[:, first].T).logsumexp(1), left)
    right = after[lasts, last]  # [N], where the span ends its sequence
    inside = ~layout.is_last[lasts]
    behind = (after + emissions)[(lasts + 1).clamp(max=len(emissions) - 1)].masked_fill(~spans.after, -torch.inf)
    right = torch.where(inside, (behind + transitions[last]).logsumexp(1), right)
    return (left + total + right - log_z[layout.sequence_of[begins]]).exp().to(torch.float64)
