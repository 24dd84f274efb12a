"""Scores on real data, ours beside those of `transformers`' Trainer with the same settings.

    python benchmarks/scores.py --data ../shared/data --results FOLDER
    python benchmarks/scores.py --data ../shared/data --results FOLDER --only rte mrpc --systems trainer --seeds 1
    python benchmarks/scores.py --results FOLDER --table

SST-2, MRPC, CoLA, RTE, AG News and STS-B from the 6-layer checkpoint, on the dev set (AG News: the test set) after the
last epoch; a part of SST-2 judged on 5,000 other rows, which tells small differences; and IMDb, read in windows and
cut, at three lengths. Every run is a process of its own and leaves a file in FOLDER; a run whose file is there is not
repeated, so the command can be stopped and given again. Both systems have the same rate, batch, warm-up, schedule,
decay groups, clipping, dropout, seeds and precision (`auto`), and cut nothing. A second and third seed are run where
an epoch of the first took less than `--epoch-limit` seconds.

Only the scores are compared: the files hold tokens a second and the load of the machine, too, but the two systems do
not run side by side here. For speed there is `finetune.py`.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bertwright.checkpoint.replacing import write_text
from bertwright.data.examples import Example
from bertwright.data.reading.tables import Columns
from bertwright.evaluation.class_scores import Tally, confusion_matrix, metrics_for
from bertwright.evaluation.correlation import number_scores
from bertwright.inference.predictor import Predictor
from bertwright.machine.precision import resolve_precision
from bertwright.tasks.classification import Classification
from bertwright.tasks.registry import task_named
from bertwright.training.finetuning.finetune import finetune
from bertwright.training.loop_settings import FinetuneSettings
from checkpoints import minilm

SYSTEMS = ("bertwright", "trainer")
SETTINGS: dict[str, Any] = {
    "batch_size": 32,
    "learning_rate": 1e-4,
    "weight_decay": 0.01,
    "warmup": 0.1,
    "schedule": "linear",
    "max_grad_norm": 1.0,
    "max_length": 512,
}


@dataclass(frozen=True)
class Experiment:
    """A data set and how it is learnt.

    `metrics` are those of the table, `train_rows` and `dev_rows` the part of each file, `settings` what differs from
    `SETTINGS`.
    """

    title: str
    train: str
    dev: str
    epochs: int
    metrics: tuple[str, ...] = ("accuracy",)
    train_rows: tuple[int, int | None] = (0, None)
    dev_rows: tuple[int, int | None] = (0, None)
    settings: dict[str, Any] = field(default_factory=dict)
    systems: tuple[str, ...] = SYSTEMS
    task: str = "classification"
    columns: Columns = field(default_factory=Columns)

    def resolved(self) -> dict[str, Any]:
        """Every setting that decides the outcome, the seed aside."""
        precision = resolve_precision("auto", torch.device("cpu"))
        return {**SETTINGS, "epochs": self.epochs, "precision": precision, **self.settings}

    def read(self, data: Path) -> tuple[Sequence[Example], Sequence[Example]]:
        """The examples of both sets."""
        kind = task_named(self.task)
        train = kind.read(data / self.train, self.columns, labelled=True)
        dev = kind.read(data / self.dev, self.columns, labelled=True, name="dev", pair=train.is_pair)
        return train.examples[slice(*self.train_rows)], dev.examples[slice(*self.dev_rows)]


def _imdb(max_length: int, long: str) -> Experiment:
    title = f"{max_length} | {'windows' if long == 'window' else 'cut'}"
    settings = {"max_length": max_length, "long": long, "batch_size": 16}
    train, test = "en/imdb/train.jsonl.xz", "en/imdb/test.jsonl.xz"
    part = (0, 2000)
    return Experiment(title, train, test, 1, train_rows=part, dev_rows=part, settings=settings, systems=("bertwright",))


EXPERIMENTS = {
    "cola": Experiment("CoLA", "en/cola/train.tsv", "en/cola/dev.tsv", 3, ("mcc",)),
    "mrpc": Experiment("MRPC", "en/mrpc/msr_paraphrase_train.txt", "en/mrpc/test.tsv", 3, ("accuracy", "f1")),
    "rte": Experiment("RTE", "en/rte/train.tsv", "en/rte/dev.tsv", 5),
    "agnews": Experiment("AG News", "en/agnews/train.tsv", "en/agnews/test.tsv", 2),
    "sst2": Experiment("SST-2", "en/sst2/train.tsv", "en/sst2/dev.tsv", 2),
    "sst2-part": Experiment(
        "SST-2, part of train",
        "en/sst2/train.tsv",
        "en/sst2/train.tsv",
        2,
        train_rows=(0, 4000),
        dev_rows=(10_000, 15_000),
    ),
    "stsb": Experiment(
        "STS-B",
        "en/stsb/train.tsv",
        "en/stsb/dev.tsv",
        1,
        ("pearson", "spearman"),
        task="regression",
        columns=Columns(label="score"),
    ),
    **{f"imdb-{long}-{length}": _imdb(length, long) for length in (128, 256, 512) for long in ("head", "window")},
}


def scores_of(labels: Sequence[str], gold: Sequence[str], predicted: Sequence[str]) -> dict[str, float]:
    """Every metric that needs nothing but the answers."""
    index = {label: i for i, label in enumerate(labels)}
    true, answers = (np.array([index[label] for label in names]) for names in (gold, predicted))
    tally = Tally.of(confusion_matrix(true, answers, len(labels)))
    return {name: float(metric(tally)) for name, metric in metrics_for(labels).items()}


def run_ours(experiment: Experiment, data: Path, seed: int, model: str | Path | None = None) -> dict[str, Any]:
    """One run of this toolkit; the scores are those of `last/`, the model after the last epoch.

    `model`: what it starts from; None: the 6-layer checkpoint.
    """
    train, dev = experiment.read(data)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        settings = FinetuneSettings.resolve(**experiment.resolved(), seed=seed)
        outcome = finetune(
            train, dev, model=model or minilm(), out=out, settings=settings, task=experiment.task
        ).outcome
        predictor = Predictor.load(out / "last")
        started = time.perf_counter()
        answers = predictor.answer(dev)
        eval_seconds = time.perf_counter() - started
        task = predictor.task.as_task()
        metrics = task.judge(answers, dev).details["metrics"]
        with (out / "metrics.csv").open(encoding="utf-8", newline="") as file:
            course = [float(row[f"dev_{task.metric}"]) for row in csv.DictReader(file)]
    return {
        "scores": {name: one["value"] for name, one in metrics.items()},
        f"{task.metric}_by_epoch": course,
        "rows": [len(train), len(dev)],
        "texts_cut": sum(one.truncated for one in answers),
        "tokens": outcome.tokens,
        "train_seconds": outcome.train_seconds,
        "eval_seconds": eval_seconds,
    }


def run_trainer(experiment: Experiment, data: Path, seed: int) -> dict[str, Any]:
    """One run of the Trainer, batches grouped by length; the scores are those after the last epoch."""
    import transformers

    transformers.logging.set_verbosity_error()
    train, dev = experiment.read(data)
    has_classes = experiment.task == "classification"
    labels = Classification.from_examples(train, "train").labels if has_classes else ("value",)
    settings = experiment.resolved()
    tokenizer = transformers.AutoTokenizer.from_pretrained(minilm())
    transformers.set_seed(seed)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(minilm(), num_labels=len(labels))

    def rows(examples: Sequence[Example]) -> list[dict[str, Any]]:
        encoded = [tokenizer(one.text, one.text_b) for one in examples]
        if max(len(one["input_ids"]) for one in encoded) > settings["max_length"]:
            raise SystemExit("a text is longer than max_length: the Trainer would have to cut it")
        return [{**one, "labels": target_of(example)} for one, example in zip(encoded, examples)]

    def target_of(example: Example) -> float:
        assert example.answer is not None
        truth = example.answer.to_json(example.text)
        return labels.index(truth) if has_classes else truth

    def score(answers: Any) -> dict[str, float]:
        if not has_classes:
            return number_scores(answers.label_ids.astype(np.float64), answers.predictions[:, 0].astype(np.float64))
        names = [[labels[i] for i in classes] for classes in (answers.label_ids, answers.predictions.argmax(-1))]
        return scores_of(labels, *names)

    train_rows, dev_rows = rows(train), rows(dev)
    with tempfile.TemporaryDirectory() as folder:
        trainer = transformers.Trainer(
            model=model,
            args=transformers.TrainingArguments(
                output_dir=folder,
                num_train_epochs=settings["epochs"],
                per_device_train_batch_size=settings["batch_size"],
                per_device_eval_batch_size=64,
                learning_rate=settings["learning_rate"],
                lr_scheduler_type=settings["schedule"],
                weight_decay=settings["weight_decay"],
                warmup_steps=settings["warmup"],
                max_grad_norm=settings["max_grad_norm"],
                bf16=settings["precision"] == "bf16",
                optim="adamw_torch_fused",
                train_sampling_strategy="group_by_length",
                eval_strategy="epoch",
                seed=seed,
                use_cpu=True,
                save_strategy="no",
                report_to="none",
                disable_tqdm=True,
                dataloader_pin_memory=False,
                logging_strategy="no",
            ),
            train_dataset=train_rows,
            eval_dataset=dev_rows,
            data_collator=transformers.DataCollatorWithPadding(tokenizer),
            compute_metrics=score,
        )
        started = time.perf_counter()
        trainer.train()
        seconds = time.perf_counter() - started
    course = [entry for entry in trainer.state.log_history if "eval_runtime" in entry]
    assert len(course) == settings["epochs"]
    names = scores_of(labels, labels, labels) if has_classes else ("mse", "pearson", "spearman")
    return {
        "scores": {name: course[-1][f"eval_{name}"] for name in names},
        "by_epoch": [{name: entry[f"eval_{name}"] for name in names} for entry in course],
        "rows": [len(train), len(dev)],
        "texts_cut": 0,
        "tokens": settings["epochs"] * sum(len(row["input_ids"]) for row in train_rows),
        "train_seconds": seconds - sum(entry["eval_runtime"] for entry in course),
        "eval_seconds": course[-1]["eval_runtime"],
    }


def run_one(name: str, system: str, seed: int, data: Path, threads: int, file: Path) -> None:
    """One run, in this process; its file is written last and whole."""
    import transformers

    torch.set_num_threads(threads)
    experiment = EXPERIMENTS[name]
    found = (run_ours if system == "bertwright" else run_trainer)(experiment, data, seed)
    found["tokens_per_second"] = found["tokens"] / found["train_seconds"]
    found |= {"experiment": name, "system": system, "seed": seed, "settings": experiment.resolved()}
    found |= {"threads": threads, "load_average": os.getloadavg()[1], "cpu_seconds": time.process_time()}
    found |= {"torch": torch.__version__, "transformers": transformers.__version__}
    write_text(file, json.dumps(found, indent=2) + "\n")


def load(file: Path, name: str) -> dict[str, Any] | None:
    """A run that was done, under the settings that hold now; None where there is no file."""
    if not file.is_file():
        return None
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    if found["settings"] != EXPERIMENTS[name].resolved():
        raise SystemExit(f"{file} was made with other settings: {found['settings']}; move it away")
    return found


def run_all(options: argparse.Namespace) -> None:
    """All runs that are asked for and not there, one after the other: first every data set once."""
    for seed in options.seeds:
        for name in options.only:
            for system in (one for one in options.systems if one in EXPERIMENTS[name].systems):
                run_unless_done(options, name, system, seed)


def run_unless_done(options: argparse.Namespace, name: str, system: str, seed: int) -> None:
    """One run in a process of its own; further seeds only where an epoch is short."""
    file = options.results / f"{name}-{system}-{seed}.json"
    if load(file, name) is not None:
        return
    if seed != options.seeds[0]:
        first = load(options.results / f"{name}-{system}-{options.seeds[0]}.json", name)
        epoch = first["train_seconds"] / first["settings"]["epochs"] if first else 0.0
        if name.startswith("imdb") or epoch > options.epoch_limit:
            print(f"{file.stem}: left out, one seed is enough or an epoch takes long", file=sys.stderr, flush=True)
            return
    print(f"{file.stem}: {time.strftime('%H:%M:%S')}", file=sys.stderr, flush=True)
    words = map(str, (name, system, seed, options.data, options.threads, file))
    subprocess.run([sys.executable, __file__, "--one", *words], check=True)


def cell(runs: Sequence[dict[str, Any]], metric: str) -> str:
    """Mean and spread over the seeds, in hundredths as the field writes them."""
    if not runs:
        return "–"
    values = [100 * run["scores"][metric] for run in runs]
    spread = f" ± {statistics.stdev(values):.1f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.1f}{spread} ({len(values)})"


def print_tables(results: Path) -> None:
    """What is there, as Markdown."""
    done = {name: _runs(results, name) for name in EXPERIMENTS}
    print("| data | rows | epochs | metric | bertwright (seeds) | Trainer (seeds) |")
    print("|---|---|---|---|---|---|")
    for name, experiment in EXPERIMENTS.items():
        ours, peer = (done[name][system] for system in SYSTEMS)
        if name.startswith("imdb") or not (ours or peer):
            continue
        rows = " / ".join(f"{count:,}" for count in (ours or peer)[0]["rows"])
        for metric in experiment.metrics:
            title = {"mcc": "MCC", "f1": "F1"}.get(metric, metric)
            cells = (experiment.title, rows, experiment.epochs, title, cell(ours, metric), cell(peer, metric))
            print("| " + " | ".join(map(str, cells)) + " |")
    print("\n| IMDb: max_length | long texts | test accuracy | tokens trained on | test texts cut |")
    print("|---|---|---|---|---|")
    for name, experiment in EXPERIMENTS.items():
        for run in done[name]["bertwright"] if name.startswith("imdb") else ():
            score = f"{100 * run['scores']['accuracy']:.1f}"
            print(f"| {experiment.title} | {score} | {run['tokens']:,} | {run['texts_cut']:,} of {run['rows'][1]:,} |")


def _runs(results: Path, name: str) -> dict[str, list[dict[str, Any]]]:
    """The runs of an experiment by system, in the order of their seeds."""
    found: dict[str, list[dict[str, Any]]] = {}
    for system in SYSTEMS:
        files = results.glob(f"{name}-{system}-*.json")
        runs = [run for file in files if (run := load(file, name)) is not None]
        found[system] = sorted(runs, key=lambda run: run["seed"])
    return found


def main() -> None:
    if sys.argv[1:2] == ["--one"]:
        name, system, seed, folder, threads, file = sys.argv[2:]
        run_one(name, system, int(seed), Path(folder), int(threads), Path(file))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    data = Path(os.environ.get("BERTWRIGHT_DATA", "../shared/data"))
    parser.add_argument("--data", type=Path, default=data, help="the folder that holds en/sst2 and the others")
    parser.add_argument("--results", type=Path, required=True, help="where each run leaves its file")
    parser.add_argument("--only", nargs="+", choices=EXPERIMENTS, default=list(EXPERIMENTS), metavar="NAME")
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=SYSTEMS)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--epoch-limit", type=float, default=600, help="seconds that allow more than one seed")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--table", action="store_true", help="print the tables of what is there, and run nothing")
    options = parser.parse_args()
    if not options.table:
        options.results.mkdir(parents=True, exist_ok=True)
        run_all(options)
    print_tables(options.results)


if __name__ == "__main__":
    main()
