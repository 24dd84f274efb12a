"""The reference: a linear-chain CRF over one sequence, as the paper has it. The others are tested against it.

Straight recursions in logarithms (Lafferty, McCallum and Pereira 2001; Sutton and McCallum 2012, section 4.1).

Shapes: S positions, C tags.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class PlainCrf:
    """Scores of one sequence of at least one position; minus infinity forbids.

    Attributes:
        emissions: `[S, C]` of each tag at each position.
        transitions: `[C, C]` of a tag (row) followed by another (column).
        start, end: `[C]` of a sequence that begins and ends with the tag.
    """

    emissions: Tensor
    transitions: Tensor
    start: Tensor
    end: Tensor

    def path_score(self, tags: list[int]) -> Tensor:
        """Of the S `tags`: the logarithm of their probability, but for `log_partition`."""
        score = self.start[tags[0]] + self.end[tags[-1]]
        score = score + sum(self.emissions[position, tag] for position, tag in enumerate(tags))
        return score + sum(self.transitions[left, right] for left, right in zip(tags, tags[1:]))

    def forward_messages(self) -> Tensor:
        """`[S, C]`: log of the sum over all beginnings that end with the tag, its emission included."""
        alpha = [self.start + self.emissions[0]]
        for emission in self.emissions[1:]:
            alpha.append((alpha[-1][:, None] + self.transitions).logsumexp(0) + emission)  # [from, to] to [to]
        return torch.stack(alpha)

    def backward_messages(self) -> Tensor:
        """`[S, C]`: log of the sum over all ends that follow the tag, its emission left out."""
        beta = [self.end]
        for emission in self.emissions[1:].flip(0):
            beta.append((self.transitions + emission + beta[-1]).logsumexp(1))  # [from, to] to [from]
        return torch.stack(beta[::-1])

    def log_partition(self) -> Tensor:
        """The logarithm of the sum over all paths."""
        return (self.forward_messages()[-1] + self.end).logsumexp(0)

    def marginals(self) -> Tensor:
        """`[S, C]`: the probability of each tag at each position."""
        return (self.forward_messages() + self.backward_messages() - self.log_partition()).exp()

    def best_path(self) -> list[int]:
        """The tags of the path with the highest score (Viterbi 1967)."""
        best, led_from = self.start + self.emissions[0], []
        for emission in self.emissions[1:]:
            best, origin = (best[:, None] + self.transitions).max(0)  # [from, to] to [to]
            best = best + emission
            led_from.append(origin)
        tags = [int((best + self.end).argmax())]
        for origin in reversed(led_from):
            tags.append(int(origin[tags[-1]]))
        return tags[::-1]
