"""Scores of taggers on real data: CRF and softmax head over five seeds, with paired differences.

    python benchmarks/tagging_scores.py --data ../shared/data --results benchmarks/results/tagging conll2003
    python benchmarks/tagging_scores.py --data ../shared/data --results benchmarks/results/tagging resume cluener msra

CoNLL-2003 starts from the 6-layer checkpoint, and the token classification head of `transformers` on the same encoder
stands beside, trained in the same precision. The Chinese sets start from random weights with the vocabulary of
bert-base-chinese, unless `--chinese-model` names a folder; of MSRA the first `--msra-rows` training sentences are used.
The epoch that is best on the dev set is scored on the test set (Resume, CoNLL, MSRA with a held-out part of its
training data as dev) or on the dev set itself (CLUENER, whose test labels are not public). Each run writes a file of
its own; a run whose file is there is not repeated. `--rows` and `--epochs` make a short trial of everything, `--unit`
(in a folder of its own) tells what the choice of units is worth.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from bertwright import BertConfig, BertModel, BertTokenizer, Predictor, finetune
from bertwright.data.answers import Span
from bertwright.data.examples import Example, spans_of
from bertwright.data.tagged.schemes import parse_tag, read_entities, spell_tag, tag_set, write_tags
from bertwright.data.tagged.span_sources import read_spans
from bertwright.data.tagged.writing import overlapping
from bertwright.evaluation.entity_scores import EntityCounts
from bertwright.machine.precision import resolve_precision
from checkpoints import minilm

SEEDS = (1, 2, 3, 4, 5)  # named before the first run


@dataclass(frozen=True)
class DataSet:
    """Where a data set is, and how it is learnt."""

    train: str
    dev: str | None
    test: str
    epochs: int
    batch_size: int
    learning_rate: float
    peers: tuple[str, ...] = ()


SETS = {
    "conll2003": DataSet(
        "en/conll2003/eng.train", "en/conll2003/eng.testa", "en/conll2003/eng.testb", 3, 16, 1e-4, ("transformers",)
    ),
    "resume": DataSet(
        "zh/resume_ner/train.char.bmes", "zh/resume_ner/dev.char.bmes", "zh/resume_ner/test.char.bmes", 10, 16, 5e-4
    ),
    "cluener": DataSet("zh/cluener/train.json", "zh/cluener/dev.json", "zh/cluener/dev.json", 7, 32, 5e-4),
    "msra": DataSet("zh/msra_ner/train.bio.xz", None, "zh/msra_ner/test.bio", 4, 32, 5e-4),
}


def random_chinese(data: Path, folder: Path, seed: int) -> Path:
    """A model of 4 layers and width 256 with random weights."""
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = next((data / "vocab").glob("*chinese*")) / "vocab.txt"
    tokenizer = BertTokenizer(vocabulary, do_lower_case=True)
    tokenizer.save_pretrained(folder)
    torch.manual_seed(seed)
    shape: dict[str, Any] = {
        "hidden_size": 256,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "intermediate_size": 1024,
    }
    BertModel(BertConfig(vocab_size=len(tokenizer), **shape)).save_pretrained(folder)
    return folder


def load(options: argparse.Namespace, name: str) -> tuple[list[Example], list[Example], list[Example]]:
    """Train, dev and test examples."""
    chosen = SETS[name]
    train = read_spans(options.data / chosen.train).examples
    test = read_spans(options.data / chosen.test).examples
    if name == "msra":
        train = train[: options.msra_rows]
    dev = read_spans(options.data / chosen.dev).examples if chosen.dev else train[::10]
    if chosen.dev is None:
        train = [one for index, one in enumerate(train) if index % 10]
    flat = [one for one in train if not overlapping(spans_of(one) or ())]
    if nested := len(train) - len(flat):
        print(f"{name}: {nested} of {len(train)} training sentences have nested entities and are left out")
    rows = options.rows
    return flat[:rows], dev[:rows], test[:rows]


def run_tagger(
    train: Sequence[Example],
    dev: Sequence[Example],
    test: Sequence[Example],
    model: str | Path,
    kept: Literal["best", "last"],
    **settings: Any,
) -> dict[str, Any]:
    """Train a tagger of this toolkit and score it on `test`: the best epoch on `dev`, or the last one."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        outcome = finetune(train, dev, model=model, out=out, task="tagging", **settings).outcome
        predictor = Predictor.load(out / kept)
        scores = predictor.task.as_task().score(predictor.answer(test), test)
    best = outcome.best.scores["f1"]
    return {**scores, "dev_f1": best, "train_seconds": outcome.train_seconds, "tokens": outcome.tokens}


def run_ours(options: argparse.Namespace, name: str, seed: int, head: str) -> dict[str, Any]:
    """One run of this toolkit."""
    chosen = SETS[name]
    with tempfile.TemporaryDirectory() as folder:
        model = minilm() if name == "conll2003" else options.chinese_model
        model = model or random_chinese(options.data, Path(folder), seed)
        return run_tagger(
            *load(options, name), model, "best", head=head, seed=seed,
            epochs=options.epochs or chosen.epochs, batch_size=chosen.batch_size, learning_rate=chosen.learning_rate,
            precision=options.precision, unit=options.unit,
        )  # fmt: skip


def run_transformers(options: argparse.Namespace, name: str, seed: int, _: str) -> dict[str, Any]:
    """`AutoModelForTokenClassification` on the same encoder: the first piece of each token has its tag, in BIO."""
    import transformers

    transformers.logging.set_verbosity_error()
    chosen = SETS[name]
    parts = [sentences(options.data / path, options.rows) for path in (chosen.train, chosen.dev or "", chosen.test)]
    parts[1:] = [sorted(part, key=lambda one: len(one[0])) for part in parts[1:]]  # fewer pads to judge
    types = sorted({span.type for _, spans in parts[0] for span in spans})
    tags = tag_set(types, "bio")
    folder = minilm()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    transformers.set_seed(seed)
    model = transformers.AutoModelForTokenClassification.from_pretrained(folder, num_labels=len(tags))

    def rows(part: Sequence[tuple[list[str], list[Span]]]) -> Any:
        """A list, which the Trainer takes for a dataset."""
        encoded = tokenizer([tokens for tokens, _ in part], is_split_into_words=True, truncation=True, max_length=512)
        made = []
        for index, (tokens, spans) in enumerate(part):
            numbers = [tags.index(spell_tag(tag, "bio")) for tag in write_tags(spans, len(tokens), "bio")]
            words = encoded.word_ids(index)
            first = [word is not None and word != before for word, before in zip(words, [None, *words])]
            labels = [numbers[word] if is_first else -100 for word, is_first in zip(words, first)]
            ids = encoded["input_ids"][index]
            made.append({"input_ids": ids, "attention_mask": [1] * len(ids), "labels": labels})
        return made

    def f1(part: Sequence[tuple[list[str], list[Span]]]) -> Callable[[object], dict[str, float]]:
        def score(prediction: object) -> dict[str, float]:
            logits, labels = prediction.predictions, prediction.label_ids  # type: ignore[attr-defined]
            found = []
            for row, wanted in zip(np.argmax(logits, -1), labels):
                parsed = [parse_tag(tags[number], "bio") for number, label in zip(row, wanted) if label != -100]
                found.append(read_entities([tag for tag in parsed if tag is not None]))
            return {"f1": EntityCounts.of([spans for _, spans in part], found).f1}

        return score

    with tempfile.TemporaryDirectory() as out:
        arguments = transformers.TrainingArguments(
            output_dir=out, num_train_epochs=options.epochs or chosen.epochs, weight_decay=0.01, warmup_steps=0.1,
            per_device_train_batch_size=chosen.batch_size, learning_rate=chosen.learning_rate, seed=seed, use_cpu=True,
            eval_strategy="epoch", save_strategy="epoch", load_best_model_at_end=True, metric_for_best_model="f1",
            bf16=options.precision == "bf16", save_total_limit=1, report_to="none", disable_tqdm=True,
            dataloader_pin_memory=False, logging_strategy="no",
        )  # fmt: skip
        trainer = transformers.Trainer(
            model=model, args=arguments, train_dataset=rows(parts[0]), eval_dataset=rows(parts[1]),
            data_collator=transformers.DataCollatorForTokenClassification(tokenizer), compute_metrics=f1(parts[1]),
        )  # fmt: skip
        result = trainer.train()
        dev = trainer.state.best_metric
        trainer.compute_metrics = f1(parts[2])
        test = trainer.evaluate(rows(parts[2]))["eval_f1"]
    return {"f1": test, "dev_f1": dev, "train_seconds": result.metrics["train_runtime"]}


def sentences(path: Path, limit: int | None) -> list[tuple[list[str], list[Span]]]:
    """Tokens, and entities in tokens, of a column file whose tokens are joined by spaces."""
    made = []
    for example in read_spans(path).examples[:limit]:
        tokens = example.text.split(" ")
        starts = np.cumsum([0, *(len(token) + 1 for token in tokens)])
        spans = [
            Span(int(np.searchsorted(starts, one.start)), int(np.searchsorted(starts, one.end)), one.type)
            for one in spans_of(example) or ()
        ]
        made.append((tokens, spans))
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", default=[], help=f"of {', '.join(SETS)}; none: all")
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds en/ and zh/")
    parser.add_argument("--results", type=Path, required=True, help="where each run leaves its file")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS))
    parser.add_argument("--chinese-model", type=Path, help="a model folder instead of random weights")
    parser.add_argument("--msra-rows", type=int, default=10_000)
    parser.add_argument("--epochs", type=int, help="instead of those of the set")
    parser.add_argument("--rows", type=int, help="of every part, for a trial")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--precision", default="auto", choices=("auto", "fp32", "bf16"), help="of every system")
    parser.add_argument("--unit", default="auto", choices=("auto", "token", "word", "character"), help="of our taggers")
    parser.add_argument("--systems", nargs="+", help="not all of crf, softmax, transformers")
    options = parser.parse_args()
    options.precision = resolve_precision(options.precision, torch.device("cpu"))
    torch.set_num_threads(options.threads)
    options.results.mkdir(parents=True, exist_ok=True)
    asked = {"trained_in": options.precision, "rows": options.rows, "epochs": options.epochs, "unit": options.unit}
    runs = {"crf": run_ours, "softmax": run_ours, "transformers": run_transformers}
    for name in options.sets or SETS:
        systems = [one for one in ("crf", "softmax", *SETS[name].peers) if one in (options.systems or runs)]
        found: dict[str, list[dict[str, Any]]] = {system: [] for system in systems}
        for seed in options.seeds:
            for system in systems:
                file = options.results / f"{name}-{system}-{seed}.json"
                if not file.is_file():
                    values = runs[system](options, name, seed, system) | asked
                    file.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
                row = json.loads(file.read_text(encoding="utf-8"))
                if other := {key: row.get(key, "-") for key, value in asked.items() if row.get(key, value) != value}:
                    parser.error(f"{file} is of a run with {other}: move it away")
                found[system].append(row)
        tell(name, found)


def tell(name: str, found: dict[str, list[dict[str, Any]]]) -> None:
    """Means with their spread, and the differences seed by seed."""
    print(f"\n{name}\n\n| system | F1, mean (sd) | dev F1 | ECE |\n|---|---|---|---|")
    for system, rows in found.items():
        cells = []
        for key in ("f1", "dev_f1", "ece"):
            values = [row[key] for row in rows if key in row]
            spread = f" ({statistics.stdev(values):.4f})" if len(values) > 1 else ""
            cells.append(f"{statistics.mean(values):.4f}{spread}" if values else "–")
        print(f"| {system} | {' | '.join(cells)} |")
    pairs = [("crf", "softmax"), *(("softmax", one) for one in found if one not in ("crf", "softmax"))]
    for one, other in (pair for pair in pairs if found.keys() >= set(pair)):
        differences = [a["f1"] - b["f1"] for a, b in zip(found[one], found[other])]
        listed = ", ".join(f"{100 * value:+.2f}" for value in differences)
        print(
            f"\n{one} minus {other}, in points, seed by seed: {listed}; mean {100 * statistics.mean(differences):+.2f}"
        )


if __name__ == "__main__":
    main()
