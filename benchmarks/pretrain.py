"""Real tokens per second of a step of pre-training, beside `transformers` in the same run, step by step in turn.

    python benchmarks/pretrain.py --data ../shared/data
    python benchmarks/pretrain.py --fast-paths        (each beside its plain form, and nothing else)

Pairs of English Wikipedia with their masks, drawn once from a store that is made here, the same for every system. Of
three kinds: `W`, lengths as `drawn_lengths` has them (mean 255 of at most 512; for each the pair of that length is
looked for in a pool); `stream`, as our sampler draws them at maximum 512 (nearly full); `F`, all of 512.

Systems, each with forward, backward, clipping and fused AdamW over the same step, from examples to new weights:

* `ours`: what `bertwright pretrain` does: no pads, the head on masked tokens, in parts that fit the memory.
* `ordinary`: `BertForPreTraining` as its documentation calls it: padded to the longest of the step, all logits.
* `best`: the same model written by hand for speed: the step sorted by length and cut into parts of few pads, labels
  gathered, so that the head runs on masked tokens only. Into how many parts, and with which attention, is what is
  quickest in a step of each before the rounds.

First the gate: with the same weights and no dropout, the losses of the three must be equal within 1e-5. Then every
round runs each system on one step, another one first in every round; the ratio is the median over rounds of the round's
own ratio, with quartiles. Times
are those of the clock and, beside it, of the processor (all threads together), which other work on the machine
disturbs less. A finished shape is in `--results`, and is not measured again.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch
import torch.nn.functional as F
import transformers
from torch import Tensor

from bertwright import BertForPreTraining, BertTokenizer
from bertwright.checkpoint.replacing import write_text
from bertwright.corpus.drawing.sampler import PretrainExample, PretrainSampler
from bertwright.corpus.drawing.sampling_settings import SamplingSettings
from bertwright.corpus.prepare import prepare_corpus
from bertwright.corpus.prepare_settings import PrepareSettings
from bertwright.corpus.store import CorpusStore
from bertwright.data.ragged import Ragged
from bertwright.machine.matrix_rate import matrix_rate
from bertwright.machine.precision import autocast, resolve_precision
from bertwright.model.attention.attention import AttentionPath, attend_by_runs
from bertwright.model.attention.grouped import attend_grouped
from bertwright.model.shapes import SHAPES
from bertwright.model.vocabulary_loss import plain_loss, vocabulary_loss
from bertwright.tasks.pretraining import PreTraining
from bertwright.training.micro_tokens import choose_micro_tokens
from bertwright.training.optimizer import make_optimizers
from bertwright.training.pretraining.pretrain_settings import PretrainSettings
from bertwright.training.pretraining.pretrain_steps import make_parts
from prepare import text_of
from training_step import processor_ms
from workloads import drawn_lengths, histogram

CPU = torch.device("cpu")
MAX_LENGTH = 512
WAYS = [(parts, attention) for parts in (1, 2, 4, 8) for attention in ("sdpa", "eager")]  # of `best`
TOLERANCE = 1e-5
SETTINGS = PretrainSettings(learning_rate=1e-4)
Step = list[PretrainExample]
System = Callable[[Step], Tensor]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="the folder that holds pretrain/ and vocab/")
    parser.add_argument("--results", type=Path, help="a JSON file that takes what is measured, and is gone on with")
    parser.add_argument("--shapes", nargs="+", default=["tiny", "mini", "base"], choices=list(SHAPES))
    parser.add_argument("--kinds", nargs="+", default=["W", "F"], choices=["W", "stream", "F"])
    parser.add_argument("--precisions", nargs="+", choices=["fp32", "bf16"], help="default: those the processor has")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--pairs", type=int, default=16, help="pairs of texts in a step")
    parser.add_argument("--dropout", type=float, default=0.1, help="of every system; the gate has none")
    parser.add_argument("--megabytes", type=int, default=8, help="of Wikipedia")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--fast-paths", action="store_true", help="only the loss of masked tokens, and attention")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    transformers.utils.logging.disable_progress_bar()
    able = ["fp32", "bf16"] if resolve_precision("auto", CPU) == "bf16" else ["fp32"]
    if "bf16" not in able:
        print("this processor has no instructions for bf16: only fp32, unless --precisions says otherwise")
    if options.fast_paths:
        measure_fast_paths(options.shapes, options.precisions or able, options.rounds)
        return
    if options.data is None:
        parser.error("--data FOLDER is missing")
    results: dict[str, Any] = {}
    if options.results and options.results.exists():
        results = json.loads(options.results.read_text(encoding="utf-8"))
    drawn: dict[str, Step] = {}
    for shape in options.shapes:
        for precision in options.precisions or able:
            for kind in options.kinds:
                key = f"{shape} {precision} {kind} {options.pairs}"  # of other settings another file is to be named
                if key not in results:
                    drawn = drawn or draw(options.data, options.megabytes, options.pairs * options.rounds)
                    results[key] = measure(shape, precision, drawn[kind], options)
                    if options.results:
                        write_text(options.results, json.dumps(results, indent=2) + "\n")
                print(row(key, results[key]), flush=True)
    print(f"\n{HEADER}")
    print("\n".join(row(key, result) for key, result in results.items()))


# The texts


def draw(data: Path, megabytes: int, count: int) -> dict[str, Step]:
    """At least `count` pairs of each kind."""
    vocab = data / "vocab" / "bert-base-uncased"
    tokenizer = BertTokenizer.from_pretrained(vocab)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "en.txt"
        file.write_bytes(text_of(data, "en", megabytes * 1_000_000))
        prepare_corpus([file], vocab, Path(folder) / "store", PrepareSettings(), workers=1)
        store = CorpusStore.open(Path(folder) / "store", tokenizer)
        started = time.perf_counter()
        samplers = {
            share: PretrainSampler(store, tokenizer, SamplingSettings(max_length=MAX_LENGTH, short_share=share))
            for share in (SETTINGS.short_share, 1.0)
        }
        pools = {share: sampler.samples(0, sampler.count(0)) for share, sampler in samplers.items()}
        seconds = time.perf_counter() - started
    tokens = sum(len(one) for pool in pools.values() for one in pool)
    stream = pools[SETTINGS.short_share]
    everything = sorted([*stream, *pools[1.0]], key=len)
    lengths = np.array([len(one) for one in everything])
    order = np.random.default_rng(0).permutation(int((lengths == MAX_LENGTH).sum()))
    full = len(everything) - len(order)
    kinds = {
        "W": nearest(everything, lengths, drawn_lengths("W", count)),
        "stream": stream[:count],
        "F": [everything[full + int(index)] for index in order[:count]],
    }
    print(f"drawing, one process, before any step: {tokens / seconds:,.0f} tokens/s, not part of the times below")
    for kind, examples in kinds.items():
        masked = sum(len(one.labels) for one in examples) / sum(map(len, examples))
        random = sum(one.next_sentence_label for one in examples) / len(examples)
        print(f"{kind}: {histogram([len(one) for one in examples])}, {masked:.1%} masked, {random:.1%} random pairs")
    return kinds


def nearest(pool: Step, lengths: np.ndarray[Any, Any], wanted: np.ndarray[Any, Any]) -> Step:
    """For each length a pair of the pool that comes next to it, none of them twice. `pool` is sorted by length."""
    free = np.ones(len(pool), dtype=np.bool_)
    found = []
    for length in wanted:
        index = int(np.argmin(np.where(free, np.abs(lengths - length), MAX_LENGTH)))
        free[index] = False
        found.append(pool[index])
    return found


# The systems


def make_ours(model: BertForPreTraining, precision: str) -> System:
    """The step of `training.loop`, without its records."""
    optimizers = make_optimizers(model, SETTINGS)
    micro = choose_micro_tokens(model.config, CPU, max_length=MAX_LENGTH, checkpointing=False)
    objective = PreTraining("mlm+nsp", model.config.vocab_size)

    def step(examples: Step) -> Tensor:
        total = torch.zeros(())
        for part in make_parts(examples, micro):
            with autocast(precision, CPU):
                loss = objective.loss(model, part.batch, part.targets, part.weights)["loss"]
            loss.backward()
            total += loss.detach()
        torch.nn.utils.clip_grad_norm_(model.parameters(), SETTINGS.max_grad_norm)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
        return total

    return step


def make_peer(model: transformers.BertForPreTraining, precision: str, parts: int | None = None) -> System:
    """`ordinary`, or `best` in so many parts."""
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=1e-4, betas=(0.9, SETTINGS.beta2), weight_decay=SETTINGS.weight_decay, fused=True
    )

    def ordinary(examples: Step) -> Iterator[Tensor]:
        ids, mask, types, labels, order = padded(examples)
        yield model(ids, mask, types, labels=labels, next_sentence_label=order).loss

    def best(examples: Step) -> Iterator[Tensor]:
        ordered = sorted(examples, key=len)
        masked = sum(len(one.labels) for one in examples)
        for members in np.array_split(np.arange(len(ordered)), parts or 1):
            ids, mask, types, labels, order = padded([ordered[index] for index in members])
            output = model.bert(ids, mask, types)
            chosen = labels.flatten() >= 0
            hidden = output.last_hidden_state.flatten(0, 1)[chosen]
            scores = model.cls.predictions(hidden)
            mlm = F.cross_entropy(scores.float(), labels.flatten()[chosen], reduction="sum") / masked
            follows = model.cls.seq_relationship(output.pooler_output)
            yield mlm + F.cross_entropy(follows.float(), order, reduction="sum") / len(examples)

    losses = ordinary if parts is None else best

    def step(examples: Step) -> Tensor:
        total, parts_of_step = torch.zeros(()), losses(examples)
        while True:
            with autocast(precision, CPU):
                loss = next(parts_of_step, None)
            if loss is None:
                break
            loss.backward()
            total += loss.detach()
        torch.nn.utils.clip_grad_norm_(model.parameters(), SETTINGS.max_grad_norm)
        optimizer.step()
        optimizer.zero_grad()
        return total

    return step


def padded(examples: Sequence[PretrainExample]) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Ids, mask, token types and labels `[B, S]`, and the classes of the pairs `[B]`."""
    shape = len(examples), max(len(one) for one in examples)
    ids, mask, types = (np.zeros(shape, dtype=np.int64) for _ in range(3))
    labels = np.full(shape, -100, dtype=np.int64)
    for index, one in enumerate(examples):
        ids[index, : len(one)], types[index, : len(one)], mask[index, : len(one)] = one.input_ids, one.token_type_ids, 1
        labels[index, one.masked_positions] = one.labels
    order = torch.tensor([one.next_sentence_label for one in examples])
    whole = (torch.from_numpy(values) for values in (ids, mask, types, labels))
    return (*whole, order)  # type: ignore[return-value]


def make_systems(
    shape: str, precision: str, dropout: float, vocab_size: int, way: tuple[int, str] = (4, "sdpa")
) -> dict[str, System]:
    """The three, with the same weights to begin with; `way` is that of `best`."""
    layers, hidden, heads = SHAPES[shape]
    config = transformers.BertConfig(
        vocab_size=vocab_size, hidden_size=hidden, num_hidden_layers=layers, num_attention_heads=heads,
        intermediate_size=4 * hidden, hidden_dropout_prob=dropout, attention_probs_dropout_prob=dropout,
    )  # fmt: skip
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        transformers.BertForPreTraining(config).save_pretrained(folder)
        ours = BertForPreTraining.from_pretrained(folder).train()
        peers = [
            transformers.BertForPreTraining.from_pretrained(folder, attn_implementation=attention).train()
            for attention in ("sdpa", way[1])
        ]
    return {
        "ours": make_ours(ours, precision),
        "ordinary": make_peer(peers[0], precision),
        "best": make_peer(peers[1], precision, way[0]),
    }


def quickest(shape: str, precision: str, dropout: float, vocab_size: int, examples: Step) -> tuple[int, str]:
    """The way of `best` that takes the least time for this step, the second time."""
    seconds = {}
    for way in WAYS:
        step = make_systems(shape, precision, dropout, vocab_size, way)["best"]
        step(examples)
        seconds[way] = timed(step, examples)[0]
        gc.collect()
    return min(seconds, key=seconds.__getitem__)


# The measurement


def gate(shape: str, examples: Step, vocab_size: int) -> float:
    """The largest difference of the losses.

    Raises:
        SystemExit: it is above the tolerance.
    """
    losses = {name: float(step(examples)) for name, step in make_systems(shape, "fp32", 0.0, vocab_size).items()}
    difference = max(losses.values()) - min(losses.values())
    if not difference <= TOLERANCE:
        raise SystemExit(f"{shape}: the losses differ by {difference}: {losses}; nothing is measured")
    return difference


def measure(shape: str, precision: str, examples: Step, options: argparse.Namespace) -> dict[str, Any]:
    """Seconds of every system in every round, and what they come to."""
    vocab_size = len(BertTokenizer.from_pretrained(options.data / "vocab" / "bert-base-uncased"))
    steps = [examples[first : first + options.pairs] for first in range(0, len(examples), options.pairs)]
    difference = gate(shape, steps[0], vocab_size)
    way = quickest(shape, precision, options.dropout, vocab_size, steps[0])
    print(f"{shape}, {precision}: the peer is quickest in {way[0]} parts with {way[1]} attention", flush=True)
    systems = make_systems(shape, precision, options.dropout, vocab_size, way)
    rates = [measured_rate(precision)]
    rounds: list[dict[str, Any]] = []
    for system in systems.values():
        system(steps[0])  # the first step makes the state of the optimizer and takes the memory
    names = list(systems)
    for step, number in zip(cycle(steps), range(options.rounds)):
        gc.collect()
        order = names[number % len(names) :] + names[: number % len(names)]
        times = {name: timed(systems[name], step) for name in order}
        rounds.append({"tokens": sum(map(len, step)), "seconds": times})
    rates.append(measured_rate(precision))
    return {
        "loss_difference": difference,
        "matrix_gflops": rates,
        "load": round(os.getloadavg()[0], 1),
        "torch": torch.__version__,
        "pairs": options.pairs,
        "dropout": options.dropout,
        "way_of_best": way,
        "threads": options.threads,
        "rounds": rounds,
    }


def measured_rate(precision: str) -> float:
    return round(matrix_rate(CPU, torch.bfloat16 if precision == "bf16" else torch.float32)[0], 1)


def timed(system: System, step: Step) -> tuple[float, float]:
    """Seconds of the clock and of the processor."""
    clock, processor = time.perf_counter(), time.process_time()
    system(step)
    return time.perf_counter() - clock, time.process_time() - processor


# The fast paths by themselves


def measure_fast_paths(shapes: Sequence[str], precisions: Sequence[str], rounds: int) -> None:
    """The loss of 600 masked tokens, and attention without dropout in 4,096 tokens, forward and backward."""
    print("| what | shape | precision | plain, ms | fast, ms | times faster |\n|---|---|---|---|---|---|")
    for shape in shapes:
        for precision in precisions:
            works = {"masked tokens": work_of_loss(shape, precision)}
            for length in (64, 128, 256, 512):
                works[f"attention, texts of {length}"] = work_of_attention(shape, precision, length)
            for name, ways in works.items():
                times = np.array([[processor_ms(way) for way in ways] for _ in range(rounds + 1)])[1:]
                plain, fast = np.median(times, axis=0)
                ratio = np.median(times[:, 0] / times[:, 1])
                print(f"| {name} | {shape} | {precision} | {plain:.0f} | {fast:.0f} | {ratio:.2f} |", flush=True)


def work_of_loss(shape: str, precision: str) -> list[Callable[[], object]]:
    """The plain and the fast way."""
    width = SHAPES[shape][1]
    # Of a size as a model has them: the softmax of scores far apart is full of numbers too small to be quick with.
    hidden, table, bias = (
        (deviation * torch.randn(size)).requires_grad_()
        for deviation, size in ((1.0, (600, width)), (0.05, (30522, width)), (0.05, (30522,)))
    )
    labels, shares = torch.randint(30522, (600,)), torch.full((600,), 1 / 600)

    def work(way: Callable[..., tuple[Tensor, Tensor]]) -> object:
        with autocast(precision, CPU):
            loss, _ = way(hidden, table, bias, labels, shares)
        return torch.autograd.grad(loss, (hidden, table, bias))

    return [partial(work, plain_loss), partial(work, vocabulary_loss)]


def work_of_attention(shape: str, precision: str, length: int) -> list[Callable[[], object]]:
    """The plain and the fast way."""
    _, width, heads = SHAPES[shape]
    lengths = [length] * (4096 // length)
    ids = torch.zeros(4096, dtype=torch.int64)
    batch = Ragged.of(ids, ids, torch.arange(length).repeat(len(lengths)), lengths)
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    qkv = torch.randn(4096, 3, heads, width // heads, dtype=dtype, requires_grad=True)

    def work(way: AttentionPath) -> object:
        with autocast(precision, CPU):
            mixed = way(qkv, batch, 0.0, False)
        return torch.autograd.grad(mixed.sum(), qkv)

    return [partial(work, attend_by_runs), partial(work, attend_grouped)]


# The table

HEADER = (
    "| shape, numbers, lengths, pairs | ours, tokens/s | ordinary | best | ours / ordinary | by the processor's time "
    "| ours / best | by the processor's time | rounds | loss difference | matrices, Gflop/s |\n"
    "|---|---|---|---|---|---|---|---|---|---|---|"
)


def row(key: str, result: dict[str, Any]) -> str:
    """A row of the table."""
    rounds = result["rounds"]
    cells = [key]
    for name in ("ours", "ordinary", "best"):
        cells.append(f"{np.median([one['tokens'] / one['seconds'][name][0] for one in rounds]):,.0f}")
    for peer in ("ordinary", "best"):
        for clock in (0, 1):
            ratios = [one["seconds"][peer][clock] / one["seconds"]["ours"][clock] for one in rounds]
            low, middle, high = np.percentile(ratios, (25, 50, 75))
            cells.append(f"{middle:.2f} ({low:.2f} to {high:.2f})")
    rates = " / ".join(f"{rate:g}" for rate in result["matrix_gflops"])
    cells += [str(len(rounds)), f"{result['loss_difference']:.1e}", rates]
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()
