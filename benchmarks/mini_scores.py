"""What the built-in model is worth: `mini` fine-tuned beside its own shape with random weights.

    python benchmarks/mini_scores.py --data ../shared/data --results FOLDER
    python benchmarks/mini_scores.py --data ../shared/data --results FOLDER --only sst2 --seeds 1
    python benchmarks/mini_scores.py --results FOLDER --table
    python benchmarks/mini_scores.py --held-out STORE        (each language, in texts of 64, 128 and 256 tokens)
    python benchmarks/mini_scores.py --held-out STORE --model runs/mini-2/best
    python benchmarks/mini_scores.py --data ../shared/data --overlap        (pairs ranked by the words they share)

Every run is a process of its own and leaves a file in FOLDER; a run whose file is there is not repeated. The scores are
those after the last epoch, on the dev set (MRPC, CoNLL-2003 and MSRA: the test set). Of MSRA the first 5,000
sentences are learnt.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bertwright import BertConfig, BertForPreTraining, BertModel, BertTokenizer
from bertwright.checkpoint.hub import model_folder
from bertwright.checkpoint.replacing import write_text
from bertwright.corpus.drawing.sampler import PretrainSampler
from bertwright.corpus.drawing.sampling_settings import SamplingSettings
from bertwright.corpus.store import CorpusStore
from bertwright.data.examples import label_of
from bertwright.data.tagged.span_sources import read_spans
from bertwright.evaluation.ranking import bootstrap_ranking, roc_auc
from bertwright.tasks.pretraining import PreTraining
from bertwright.training.lesson import Lesson
from bertwright.training.pretraining.held_out_set import HeldOut
from scores import Experiment, cell, run_ours
from tagging_scores import run_tagger

_OURS: dict[str, Any] = {"learning_rate": 3e-4}
_FEW: dict[str, Any] = {"learning_rate": 1e-4}  # chosen with mini's first piece on a part held out of train
_TAGGING: dict[str, Any] = {"learning_rate": 5e-4, "head": "crf"}
EXPERIMENTS = {
    "mrpc": Experiment(
        "MRPC", "en/mrpc/msr_paraphrase_train.txt", "en/mrpc/test.tsv", 2, ("accuracy", "f1", "roc_auc"), settings=_FEW
    ),
    "sst2": Experiment("SST-2", "en/sst2/train.tsv", "en/sst2/dev.tsv", 2, settings=_OURS),
    "chnsenticorp": Experiment(
        "ChnSentiCorp", "zh/chnsenticorp/train.tsv", "zh/chnsenticorp/dev.tsv", 2, settings=_OURS
    ),
    "tnews": Experiment("TNEWS", "zh/tnews/train.json.xz", "zh/tnews/dev.json", 2, settings=_OURS),
    "afqmc": Experiment(
        "AFQMC", "zh/afqmc/train.csv", "zh/afqmc/dev.csv", 2, ("accuracy", "f1", "roc_auc"), settings=_OURS
    ),
    "conll2003": Experiment(
        "CoNLL-2003",
        "en/conll2003/eng.train",
        "en/conll2003/eng.testb",
        5,
        ("f1",),
        settings=_TAGGING | {"unit": "word"},  # as the first scores were measured; by itself it would be tokens
    ),
    "msra": Experiment(
        "MSRA NER", "zh/msra_ner/train.bio.xz", "zh/msra_ner/test.bio", 5, ("f1",), (0, 5_000), settings=_TAGGING
    ),
}
TAGGING = ("conll2003", "msra")
STARTS = ("mini", "random")


def start(name: str, seed: int, results: Path) -> Path:
    """The folder of `mini`, or of its shape with the random weights of a seed, made once."""
    mini = model_folder("mini")
    if name == "mini":
        return mini
    folder = results / f"random-{seed}"
    if not (folder / "model.safetensors").is_file():
        folder.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(seed)
        BertTokenizer.from_pretrained(mini).save_pretrained(folder)
        BertModel(BertConfig.from_pretrained(mini)).save_pretrained(folder)
    return folder


def run_entities(experiment: Experiment, data: Path, seed: int, model: Path) -> dict[str, Any]:
    """One run of a tagger; the scores are those of `last/`, the model after the last epoch."""
    train = read_spans(data / experiment.train).examples[slice(*experiment.train_rows)]
    test = read_spans(data / experiment.dev).examples
    scores = run_tagger(train, test, test, model, "last", **experiment.resolved(), seed=seed)
    return {"scores": scores, "rows": [len(train), len(test)]}


def run_one(name: str, begin: str, seed: int, options: argparse.Namespace) -> None:
    """One run, in this process; its file is written last and whole."""
    torch.set_num_threads(options.threads)
    experiment = EXPERIMENTS[name]
    run = run_entities if name in TAGGING else run_ours
    found = run(experiment, options.data, seed, start(begin, seed, options.results))
    found |= {"experiment": name, "start": begin, "seed": seed, "settings": experiment.resolved()}
    write_text(options.results / f"{name}-{begin}-{seed}.json", json.dumps(found, indent=2) + "\n")


def run_all(options: argparse.Namespace) -> None:
    """All runs that are asked for and not there: first every data set once."""
    for seed in options.seeds:
        for name in options.only:
            for begin in STARTS:
                if (options.results / f"{name}-{begin}-{seed}.json").is_file():
                    continue
                print(f"{name}-{begin}-{seed}: {time.strftime('%H:%M:%S')}", file=sys.stderr, flush=True)
                words = ["--one", begin, "--only", name, "--seeds", str(seed), "--threads", str(options.threads)]
                words += ["--data", str(options.data), "--results", str(options.results)]
                subprocess.run([sys.executable, __file__, *words], check=True)


def runs(results: Path, name: str, begin: str) -> Sequence[dict[str, Any]]:
    """What is there, under the settings that hold now."""
    found = [json.loads(file.read_text(encoding="utf-8")) for file in sorted(results.glob(f"{name}-{begin}-*.json"))]
    if any(one["settings"] != EXPERIMENTS[name].resolved() for one in found):
        raise SystemExit(f"runs of {name} in {results} were made with other settings: move them away")
    return found


def print_table(results: Path) -> None:
    """What is there, as Markdown."""
    print("| data | rows | epochs | metric | mini (seeds) | random weights (seeds) |\n|---|---|---|---|---|---|")
    for name, experiment in EXPERIMENTS.items():
        ours, random = (runs(results, name, begin) for begin in STARTS)
        for metric in experiment.metrics if ours or random else ():
            rows = " / ".join(f"{count:,}" for count in (*ours, *random)[0]["rows"])
            cells = (experiment.title, rows, experiment.epochs, metric, cell(ours, metric), cell(random, metric))
            print("| " + " | ".join(map(str, cells)) + " |")


def print_held_out(folder: Path, model: str | Path, count: int) -> None:
    """How well it finds masked tokens, and tells pairs, in documents it has not seen; each language apart."""
    tokenizer = BertTokenizer.from_pretrained(model)
    store = CorpusStore.open(folder, tokenizer)
    net = BertForPreTraining.from_pretrained(model)
    words = tokenizer.convert_ids_to_tokens(list(range(len(tokenizer))))
    is_han = np.array([word[0] >= "\u3400" for word in words])
    print("| texts of | language | texts | MLM accuracy | MLM perplexity | NSP accuracy |\n|---|---|---|---|---|---|")
    for length in (64, 128, 256):
        settings = SamplingSettings(max_length=length)
        sampler = PretrainSampler(store, tokenizer, settings, seed=0, split="held_out")
        examples = sampler.samples(0, min(count, sampler.count(0)))
        han = np.array([is_han[one.input_ids].mean() for one in examples])
        for language, wanted in (("English", han < 0.1), ("Chinese", han > 0.4)):  # NSP makes pairs of both, too
            chosen = [one for one, take in zip(examples, wanted) if take]
            lesson = Lesson(net, PreTraining("mlm+nsp", len(tokenizer)), "fp32")
            found = HeldOut(lesson, chosen, tokenizer)().scores
            values = f"{found['mlm_accuracy']:.3f} | {found['mlm_perplexity']:.0f} | {found['nsp_accuracy']:.3f}"
            print(f"| {length} | {language} | {len(chosen):,} | {values} |", flush=True)


def print_overlap(data: Path) -> None:
    """What a count is worth where a model is to learn more: the tokens that two texts share, of all that they have."""
    tokenizer = BertTokenizer.from_pretrained("mini")
    print("| data | pairs | area under the ROC curve of the shared tokens |\n|---|---|---|")
    for name in ("mrpc", "afqmc"):
        experiment = EXPERIMENTS[name]
        _, pairs = experiment.read(data)
        tokens = [[set(tokenizer.tokenize(text or "")) for text in (one.text, one.text_b)] for one in pairs]
        shares = np.array([len(first & second) / max(len(first | second), 1) for first, second in tokens])
        is_same = np.array([label_of(one) == "1" for one in pairs])
        area = bootstrap_ranking(shares, is_same, {"roc_auc": roc_auc})["roc_auc"]
        print(f"| {experiment.title} | {len(pairs):,} | {area.value:.3f} ({area.low:.3f} to {area.high:.3f}) |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    data = Path(os.environ.get("BERTWRIGHT_DATA", "../shared/data"))
    parser.add_argument("--data", type=Path, default=data, help="the folder that holds en/sst2 and the others")
    parser.add_argument("--results", type=Path, help="where each run leaves its file")
    parser.add_argument("--only", nargs="+", choices=EXPERIMENTS, default=list(EXPERIMENTS), metavar="NAME")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--table", action="store_true", help="print the table of what is there, and run nothing")
    parser.add_argument("--one", choices=STARTS, help="a single run, in this process")
    parser.add_argument("--held-out", type=Path, metavar="STORE", help="score the pre-training, and nothing else")
    parser.add_argument("--model", default="mini", help="with --held-out: a model folder instead of `mini`")
    parser.add_argument("--texts", type=int, default=4000, help="with --held-out: of each length, at most")
    parser.add_argument("--overlap", action="store_true", help="score a count of shared tokens, and nothing else")
    options = parser.parse_args()
    if options.overlap:
        print_overlap(options.data)
        return
    if options.held_out:
        torch.set_num_threads(options.threads)
        print_held_out(options.held_out, options.model, options.texts)
        return
    if options.results is None:
        parser.error("--results FOLDER is missing")
    if options.one:
        run_one(options.only[0], options.one, options.seeds[0], options)
        return
    if not options.table:
        options.results.mkdir(parents=True, exist_ok=True)
        run_all(options)
    print_table(options.results)


if __name__ == "__main__":
    main()
