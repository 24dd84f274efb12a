"""What a CRF costs in training: a step of BERT with a CRF beside the same step with a softmax, and with pytorch-crf.

    python benchmarks/tagging_step.py [--rounds 9]

32 texts of 10 to 128 characters, 9 tags, a BERT of the given shape with random weights on the CPU; forward, backward
and the optimizer's step. Rounds are interleaved, medians and ratios are told.
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torchcrf import CRF

from bertwright import BertConfig, BertCrfForTokenClassification, BertForTokenClassification
from bertwright.data.ragged import Ragged

TAGS = ("O", "B-A", "I-A", "B-B", "I-B", "B-C", "I-C", "B-D", "I-D")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument("--width", type=int, default=384)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    warnings.filterwarnings("ignore", "where received a uint8 condition")  # of the peer
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=2000,
        hidden_size=options.width,
        num_hidden_layers=options.layers,
        num_attention_heads=12,
        intermediate_size=4 * options.width,
        id2label=dict(enumerate(TAGS)),
    )
    lengths = sorted(torch.randint(10, 129, (32,)).tolist())
    tokens = sum(lengths)
    positions = torch.cat([torch.arange(length) for length in lengths])
    batch = Ragged.of(torch.randint(5, 2000, (tokens,)), torch.zeros(tokens, dtype=torch.int64), positions, lengths)
    crf, softmax = BertCrfForTokenClassification(config), BertForTokenClassification(config)
    other = BertForTokenClassification(config)
    peer = CRF(len(TAGS), batch_first=True)
    tags = torch.zeros(tokens, dtype=torch.int64)
    tags[torch.rand(tokens) < 0.1] = 1

    def with_crf() -> torch.Tensor:
        return crf.crf.loss(crf.scores(batch), tags, batch.cu_seqlens)

    def with_softmax() -> torch.Tensor:
        return F.cross_entropy(softmax.scores(batch), tags)

    def with_peer() -> torch.Tensor:
        parts = torch.split(other.scores(batch), lengths)
        padded = torch.nn.utils.rnn.pad_sequence(list(parts), batch_first=True)
        gold = torch.nn.utils.rnn.pad_sequence(list(torch.split(tags, lengths)), batch_first=True)
        mask = torch.arange(padded.shape[1]) < torch.tensor(lengths)[:, None]
        return -peer(padded, gold, mask=mask) / tokens

    steps = {
        "softmax": step_of(with_softmax, [softmax]),
        "crf": step_of(with_crf, [crf]),
        "pytorch-crf": step_of(with_peer, [other, peer]),
    }
    times: dict[str, list[float]] = {name: [] for name in steps}
    for number in range(options.rounds + 1):
        for name, step in steps.items():
            started = time.perf_counter()
            step()
            if number:  # the first round warms up
                times[name].append(time.perf_counter() - started)
    for name, values in times.items():
        ratio = statistics.median(value / base for value, base in zip(values, times["softmax"]))
        print(f"{name}: {1e3 * statistics.median(values):.1f} ms a step, {ratio:.3f} times the softmax step")


def step_of(loss: Callable[[], torch.Tensor], modules: list[torch.nn.Module]) -> Callable[[], None]:
    """One step of training."""
    parameters = [parameter for module in modules for parameter in module.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=1e-5, fused=True)

    def step() -> None:
        loss().backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


if __name__ == "__main__":
    main()
