"""Make the folder of what this version writes to disk.

    cd REPOSITORY && PYTHONPATH=src python -m tests.earlier.make_fixtures

`v0.1.0/` was made by it with Bertwright 0.1.0 at commit 2865c6e. The script is kept to tell what is in there and how
it came about; a later version need not be able to run it, and must not make the folder of an earlier one again. What
is in a folder:

- `data/`, `model/`: what was trained on, the sentences of `sentences.py`, and a BERT with random weights;
- `store/`: a corpus, prepared from `data/corpus.txt`, in parts of 400 bytes and shards of about 200 tokens;
- `interrupted/NAME/`: a run that Ctrl-C stopped after its 10th step of 32 or more, as it left its folder: `last/` is of
  that step, `best/` of an evaluation before it; only `.last.previous/` is deleted;
- `finished/NAME/`: `best/` and `run.json` of the same run, resumed to its end;
- `answers/`: `texts.csv`, and what `bertwright predict finished/classification --input answers/texts.csv --output
  answers/answers.jsonl` left when it was interrupted after 8 of 12 texts;
- `expected.json`: for each run its command, its scores at the end, those that `evaluate` gives, its answers to three
  texts, and the SHA-256 of the tensors of `last/model.safetensors` at the end; the kind of machine that computed them.

Every path in the files is relative, since all was made standing in the folder. The one file that names absolute paths,
`answers.jsonl.part.json`, was rewritten afterwards: its folder is called `/earlier` there. Reports and plots are
deleted.
"""

from __future__ import annotations

import csv
import json
import logging
import os
import random
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from bertwright import BertConfig, BertModel, BertTokenizer, Predictor, finetune
from bertwright.cli.main import main as command_line
from bertwright.corpus.prepare import prepare_corpus
from bertwright.corpus.store import CorpusStore
from bertwright.inference import streaming
from bertwright.inference.evaluate import evaluate
from bertwright.training.pretraining.pretrain import pretrain
from bertwright.training.pretraining.pretrain_steps import PretrainSteps
from bertwright.training.steps import ExampleSteps
from bertwright.version import __version__

from . import sentences
from .fingerprints import machine_kind, weights_digest

COMMIT = "2865c6e"
STOPPED_AFTER = 10

# The keyword arguments of each run, beside `out`; they take 32 steps, or some more.
COMMON: dict[str, Any] = {
    "model": "model", "epochs": 8, "max_length": 16, "precision": "fp32", "micro_tokens": 64, "dropout": 0.05,
    "eval_steps": 8,
}  # fmt: skip
RUNS: dict[str, dict[str, Any]] = {
    "classification": {
        "train": "data/classes-train.csv", "dev": "data/classes-dev.csv", **COMMON, "batch_size": 4,
        "learning_rate": 0.04, "seed": 4,
    },
    "pairs": {
        "train": "data/pairs-train.csv", "dev": "data/pairs-dev.csv", **COMMON, "max_length": 32, "batch_size": 3,
        "learning_rate": 0.02, "seed": 7,
    },
    "tagging-crf": {
        "train": "data/tagged-train.conll", "dev": "data/tagged-dev.conll", **COMMON, "batch_size": 3,
        "task": "tagging", "head": "crf", "learning_rate": 0.04, "seed": 4,
    },
    "tagging-softmax": {
        "train": "data/tagged-train.jsonl", "dev": "data/tagged-dev.jsonl", **COMMON, "batch_size": 3,
        "task": "tagging", "head": "softmax", "learning_rate": 0.04, "seed": 8,
    },
    "spans": {
        "train": "data/nested-train.jsonl", "dev": "data/nested-dev.jsonl", **COMMON, "batch_size": 3,
        "task": "spans", "learning_rate": 0.04, "seed": 3,
    },
    "seq2seq": {
        "train": "data/written-train.csv", "dev": "data/written-dev.csv", **COMMON, "epochs": 12,
        "batch_size": 4, "task": "seq2seq", "max_target_length": 8, "num_beams": 2, "learning_rate": 0.02, "seed": 3,
    },
    "pretraining": {
        "store": "store", "max_steps": 32, "eval_steps": 8, "phases": [[0.5, 16], [0.5, 24]], "batch_tokens": 64,
        "micro_tokens": 64, "held_out": 0.1, "precision": "fp32", "learning_rate": 0.03, "dropout": 0.05,
        "num_hidden_layers": 1, "hidden_size": 8, "num_attention_heads": 2, "intermediate_size": 8,
        "max_position_embeddings": 32,
    },
}  # fmt: skip
ASKED: dict[str, Sequence[Any]] = {
    "classification": sentences.CLASSES_ASKED,
    "pairs": sentences.PAIRS_ASKED,
    "tagging-crf": sentences.TAGGED_ASKED,
    "tagging-softmax": sentences.TAGGED_ASKED,
    "spans": sentences.NESTED_ASKED,
    "seq2seq": sentences.WRITTEN_ASKED,
    "pretraining": sentences.MASKED_ASKED,
}


def main() -> None:
    """Make the folder of this version beside the script; nothing may be there."""
    target = Path(__file__).resolve().parent / f"v{__version__}"
    if target.exists():
        sys.exit(f"{target} is there: it is not made a second time")
    logging.getLogger("bertwright").setLevel(logging.WARNING)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch).resolve()
        os.chdir(folder)
        write_data(Path("data"))
        write_model(Path("model"))
        store = write_store()
        expected: dict[str, Any] = {
            "bertwright_version": __version__,
            "commit": COMMIT,
            "machine": machine_kind(),
            "threads": torch.get_num_threads(),
            "store": store,
            "runs": {name: make_run(name, command) for name, command in RUNS.items()},
            "answers": make_answers(),
        }
        text = json.dumps(expected, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        Path("expected.json").write_text(text, encoding="utf-8")
        neutral = Path("answers/answers.jsonl.part.json")
        neutral.write_text(
            neutral.read_text(encoding="utf-8").replace(json.dumps(str(folder))[1:-1], "/earlier"), encoding="utf-8"
        )
        for file in folder.rglob("*"):
            assert not file.is_file() or str(folder).encode() not in file.read_bytes(), f"{file} names this machine"
        os.chdir(target.parent)
        shutil.copytree(folder, target)


def write_data(folder: Path) -> None:
    """The data files."""
    folder.mkdir()
    for split in ("train", "dev"):
        of_split = {name: getattr(sentences, f"{name.upper()}_{split.upper()}") for name in ("classes", "pairs")}
        of_split["written"] = getattr(sentences, f"WRITTEN_{split.upper()}")
        headers = {
            "classes": ("text", "label"), "pairs": ("text_a", "text_b", "label"), "written": ("source", "target"),
        }  # fmt: skip
        for name, rows in of_split.items():
            with (folder / f"{name}-{split}.csv").open("w", encoding="utf-8", newline="") as file:
                csv.writer(file, lineterminator="\n").writerows([headers[name], *rows])
        tagged = [parts_of(line) for line in getattr(sentences, f"TAGGED_{split.upper()}")]
        nested = [parts_of(line) for line in getattr(sentences, f"NESTED_{split.upper()}")]
        write_lines(folder / f"tagged-{split}.conll", ["\n".join(columns_of(*one)) + "\n" for one in tagged])
        for name, rows in (("tagged", tagged), ("nested", nested)):
            lines = [json.dumps({"text": text, "label": spans}, ensure_ascii=False) for text, spans in rows]
            write_lines(folder / f"{name}-{split}.jsonl", lines)
    draw = random.Random(0)
    documents = []
    for number in range(24):
        chosen = [f"{line} {number % 5 + 1}, {number // 5 + 1}." for line in draw.sample(sentences.CORPUS, 4)]
        documents.append("\n".join(chosen) + "\n")
    write_lines(folder / "corpus.txt", documents)


def write_lines(file: Path, lines: Sequence[str]) -> None:
    """A text file, with line ends as they are everywhere but on Windows."""
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")


def parts_of(line: str) -> tuple[str, list[list[Any]]]:
    """`[PER Anna] met nobody .`: the text, and start, end and type of its parts in their order."""
    text, spans, opened = "", list[list[Any]](), list[tuple[int, str]]()
    while line:
        if line[0] == "[":
            kind, _, line = line[1:].partition(" ")
            opened.append((len(text), kind))
        elif line[0] == "]":
            start, kind = opened.pop()
            spans.append([start, len(text), kind])
            line = line[1:]
        else:
            text, line = text + line[0], line[1:]
    return text, sorted(spans)


def columns_of(text: str, spans: Sequence[Sequence[Any]]) -> list[str]:
    """A word and its tag on every line."""
    lines, at = [], 0
    for word in text.split(" "):
        tags = [f"{'B' if start == at else 'I'}-{kind}" for start, end, kind in spans if start <= at < end]
        lines.append(f"{word} {tags[0] if tags else 'O'}")
        at += len(word) + 1
    return lines


def write_model(folder: Path) -> None:
    """The model that all runs but pre-training start from."""
    vocabulary = sentences.VOCABULARY.split()
    BertTokenizer(vocabulary, do_lower_case=True).save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(vocabulary), hidden_size=8, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=8, max_position_embeddings=32, initializer_range=0.3,
    )  # fmt: skip
    BertModel(config).save_pretrained(folder)


def write_store() -> dict[str, int]:
    """The corpus store, of several shards, and what it holds."""
    prepare_corpus(["data/corpus.txt"], "model", "store", part_bytes=400, shard_tokens=200)
    store = CorpusStore.open("store")
    assert len(store.shards) > 1
    return {"documents": store.documents, "sentences": store.sentences, "tokens": store.tokens}


def work(command: dict[str, Any], out: Path, *, resume: bool) -> Any:
    """The run of a command, begun or resumed."""
    return (pretrain if "store" in command else finetune)(**command, out=out, resume=resume)


def stopping_at(call: Callable[..., Any], number: int) -> Callable[..., Any]:
    """`call`, during whose call of that number, counted from 1, Ctrl-C is pressed."""
    calls = 0

    def counted(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == number:
            signal.raise_signal(signal.SIGINT)
        return call(*arguments, **options)

    return counted


def make_run(name: str, command: dict[str, Any]) -> dict[str, Any]:
    """Interrupt a run, keep it as it is, and resume a copy to its end."""
    out, end = Path("interrupted", name), Path("finished", name)
    kinds: tuple[Any, ...] = (ExampleSteps, PretrainSteps)
    parts = [kind.parts for kind in kinds]
    for kind in kinds:
        kind.parts = stopping_at(kind.parts, STOPPED_AFTER)
    try:
        work(command, out, resume=False)
    except KeyboardInterrupt:
        pass
    else:
        sys.exit(f"{name} was not interrupted")
    finally:
        for kind, before in zip(kinds, parts):
            kind.parts = before
    kept = Path("kept", name)
    shutil.copytree(out, kept)
    run = work(command, out, resume=True)
    best, steps = run.outcome.best, len(run.outcome.history)
    digest = weights_digest(out / "last" / "model.safetensors")
    end.mkdir(parents=True)
    shutil.copytree(out / "best", end / "best")
    shutil.copy(out / "run.json", end / "run.json")
    shutil.rmtree(out)
    shutil.move(kept, out)
    kept.parent.rmdir()
    shutil.rmtree(out / ".last.previous")
    assert not json.loads((out / "run.json").read_text(encoding="utf-8"))["finished"]
    assert (out / "last" / "training" / "state.json").is_file()
    answers = [one.to_json() for one in Predictor.load(end)(list(ASKED[name]))]
    return {
        "command": command,
        "resumed": {"scores": best.scores, "best_step": best.step, "steps": steps, "weights": digest},
        "evaluated": evaluate(end, command["dev"]).scores if "dev" in command else None,
        "asked": ASKED[name],
        "answers": answers,
    }


def make_answers() -> list[dict[str, Any]]:
    """Answers of `bertwright predict` that were interrupted in their third group of four; and all answers."""
    folder = Path("answers")
    folder.mkdir()
    with (folder / "texts.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([("text",), *((text,) for text in sentences.FILE_ASKED)])
    words = ["bertwright", "predict", "finished/classification", "--input", "answers/texts.csv", "--output"]
    answer, streaming._TEXTS_AT_ONCE = Predictor.answer, 4
    for output, number in (("answers.jsonl", 3), ("whole.jsonl", 0)):
        Predictor.answer = stopping_at(answer, number)  # type: ignore[method-assign]
        sys.argv, code = [*words, f"answers/{output}"], 0
        try:
            command_line()
        except SystemExit as done:
            code = int(done.code or 0)
        assert code == (130 if number else 0), f"{output}: exit code {code}"
    whole = folder / "whole.jsonl"
    answers = [json.loads(line) for line in whole.read_text(encoding="utf-8").splitlines()]
    whole.unlink()
    names = sorted(file.name for file in folder.iterdir())
    assert names == ["answers.jsonl.part", "answers.jsonl.part.json", "texts.csv"], names
    return answers


if __name__ == "__main__":
    main()
