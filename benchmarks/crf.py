"""The CRF of this toolkit beside pytorch-crf, on the CPU: loss with gradients, and decoding. Ragged batches of 32.

    python benchmarks/crf.py [--rounds 15]

Both get the same scores and the same lengths (uniform from 1 to L, one of them L), the peer as a padded batch with a
mask. Rounds are interleaved; the ratio of each round is taken, and the medians are told. Answers are compared first.
Decoding in float32, which texts of up to 1,024 positions get, stands beside that in float64, which longer ones get.
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from collections.abc import Callable

import torch
from torchcrf import CRF

from bertwright.model.crf.linear_chain import LinearChainCrf

SHAPES = ((128, 9), (512, 31))  # longest sequence, tags
SEQUENCES = 32


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rounds", type=int, default=15)
    arguments.add_argument("--threads", type=int, default=2)
    options = arguments.parse_args()
    torch.set_num_threads(options.threads)
    warnings.filterwarnings("ignore", "where received a uint8 condition")  # of the peer
    for longest, tags in SHAPES:
        compare(longest, tags, options.rounds)


def compare(longest: int, tags: int, rounds: int) -> None:
    """Measure one shape and print a line for each of the two jobs."""
    generator = torch.Generator().manual_seed(longest)
    lengths = torch.randint(1, longest + 1, (SEQUENCES,), generator=generator)
    lengths[0] = longest
    mask = torch.arange(longest) < lengths[:, None]
    padded = torch.randn(SEQUENCES, longest, tags, generator=generator)
    gold = torch.randint(tags, (SEQUENCES, longest), generator=generator)
    cu_seqlens = torch.cat([torch.zeros(1, dtype=torch.int64), lengths.cumsum(0)]).int()
    ours, peer = LinearChainCrf(tags), CRF(tags, batch_first=True)
    for mine, theirs in zip(ours.parameters(), (peer.transitions, peer.start_transitions, peer.end_transitions)):
        torch.nn.init.normal_(mine, generator=generator)
        theirs.data.copy_(mine.data)

    padded_leaf = padded.clone().requires_grad_()
    ragged_leaf = padded[mask].clone().requires_grad_()

    def our_loss() -> torch.Tensor:
        loss = ours.negative_log_likelihood(ragged_leaf, gold[mask], cu_seqlens).sum()
        loss.backward()
        return loss.detach()

    def their_loss() -> torch.Tensor:
        loss = -peer(padded_leaf, gold, mask=mask)
        loss.backward()
        return loss.detach()

    ragged = padded[mask]
    assert torch.allclose(our_loss(), their_loss(), rtol=1e-5)
    assert ours.decode(ragged, cu_seqlens).tolist() == [tag for path in peer.decode(padded, mask=mask) for tag in path]
    shape = f"B = {SEQUENCES}, L = {longest}, C = {tags}"
    report(f"{shape}: loss, forward and backward", our_loss, their_loss, rounds)
    report(f"{shape}: decode", lambda: ours.decode(ragged, cu_seqlens), lambda: peer.decode(padded, mask=mask), rounds)
    double = ragged.double()
    assert ours.decode(ragged, cu_seqlens).equal(ours.decode(double, cu_seqlens))
    single, other = (lambda one=one: ours.decode(one, cu_seqlens) for one in (ragged, double))
    report(f"{shape}: decode in float32", single, other, rounds, peer="in float64")


def report(
    name: str, ours: Callable[[], object], theirs: Callable[[], object], rounds: int, peer: str = "pytorch-crf"
) -> None:
    """Interleave the two and print medians and their ratio."""
    mine, peers = [], []
    for round_number in range(rounds + 2):
        pair = (seconds(ours), seconds(theirs))
        if round_number >= 2:  # the first ones warm up
            mine.append(pair[0])
            peers.append(pair[1])
    ratio = statistics.median(theirs / ours for ours, theirs in zip(mine, peers))
    print(
        f"{name}: {1e3 * statistics.median(mine):.2f} ms, {peer} {1e3 * statistics.median(peers):.2f} ms, "
        f"{ratio:.1f} times as fast"
    )


def seconds(call: Callable[[], object]) -> float:
    """The wall time of one call."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
