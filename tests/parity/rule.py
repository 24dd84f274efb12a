"""When two runs of the same arithmetic count as equal, written once."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

RELATIVE = 1e-5


def assert_equal_scores(ours: Tensor, peer: Tensor, exact: Callable[[], Tensor], what: str = "logits") -> None:
    """max |Δ| ≤ 1e-5 · max(1, max |peer|), or no farther from a float64 run than twice the peer's own error.

    `exact` is called only where the first half of the rule does not hold.
    """
    largest = float(peer.detach().abs().max()) if peer.numel() else 0.0
    _assert_within(RELATIVE * max(1.0, largest), ours, peer, exact, what)


def assert_equal_gradient(
    ours: Tensor, peer: Tensor, exact: Callable[[], Tensor], what: str, fused: Callable[[], Tensor] | None = None
) -> None:
    """The same rule, with the scale of that gradient.

    `fused` is the peer's gradient with the attention that its users get (one fused call, as ours, whose backward
    rounds otherwise than the eager one of the oracle): the peer's own error is the larger of the two.
    """
    _assert_within(RELATIVE * float(peer.detach().abs().max()), ours, peer, exact, what, fused)


def _assert_within(
    limit: float,
    ours: Tensor,
    peer: Tensor,
    exact: Callable[[], Tensor],
    what: str,
    fused: Callable[[], Tensor] | None = None,
) -> None:
    assert ours.shape == peer.shape, f"{what}: ours {list(ours.shape)}, the peer's {list(peer.shape)}"
    assert torch.isfinite(ours).all(), f"{what}: ours is not finite everywhere"
    if not ours.numel() or _distance(ours, peer) <= limit:
        return
    truth = exact()
    our_error, peer_error = _distance(ours, truth), _distance(peer, truth)
    if fused is not None and our_error > 2 * peer_error:
        peer_error = max(peer_error, _distance(fused(), truth))
    assert our_error <= 2 * peer_error, (
        f"{what}: max |Δ| to the peer {_distance(ours, peer):.3g} > {limit:.3g}, "
        f"and to float64: ours {our_error:.3g} > 2 × the peer's {peer_error:.3g}"
    )


def _distance(one: Tensor, other: Tensor) -> float:
    return float((one.detach().double() - other.detach().double()).abs().max())
