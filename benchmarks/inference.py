"""Answering beside `transformers`: tokens a second, interleaved, on texts that no side has seen before.

    python benchmarks/inference.py --data ../shared/data
    python benchmarks/inference.py --data ../shared/data --shapes minilm --lengths S --rounds 7

Sides: ours in fp32 and in bf16; `transformers` as people run it (fp32, order of arrival, batches of 32), sorted by
length in fp32, and sorted with its weights in bf16, each at its best batch size of a sweep before the first round.
Tokens are drawn, real lengths count, and every round has texts of its own: a matrix library that has met a shape before
is faster. The rates of matrix products are probed in the same run, and named with the processor.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch
import transformers
from numpy.typing import NDArray

from bertwright.engines.runner import Runner
from bertwright.engines.torch_engine import TorchEngine
from bertwright.machine.matrix_rate import matrix_rate
from bertwright.machine.processor import cpu_features, processor_name
from bertwright.model.models import BertForSequenceClassification
from bertwright.tasks.classification import Classification
from bertwright.text.tokenizer.encoded import Encoded
from checkpoints import checkpoint
from workloads import drawn_lengths

Tokens = list[NDArray[np.int64]]
Side = Callable[[Tokens], object]
SWEEP = (8, 32, 64)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds vocab/")
    parser.add_argument("--shapes", nargs="+", choices=["base", "minilm", "mini"], default=["base", "minilm", "mini"])
    parser.add_argument("--lengths", nargs="+", choices=["S", "M", "F"], default=["S", "M"])
    parser.add_argument("--tokens", type=int, default=6000, help="of a round, about")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--scratch", type=Path, default=Path("runs/benchmark-models"))
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    cpu = torch.device("cpu")
    rates = {name: matrix_rate(cpu, dtype)[0] for name, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16))}
    able = sorted(cpu_features() & {"avx2", "avx512_bf16", "avx512_vnni", "amx_bf16", "amx_int8"})
    print(json.dumps({"processor": processor_name(), "able": able, "threads": options.threads, "gflops": rates}))
    for shape in options.shapes:
        folder = checkpoint(shape, options.scratch, options.data)
        for lengths in options.lengths:
            print(json.dumps(measured(shape, folder, lengths, options)), flush=True)


def measured(shape: str, folder: Path, lengths: str, options: argparse.Namespace) -> dict[str, object]:
    """Tokens a second of every side, and how many times as fast as people run it."""
    everyone = sides(folder, texts(lengths, options.tokens, 0))
    speeds: dict[str, list[float]] = {name: [] for name in everyone}
    for round_number in range(1, options.rounds + 1):
        for name, side in everyone.items():
            tokens = texts(lengths, options.tokens, round_number)
            started = time.perf_counter()
            side(tokens)
            speeds[name].append(sum(map(len, tokens)) / (time.perf_counter() - started))
    as_run = speeds["transformers as people run it"]
    ratios = {name: [a / b for a, b in zip(found, as_run)] for name, found in speeds.items()}
    return {
        "shape": shape,
        "lengths": lengths,
        "tokens a second": {name: round(statistics.median(found)) for name, found in speeds.items()},
        "times as people run it": {
            name: [round(value, 2) for value in (statistics.median(found), min(found), max(found))]
            for name, found in ratios.items()
        },
    }


def texts(lengths: str, tokens: int, seed: int) -> Tokens:
    """Texts of about so many tokens in all, in no order; each begins with [CLS] and ends with [SEP]."""
    draw = np.random.default_rng((17, seed))
    mean = float(drawn_lengths(lengths, 4000).mean())
    found = drawn_lengths(lengths, max(8, round(tokens / mean)), seed)
    return [np.concatenate([[101], draw.integers(1000, 9000, length - 2), [102]]) for length in found.tolist()]


def sides(folder: Path, sample: Tokens) -> dict[str, Side]:
    """Each warmed up; the peers at their best batch size on a sample."""
    model = BertForSequenceClassification.load(folder, num_labels=2)
    peer = transformers.BertForSequenceClassification.from_pretrained(folder, num_labels=2).eval()
    peer_bf16 = transformers.BertForSequenceClassification.from_pretrained(folder, num_labels=2, dtype=torch.bfloat16)
    found: dict[str, Side] = {
        "ours fp32": ours(model, "fp32"),
        "ours bf16": ours(model, "bf16"),
        "transformers as people run it": lambda tokens: padded(peer, tokens, 32),
        "transformers fp32, sorted": best(peer, sample),
        "transformers bf16, sorted": best(peer_bf16.eval(), sample),
    }
    for side in found.values():
        side(sample[: len(sample) // 2])
    return found


def ours(model: BertForSequenceClassification, precision: str) -> Side:
    """The predictor's way from tokens to scores."""
    task = Classification(("no", "yes"))
    engine = TorchEngine(model, task, precision).sole()
    runner = Runner.of(engine, task)

    def answer(tokens: Tokens) -> object:
        return [one.softmax(-1) for one in runner.scores(list(map(encoded, tokens)))]

    return answer


def encoded(tokens: NDArray[np.int64]) -> Encoded:
    """Only the ids are read by a classifier."""
    size = len(tokens)
    nothing = np.zeros((size, 2), np.int32)
    return Encoded(tokens.astype(np.int32), np.zeros(size, np.uint8), nothing, nothing[:, 0], np.zeros(size, np.int8))


def best(model: torch.nn.Module, sample: Tokens) -> Side:
    """Sorted by length, at the batch size that was the quickest on the sample."""

    def seconds(size: int) -> float:
        started = time.perf_counter()
        padded(model, in_order(sample), size)
        return time.perf_counter() - started

    size = min(SWEEP, key=lambda one: min(seconds(one) for _ in range(2)))
    return lambda tokens: padded(model, in_order(tokens), size)


def in_order(tokens: Tokens) -> Tokens:
    return sorted(tokens, key=len, reverse=True)


def padded(model: torch.nn.Module, tokens: Sequence[NDArray[np.int64]], size: int) -> list[torch.Tensor]:
    """Probabilities, in batches of so many texts with pads, as a collator makes them."""
    answers = []
    with torch.inference_mode():
        for start in range(0, len(tokens), size):
            part = [torch.from_numpy(one) for one in tokens[start : start + size]]
            ids = torch.nn.utils.rnn.pad_sequence(part, batch_first=True)
            mask = torch.nn.utils.rnn.pad_sequence([torch.ones_like(one) for one in part], batch_first=True)
            answers.append(model(input_ids=ids, attention_mask=mask).logits.float().softmax(-1))
    return answers


if __name__ == "__main__":
    main()
