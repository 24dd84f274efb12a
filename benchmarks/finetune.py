"""Fine-tuning beside `transformers`' Trainer: the same texts, weights and settings, one run after the other.

    python benchmarks/finetune.py --data ../shared/data --results build/finetune
    python benchmarks/finetune.py --data ../shared/data --results build/base --shape base --rows 320 --seeds 1
    python benchmarks/finetune.py --data ../shared/data --results build/imdb --workload imdb --rows 256 --seeds 1

Three systems in turn, seed by seed: this toolkit; the Trainer as it comes (fp32, dynamic padding, arrival order); the
Trainer at its best. What its best is, a sweep of short runs finds first: batches of like length, fused AdamW, the
attention kernel, and bf16 where the machine has it. Runs are whole epochs, since a Trainer that groups by length begins
with the longest texts. Every run is a process of its own, so that its peak memory is its
own, and leaves a file of its own: a run whose file is there is not repeated.

Tokens are real ones; no pad counts. The share of the matrix rate is tokens/s · (6N + 12·s·H·L) over the rate of
matrix products measured just before the run: N weights without the tables, s tokens that a token attends to.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # two programs with spinning threads slow each other tenfold
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import numpy as np
import torch

from bertwright.data.examples import label_of
from bertwright.machine.matrix_rate import matrix_rate
from bertwright.machine.precision import resolve_precision
from bertwright.training.finetuning.finetune import finetune
from bertwright.training.loop_settings import FinetuneSettings
from checkpoints import checkpoint
from workloads import WORKLOADS, Workload, histogram

SETTINGS: dict[str, Any] = {
    "epochs": 1,
    "batch_size": 32,
    "weight_decay": 0.01,
    "warmup": 0.1,
    "max_grad_norm": 1.0,
}
RATE = {"minilm": 1e-4, "base": 5e-5}
BEST_CANDIDATES: dict[str, dict[str, Any]] = {
    "fused": {"optim": "adamw_torch_fused"},
    "grouped": {"optim": "adamw_torch_fused", "train_sampling_strategy": "group_by_length"},
    "grouped-eager": {"optim": "adamw_torch_fused", "train_sampling_strategy": "group_by_length", "attn": "eager"},
    "grouped-bf16": {"optim": "adamw_torch_fused", "train_sampling_strategy": "group_by_length", "bf16": True},
}
SWEEP_ROWS = 1600  # one of the Trainer's groups of like length: long texts and short ones


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds en/sst2")
    parser.add_argument("--results", type=Path, required=True, help="where each run leaves its file")
    parser.add_argument("--shape", choices=sorted(RATE), default="minilm", help="base: bert-base with random weights")
    parser.add_argument("--workload", choices=sorted(WORKLOADS), default="sst2")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rows", type=int, help="training rows, the first ones; default: those of the workload")
    parser.add_argument("--only", help="measure one system in this process, and print its figures as JSON")
    options = parser.parse_args()
    options.rows = options.rows or WORKLOADS[options.workload].rows
    torch.set_num_threads(options.threads)
    if options.only:
        print(json.dumps(measure(options.only, options)))
        return
    options.results.mkdir(parents=True, exist_ok=True)
    best = find_best(options)
    systems = ["bertwright", "trainer", f"trainer-{best}"]
    results: dict[str, list[dict[str, Any]]] = {name: [] for name in systems}
    for seed in options.seeds:
        for name in systems:
            results[name].append(run_apart(name, seed, options.rows, options))
    report(results)


def find_best(options: argparse.Namespace) -> str:
    """The fastest setting of the Trainer in short runs."""
    names = [name for name in BEST_CANDIDATES if not (BEST_CANDIDATES[name].get("bf16") and best_precision() == "fp32")]
    rows = min(SWEEP_ROWS, options.rows)
    runs = {name: run_apart(f"trainer-{name}", 0, rows, options, prefix="sweep-") for name in names}
    print("sweep of the Trainer, real tokens/s: ", end="")
    print(", ".join(f"{name} {run['tokens_per_second']:.0f}" for name, run in runs.items()))
    if len(names) < len(BEST_CANDIDATES):
        print("bf16 was left out: this processor has no instructions for it")
    return max(runs, key=lambda name: float(runs[name]["tokens_per_second"]))


def best_precision() -> str:
    """What `auto` is on this machine."""
    return resolve_precision("auto", torch.device("cpu"))


def run_apart(name: str, seed: int, rows: int, options: argparse.Namespace, prefix: str = "") -> dict[str, Any]:
    """The figures of one run: from its file, or from a process of its own."""
    file = options.results / f"{prefix}{name}-{seed}.json"
    if not file.is_file():
        command = [sys.executable, __file__, "--only", name, "--seeds", str(seed), "--threads", str(options.threads)]
        command += ["--data", options.data, "--results", options.results, "--shape", options.shape]
        command += ["--workload", options.workload, "--rows", str(rows)]
        print(f"{name}, seed {seed}", file=sys.stderr, flush=True)
        answer = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, text=True, check=True)
        beside = file.with_suffix(".part")
        beside.write_text(json.dumps(json.loads(answer.stdout.splitlines()[-1]), indent=2) + "\n", encoding="utf-8")
        beside.replace(file)
    result: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    if (of := result.get("rows")) != rows:
        raise SystemExit(f"{file} was made with {of} rows instead of {rows}; move it away")
    return result


def measure(name: str, options: argparse.Namespace) -> dict[str, Any]:
    """One run in this process."""
    model = checkpoint(options.shape, options.results, options.data)
    seed = options.seeds[0]
    rates = {
        f"{name}_gflops": matrix_rate(torch.device("cpu"), dtype)[0]
        for name, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16))
    }
    if name == "bertwright":
        figures = run_ours(model, seed, options)
    else:
        extra = BEST_CANDIDATES[name.removeprefix("trainer-")] if "-" in name else {}
        figures = run_trainer(model, seed, options, **extra)
    lengths = np.array(figures.pop("lengths"))
    figures["tokens_per_second"] = figures["tokens"] / figures["seconds"]
    attended = float((lengths**2).sum() / lengths.sum())
    flops = figures["tokens_per_second"] * flops_a_token(model, attended)
    figures["matrix_share"] = flops / 1e9 / rates[f"{figures['precision']}_gflops"]
    figures["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return figures | rates | {"rows": options.rows, "texts": histogram(lengths), "load": os.getloadavg()[0]}


def workload_of(options: argparse.Namespace) -> Workload:
    """The texts, in the size that was asked for."""
    return replace(WORKLOADS[options.workload], rows=options.rows)


def run_ours(model: Path, seed: int, options: argparse.Namespace) -> dict[str, Any]:
    """One run of this toolkit, at its defaults."""
    workload = workload_of(options)
    train, dev = workload.examples(options.data)
    lengths: list[int] = []
    with tempfile.TemporaryDirectory() as folder:
        settings = FinetuneSettings.resolve(
            **SETTINGS,
            learning_rate=RATE[options.shape],
            max_length=workload.max_length,
            long="head",
            seed=seed,
        )
        before = resident_mb()
        with noted_lengths(lengths):
            run = finetune(train, dev, model=model, out=Path(folder) / "run", settings=settings)
    outcome = run.outcome
    assert sum(lengths) == outcome.tokens
    return {
        "accuracy": outcome.best.scores["accuracy"],
        "tokens": outcome.tokens,
        "seconds": outcome.train_seconds,
        "precision": best_precision(),
        "before_mb": before,
        "lengths": lengths,
    }


class noted_lengths:
    """While it is entered, the length of every sequence that is trained on goes to a list."""

    def __init__(self, lengths: list[int]) -> None:
        self._lengths = lengths

    def __enter__(self) -> None:
        from bertwright.tasks.classification import Classification

        self._real = Classification.loss

        def loss(task: Any, model: Any, batch: Any, *rest: Any) -> Any:
            self._lengths += batch.lengths
            return self._real(task, model, batch, *rest)

        Classification.loss = loss  # type: ignore[method-assign, assignment]

    def __exit__(self, *_: object) -> None:
        from bertwright.tasks.classification import Classification

        Classification.loss = self._real  # type: ignore[method-assign]


def run_trainer(
    model_folder: Path, seed: int, options: argparse.Namespace, *, attn: str = "sdpa", **arguments: Any
) -> dict[str, Any]:
    """One run of the Trainer; `arguments` are laid over what it has by itself."""
    import transformers

    transformers.logging.set_verbosity_error()
    workload = workload_of(options)
    tokenizer = transformers.AutoTokenizer.from_pretrained(model_folder)
    transformers.set_seed(seed)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(
        model_folder, num_labels=2, attn_implementation=attn
    )
    examples = workload.examples(options.data)
    classes = sorted({label_of(example) or "" for example in examples[0]})

    def rows(part: int) -> Any:
        """A list, which the Trainer takes for a dataset."""
        texts = [example.text for example in examples[part]]
        encoded = tokenizer(texts, truncation=True, max_length=workload.max_length, padding=False)
        return [
            {
                "input_ids": ids,
                "token_type_ids": [0] * len(ids),
                "attention_mask": [1] * len(ids),
                "labels": classes.index(label_of(example) or ""),
            }
            for ids, example in zip(encoded["input_ids"], examples[part])
        ]

    train, dev = rows(0), rows(1)
    lengths: list[int] = []
    padding = transformers.DataCollatorWithPadding(tokenizer)

    def collate(members: list[dict[str, Any]]) -> Any:
        lengths.extend(len(member["input_ids"]) for member in members)
        return padding(members)

    with tempfile.TemporaryDirectory() as folder:
        settings: dict[str, Any] = {
            "output_dir": folder,
            "num_train_epochs": SETTINGS["epochs"],
            "per_device_train_batch_size": SETTINGS["batch_size"],
            "learning_rate": RATE[options.shape],
            "weight_decay": SETTINGS["weight_decay"],
            "warmup_steps": SETTINGS["warmup"],
            "max_grad_norm": SETTINGS["max_grad_norm"],
            "seed": seed,
            "use_cpu": True,
            "save_strategy": "no",
            "report_to": "none",
            "disable_tqdm": True,
            "dataloader_pin_memory": False,
            "logging_strategy": "no",
        }
        before = resident_mb()
        trainer = transformers.Trainer(
            model=model,
            args=transformers.TrainingArguments(**settings | arguments),
            train_dataset=train,
            data_collator=collate,
        )
        started = time.perf_counter()
        trainer.train()
        seconds = time.perf_counter() - started
        trained = lengths[: trainer.state.global_step * SETTINGS["batch_size"]]  # it collates one batch ahead
        answered = trainer.predict(dev)
    right = np.argmax(answered.predictions, -1) == answered.label_ids  # grouping reorders the dev set as well
    return {
        "accuracy": float(right.mean()),
        "tokens": sum(trained),
        "seconds": seconds,
        "precision": "bf16" if arguments.get("bf16") else "fp32",
        "before_mb": before,
        "lengths": trained,
    }


def flops_a_token(model: Path, attended: float) -> float:
    """Of a forward and a backward pass, by the usual count: what is left out by a shortcut counts all the same."""
    config = json.loads((model / "config.json").read_text(encoding="utf-8"))
    hidden, inner, layers = config["hidden_size"], config["intermediate_size"], config["num_hidden_layers"]
    weights = layers * (4 * hidden**2 + 2 * hidden * inner)
    return 6 * weights + 12 * attended * hidden * layers


def resident_mb() -> float:
    """Memory of this process now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


def report(results: dict[str, list[dict[str, Any]]]) -> None:
    """The table, and the ratios seed by seed."""
    ours = results["bertwright"]
    print(f"\ntrained on {ours[0]['texts']}\n")
    print("| system | dev accuracy, mean (sd) | real tokens/s, median (range) | share of the matrix rate | peak MB |")
    print("|---|---|---|---|---|")
    for name, runs in results.items():
        accuracy = [run["accuracy"] for run in runs]
        deviation = statistics.stdev(accuracy) if len(accuracy) > 1 else 0.0
        speeds = sorted(run["tokens_per_second"] for run in runs)
        share = statistics.median(run["matrix_share"] for run in runs)
        peak = max(run["peak_mb"] for run in runs)
        print(
            f"| {name}, {runs[0]['precision']} | {statistics.mean(accuracy):.4f} ({deviation:.4f}) "
            f"| {statistics.median(speeds):.0f} ({speeds[0]:.0f} to {speeds[-1]:.0f}) | {share:.0%} | {peak:.0f} |"
        )
    for precision in ("fp32", "bf16"):
        rates = sorted(run[f"{precision}_gflops"] for runs in results.values() for run in runs)
        print(f"\nmatrix rate beside the runs, {precision}: median {statistics.median(rates):.1f} GFLOP/s", end="")
        print(f" ({rates[0]:.1f} to {rates[-1]:.1f})", end="")
    print()
    for name, runs in results.items():
        if name != "bertwright":
            ratios = sorted(a["tokens_per_second"] / b["tokens_per_second"] for a, b in zip(ours, runs))
            print(f"\ntokens/s over {name}, seed by seed: ", end="")
            print(f"median {statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})", end="")
    print()


if __name__ == "__main__":
    main()
