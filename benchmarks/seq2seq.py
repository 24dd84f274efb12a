"""Training and writing with an encoder-decoder, beside the peer's `EncoderDecoderModel`: the same weights and texts.

    python benchmarks/seq2seq.py                    # a shape with random weights, drawn lengths
    python benchmarks/seq2seq.py --layers 2 --hidden 128 --vocabulary 8000

Both sides take the same batches in turn; the ratio is the median over the rounds of what each pair of runs took, by the
clock and by processor time. The peer pads each batch to its longest source and target; every setting of it that is
tried (attention, batches by length) has its own line, and the best one counts. Tokens are real ones, of sources and
targets in training and of outputs in writing. Outputs are compared first: they must be the same.

Random weights write noise without an end. So that outputs end, each at another place, one coordinate of the decoder's
position table grows with the position and the end token listens to it.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch
import torch.nn.functional as F
import transformers
from torch import Tensor

from bertwright import BertForSeq2SeqLM
from bertwright.data.ragged import Ragged
from bertwright.data.targets import TextTargets
from bertwright.model import heads
from bertwright.model.attention.across import across_grouped, across_plain
from bertwright.model.attention.attention import attend_by_runs
from bertwright.model.attention.grouped import attend_grouped
from bertwright.model.seq2seq.generation.generate import generate
from bertwright.model.seq2seq.generation.generation_settings import GenerationSettings
from bertwright.model.seq2seq.seq2seq_config import Seq2SeqConfig
from workloads import drawn_lengths, histogram

Peers = Mapping[str, transformers.EncoderDecoderModel]
START, END, FIRST_WORD = 2, 3, 5
CLOCKS: tuple[tuple[str, Callable[[], float]], ...] = (
    ("wall", time.perf_counter),
    ("processor", time.process_time),
)


@dataclass(frozen=True)
class Texts:
    """Sources and targets as ids."""

    sources: list[np.ndarray]
    targets: list[np.ndarray]

    @property
    def tokens(self) -> int:
        return sum(map(len, self.sources)) + sum(len(one) - 1 for one in self.targets)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--layers", type=int, default=4, help="of each side")
    parser.add_argument("--hidden", type=int, default=256)
    parser.add_argument("--vocabulary", type=int, default=16000)
    parser.add_argument("--sources", default="S", help="distribution of the sources' lengths, see workloads.py")
    parser.add_argument("--targets", default="S", help="of the targets'")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--groups", type=int, default=4, help="batches in a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--parts", default="levers,training,greedy,beams")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    warnings.simplefilter("ignore")
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    with tempfile.TemporaryDirectory() as folder:
        model = make_model(Path(folder), options.layers, options.hidden, options.vocabulary)
        peers = {
            way: transformers.EncoderDecoderModel.from_pretrained(folder, attn_implementation=way)
            for way in ("sdpa", "eager")
        }
    shape = f"{options.layers} + {options.layers} layers, {options.hidden} wide, {options.vocabulary} words"
    print(f"{shape}, fp32, {options.threads} threads, batches of {options.batch}; peer {transformers.__version__}")
    groups = [make_texts(options, seed) for seed in range(options.groups)]
    print("sources:", histogram([len(one) for group in groups for one in group.sources]))
    print("targets:", histogram([len(one) for group in groups for one in group.targets]))
    parts = options.parts.split(",")
    if "levers" in parts:
        levers(groups[0], options.hidden, options.rounds)
        tall_table(options.vocabulary, options.hidden, options.rounds)
        few_sources(model, groups[0], options.rounds)
    if "training" in parts:
        training(model, peers, groups, options.rounds)
    for name, beams in (("greedy", 1), ("beams", 4)):
        if name in parts:
            writing(model, peers, groups, beams, options.rounds)


def make_model(folder: Path, layers: int, hidden: int, vocabulary: int) -> BertForSeq2SeqLM:
    torch.manual_seed(0)
    config = Seq2SeqConfig(
        vocab_size=vocabulary, hidden_size=hidden, num_hidden_layers=layers, num_attention_heads=hidden // 32,
        intermediate_size=4 * hidden, decoder_start_token_id=START, eos_token_id=END, initializer_range=0.05,
    )  # fmt: skip
    model = BertForSeq2SeqLM(config)
    with torch.no_grad():
        model.decoder.bert.embeddings.position_embeddings.weight[:, 0] += 0.02 * torch.arange(512)
        model.decoder.cls.predictions.transform.dense.weight[0] = torch.eye(hidden)[0]
        model.decoder.words[:, 0] = 0
        model.decoder.words[END] = 2 * torch.eye(hidden)[0]
    model.save_pretrained(folder)
    return BertForSeq2SeqLM.load(folder)


def make_texts(options: argparse.Namespace, seed: int) -> Texts:
    """A batch; four of them are one of the peer's groups of like length, too."""
    draw = np.random.default_rng(seed)

    def ids(name: str, of: int) -> list[np.ndarray]:
        lengths = drawn_lengths(name, options.batch, seed=2 * seed + of)
        words = [draw.integers(FIRST_WORD, options.vocabulary, max(int(length) - 2, 1)) for length in lengths]
        return [np.concatenate([[START], one, [END]]).astype(np.int64) for one in words]

    return Texts(ids(options.sources, 0), ids(options.targets, 1))


def each(step: Callable[[Texts], None], groups: Sequence[Texts]) -> list[None]:
    """One step for each batch."""
    return [step(texts) for texts in groups]  # type: ignore[func-returns-value]


def by_length(groups: Sequence[Texts]) -> list[Texts]:
    """The same texts in batches of like length."""
    pairs = [pair for group in groups for pair in zip(group.sources, group.targets)]
    pairs.sort(key=lambda pair: (len(pair[0]), len(pair[1])))
    size = len(groups[0].sources)
    return [
        Texts([one for one, _ in pairs[start : start + size]], [one for _, one in pairs[start : start + size]])
        for start in range(0, len(pairs), size)
    ]


def ragged(rows: Sequence[np.ndarray]) -> Ragged:
    ids = torch.from_numpy(np.concatenate(rows))
    positions = torch.from_numpy(np.concatenate([np.arange(len(row)) for row in rows]))
    return Ragged.of(ids, torch.zeros_like(ids), positions, [len(row) for row in rows])


def padded(rows: Sequence[np.ndarray], value: int) -> Tensor:
    return torch.nn.utils.rnn.pad_sequence([torch.from_numpy(row) for row in rows], True, value)


def our_step(model: BertForSeq2SeqLM) -> Callable[[Texts], None]:
    optimizer = torch.optim.AdamW([one for one in model.parameters() if one.requires_grad], lr=1e-5, fused=True)

    def step(texts: Texts) -> None:
        order = sorted(range(len(texts.sources)), key=lambda index: len(texts.sources[index]))  # as the loop does
        written = TextTargets([texts.targets[index] for index in order]).take(np.arange(len(order)))
        scores = model.pair_scores(ragged([texts.sources[index] for index in order]), written.inputs)
        F.cross_entropy(scores, written.labels).backward()
        finish(model, optimizer)

    return step


def peer_step(model: torch.nn.Module) -> Callable[[Texts], None]:
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, fused=True)

    def step(texts: Texts) -> None:
        ids = padded(texts.sources, 0)
        labels = padded([one[1:] for one in texts.targets], -100)
        model(input_ids=ids, attention_mask=(ids != 0).long(), labels=labels).loss.backward()
        finish(model, optimizer)

    return step


def finish(model: torch.nn.Module, optimizer: torch.optim.Optimizer) -> None:
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad()


def training(model: BertForSeq2SeqLM, peers: Peers, groups: list[Texts], rounds: int) -> None:
    import copy

    ours = our_step(copy.deepcopy(model).train())
    tokens = sum(group.tokens for group in groups)
    works: dict[str, Callable[[], list[None]]] = {"bertwright": partial(each, ours, groups)}
    for way, peer in peers.items():
        step = peer_step(copy.deepcopy(peer).train())
        works[f"peer, {way}"] = partial(each, step, groups)
        works[f"peer, {way}, by length"] = partial(each, step, by_length(groups))
    tell("training, dropout 0.1", works, lambda _: tokens, rounds)


def writing(
    model: BertForSeq2SeqLM,
    peers: Peers,
    groups: list[Texts],
    beams: int,
    rounds: int,
) -> None:
    settings = GenerationSettings.resolve(max_output_length=64, num_beams=beams)
    model.eval()
    batches = by_length(groups)

    def ours() -> list[list[int]]:
        return [one.tokens.tolist() for texts in batches for one in generate(model, ragged(texts.sources), settings)]

    def theirs(peer: Any) -> list[list[int]]:
        written = []
        for texts in batches:
            ids = padded(texts.sources, 0)
            rows = peer.generate(
                input_ids=ids, attention_mask=(ids != 0).long(), max_length=64, num_beams=beams, do_sample=False
            )
            written += [row[: row.index(END) + 1] if END in row else row for row in rows.tolist()]
        return written

    works: dict[str, Callable[[], list[list[int]]]] = {"bertwright": ours}
    for way, peer in peers.items():
        peer.eval()
        works[f"peer, {way}"] = partial(theirs, peer)
    outputs = {name: work() for name, work in works.items()}
    same = [sum(one == other for one, other in zip(outputs["bertwright"], rows)) for rows in outputs.values()]
    print(f"\noutputs that are ours: {dict(zip(outputs, same))} of {len(outputs['bertwright'])}")
    if len(set(same)) > 1:
        raise SystemExit("the outputs differ, so that the times say nothing")
    print("outputs:", histogram([len(one) for one in outputs["bertwright"]]))
    tell(f"writing, {beams} beam{'s' * (beams > 1)}", works, lambda rows: sum(len(row) - 1 for row in rows), rounds)


def levers(texts: Texts, hidden: int, rounds: int) -> None:
    """The attention of a decoder's layer, with dropout, forward and backward: plain and fast in turn."""
    target, source = ragged([one[:-1] for one in texts.targets]), ragged(texts.sources)
    heads = hidden // 32
    qkv = torch.randn(target.num_tokens, 3, heads, 32, requires_grad=True)
    query = torch.randn(target.num_tokens, heads, 32, requires_grad=True)
    seen = torch.randn(source.num_tokens, 2, heads, 32, requires_grad=True)

    def times(plain: Callable[[], Tensor], fast: Callable[[], Tensor], of: Sequence[Tensor]) -> float:
        ratios = []
        for _ in range(4 * rounds + 2):
            taken = []
            for way in (plain, fast):
                started = time.process_time()
                torch.autograd.grad(way().sum(), of)
                taken.append(time.process_time() - started)
            ratios.append(taken[0] / taken[1])
        return statistics.median(ratios[2:])

    back = times(lambda: attend_by_runs(qkv, target, 0.1, True), lambda: attend_grouped(qkv, target, 0.1, True), [qkv])
    across = times(
        lambda: across_plain(query, seen, target, source, 0.1)[0],
        lambda: across_grouped(query, seen, target, source, 0.1),
        [query, seen],
    )
    print(f"\nlooking back, in groups: {back:.2f} times faster than by runs of equal length")
    print(f"looking across, in groups: {across:.2f} times faster than pair by pair", flush=True)


def tall_table(vocabulary: int, hidden: int, rounds: int) -> None:
    """The scores of every word for few rows: table on the right and on the left in turn."""
    table, bias = torch.randn(vocabulary, hidden), torch.randn(vocabulary)
    found = []
    with torch.inference_mode():
        for count in (2, 4, 8, 16):
            rows = torch.randn(count, hidden)
            ratios = []
            for _ in range(10 * rounds):
                taken = []
                for way in (F.linear, heads.few_by_table):
                    started = time.process_time()
                    way(rows, table, bias)
                    taken.append(time.process_time() - started)
                ratios.append(taken[0] / taken[1])
            found.append(f"{count} rows {statistics.median(ratios):.2f}")
    print(f"scores of {vocabulary} words, table on the left: times faster: {', '.join(found)}", flush=True)


def few_sources(model: BertForSeq2SeqLM, texts: Texts, rounds: int) -> None:
    """Writing from few sources, with the table on the right and on the left in turn."""
    model.eval()
    for count, beams in ((1, 4), (4, 1), (8, 1)):
        source = ragged(texts.sources[:count])
        settings = GenerationSettings.resolve(max_output_length=64, num_beams=beams)
        ratios = []
        for _ in range(3 * rounds):
            taken, outputs = [], []
            for most in (0, heads.FEW_ROWS):
                with mock.patch.object(heads, "FEW_ROWS", most):
                    started = time.process_time()
                    outputs.append([one.tokens.tolist() for one in generate(model, source, settings)])
                    taken.append(time.process_time() - started)
            assert outputs[0] == outputs[1]
            ratios.append(taken[0] / taken[1])
        print(f"writing from {count}, beams {beams}: {statistics.median(ratios):.2f} times faster", flush=True)


def tell(
    title: str, works: Mapping[str, Callable[[], list[Any]]], count: Callable[[list[Any]], int], rounds: int
) -> None:
    """One table: tokens a second of each, and how many times faster ours is."""
    for work in works.values():
        work()
    times: dict[str, list[list[float]]] = {name: [] for name in works}
    tokens: dict[str, int] = {}
    for _ in range(rounds):
        for name, work in works.items():
            before = [clock() for _, clock in CLOCKS]
            tokens[name] = count(work())
            times[name].append([clock() - start for start, (_, clock) in zip(before, CLOCKS)])
    print(f"\n| {title} | tokens/s, wall | tokens/s, processor | ours is times faster, wall | processor |")
    print("|---|---|---|---|---|")
    best = [float("inf")] * 2
    for name, rows in times.items():
        speeds = [tokens[name] / statistics.median(row[i] for row in rows) for i in (0, 1)]
        ratios = [statistics.median(row[i] / own[i] for row, own in zip(rows, times["bertwright"])) for i in (0, 1)]
        if name != "bertwright":
            best = [min(pair) for pair in zip(best, ratios)]
        print(f"| {name} | {speeds[0]:.0f} | {speeds[1]:.0f} | {ratios[0]:.2f} | {ratios[1]:.2f} |", flush=True)
    print(f"{title}: {best[0]:.2f} times the best peer by the clock, {best[1]:.2f} by processor time")


if __name__ == "__main__":
    main()
