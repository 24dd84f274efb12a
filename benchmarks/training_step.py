"""What a training step spends its time on, and what each fast path saves, beside the plain path in the same run.

    python benchmarks/training_step.py --data ../shared/data
    python benchmarks/training_step.py --data ../shared/data --precision bf16

The 6-layer checkpoint, batches of 32 texts of SST-2. Plain and fast in turn; times are those of the processor
(all threads together), which other work on the machine disturbs less than the clock; the ratio is the median over
the pairs. Both sides of a pair of whole steps get the same texts.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable, Iterator
from itertools import cycle, islice
from pathlib import Path
from unittest.mock import patch

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch
import torch.nn.functional as F
from torch import Tensor

from bertwright import BertForSequenceClassification, BertTokenizer
from bertwright.data.batches import epoch_order
from bertwright.data.ragged import Ragged
from bertwright.machine.freed_memory import freed_memory_kept
from bertwright.machine.precision import autocast
from bertwright.model.attention.attention import attend_by_runs
from bertwright.model.attention.grouped import attend_grouped
from bertwright.model.dropout import add_dropped
from checkpoints import checkpoint
from workloads import WORKLOADS

KINDS = {
    "matrix products": ("aten::mm", "aten::addmm"),
    "attention's products and softmax": ("aten::bmm", "aten::baddbmm", "softmax", "scaled_dot_product"),
    "activation": ("gelu",),
    "norms": ("layer_norm",),
    "optimizer and clipping": ("adam", "foreach_norm", "vector_norm", "Optimizer"),
    "random numbers and masks": ("bernoulli", "aten::ge", "randint", "random_"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds en/sst2")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--pairs", type=int, default=15)
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32", help="of the whole steps")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    batches = cycle(list(texts(options.data, 40)))
    print("| fast path | plain, ms | fast, ms | times faster |")
    print("|---|---|---|---|")
    for name, plain, fast in levers(options.data, batches, options.precision):
        pairs = [(processor_ms(plain), processor_ms(fast)) for _ in range(options.pairs + 2)][2:]
        slow, quick = (statistics.median(pair[i] for pair in pairs) for i in (0, 1))
        print(f"| {name} | {slow:.2f} | {quick:.2f} | {statistics.median(a / b for a, b in pairs):.2f} |", flush=True)
    print("\n| share of a step | before | after |\n|---|---|---|")
    before = shares(plain_step(options.data, options.precision), batches)
    with freed_memory_kept():
        after = shares(stepper(options.data, options.precision), batches)
    for kind in [*KINDS, "the rest"]:
        print(f"| {kind} | {before[kind]:.1%} | {after[kind]:.1%} |")


def texts(data: Path, count: int) -> Iterator[Ragged]:
    """Steps as training makes them: 32 texts in the order of the epoch, sorted by length."""
    examples = WORKLOADS["sst2"].examples(data)[0]
    tokenizer = BertTokenizer.from_pretrained(checkpoint("minilm", Path(), data))
    order = epoch_order(len(examples), 1, 0)
    for step in range(count):
        encoded = [tokenizer.encode(examples[index].text) for index in order[32 * step :][:32]]
        encoded.sort(key=len)
        lengths = [len(ids) for ids in encoded]
        ids = torch.tensor([index for one in encoded for index in one])
        yield Ragged.of(ids, ids * 0, torch.cat([torch.arange(length) for length in lengths]), lengths)


def levers(
    data: Path, batches: Iterator[Ragged], precision: str
) -> Iterator[tuple[str, Callable[[], object], Callable[[], object]]]:
    """Each fast path: its name, the plain way, the fast way."""
    batch = next(batches)
    tokens = batch.num_tokens
    hidden, other = (torch.randn(tokens, 384, requires_grad=True) for _ in range(2))
    above = torch.randn(tokens, 384)

    def dropped(way: Callable[[], Tensor]) -> None:
        torch.autograd.grad(way(), (hidden, other), above)

    yield (
        "dropout and residual, forward and backward",
        lambda: dropped(lambda: hidden + F.dropout(other, 0.1)),
        lambda: dropped(lambda: add_dropped(hidden, other, 0.1)),
    )
    qkv, gradient = torch.randn(tokens, 3, 12, 32, requires_grad=True), torch.randn(tokens, 12, 32)
    for probability in (0.1, 0.0):
        yield (
            f"attention of a layer, dropout {probability}, forward and backward",
            lambda p=probability: torch.autograd.grad(attend_by_runs(qkv, batch, p), qkv, gradient),  # type: ignore[misc]
            lambda p=probability: torch.autograd.grad(attend_grouped(qkv, batch, p), qkv, gradient),  # type: ignore[misc]
        )
    model = load(data)

    def encode(first_only: bool) -> None:
        model.zero_grad()
        model.head(model.bert.encode(batch, first_only=first_only), batch).sum().backward()

    yield "only the first token in the last layer, forward and backward", lambda: encode(False), lambda: encode(True)
    step, plain = stepper(data, precision), plain_step(data, precision)

    group: list[Ragged] = []

    def first(one: Callable[[Ragged], None]) -> None:
        nonlocal group
        group = list(islice(batches, 4))
        steps(one)

    def steps(one: Callable[[Ragged], None]) -> None:
        for texts in group:
            one(texts)

    def kept() -> None:
        with freed_memory_kept():
            steps(step)

    yield "freed memory kept, four whole steps", lambda: first(step), kept
    yield "all of them, four whole steps", lambda: first(plain), kept


def load(data: Path) -> BertForSequenceClassification:
    return BertForSequenceClassification.load(checkpoint("minilm", Path(), data), num_labels=2).train()


def stepper(data: Path, precision: str) -> Callable[[Ragged], None]:
    """A whole step of a model of its own."""
    model = load(data)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, weight_decay=0.01, fused=True)

    def step(batch: Ragged) -> None:
        with autocast(precision, model.device):
            loss = F.cross_entropy(model.scores(batch).float(), torch.arange(batch.batch_size) % 2)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()

    return step


def plain_step(data: Path, precision: str) -> Callable[[Ragged], None]:
    """A whole step without any fast path but that there are no pads."""
    step = stepper(data, precision)
    encoder = "bertwright.model.encoder."

    def plain(batch: Ragged) -> None:
        with (
            patch(encoder + "add_dropped", lambda residual, values, share: residual + F.dropout(values, share)),
            patch(encoder + "dropout", F.dropout),
            patch(encoder + "attend", attend_by_runs),
            patch.object(BertForSequenceClassification, "reads_first_only", False),
        ):
            step(batch)

    return plain


def processor_ms(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return 1000 * (time.process_time() - started)


def shares(step: Callable[[Ragged], None], batches: Iterator[Ragged]) -> dict[str, float]:
    """Of the time in operators, by kind."""
    for batch in islice(batches, 5):
        step(batch)
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        for batch in islice(batches, 20):
            step(batch)
    events = profile.key_averages()
    total = sum(event.self_cpu_time_total for event in events)
    result = {}
    for kind, marks in KINDS.items():
        found = [event for event in events if any(mark in event.key for mark in marks)]
        result[kind] = sum(event.self_cpu_time_total for event in found) / total
    return result | {"the rest": 1 - sum(result.values())}


if __name__ == "__main__":
    main()
