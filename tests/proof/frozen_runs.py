"""Fixed short trainings of every task, as digests: a change of the code's shape must leave all of them as they are.

Thirty steps each, in fp32, with one thread and a fixed seed. The digests are those of one machine: take them where the
work begins, and compare after every commit:

    python -m tests.proof.frozen_runs --write /tmp/proof.json
    python -m tests.proof.frozen_runs --against /tmp/proof.json

Of every run the final weights, `predictions.jsonl`, the metrics and the answers of `predict` are kept.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import logging
import os
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["OMP_WAIT_POLICY"] = "PASSIVE"

import torch
from safetensors.torch import load_file

from bertwright import Predictor, finetune
from bertwright.corpus.prepare_settings import PrepareSettings
from bertwright.data.examples import label_of
from bertwright.data.samples import sentiment_samples
from bertwright.data.tagged.writing import lines_for
from bertwright.machine import precision
from bertwright.training.pretraining.pretrain import pretrain
from tests.corpus import corpus_samples
from tests.flows.killed_jobs import make_model
from tests.tagged_texts import tagged_sentences, write_tagger_model

Digests = dict[str, str]
_FIXED: dict[str, Any] = {
    "precision": "fp32",
    "seed": 7,
    "max_steps": 30,
    "epochs": 30,
    "eval_steps": 15,
    "learning_rate": 3e-3,
}
setattr(precision, "gain_of_bf16", lambda device: 1.0)  # noqa: B010  # answers, too, are computed in fp32
_TEXTS = ["This is a great movie!", "It was cold and slow.", "", "Nobody came 。"]


class Bench:
    """A folder with data and models for the runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.model = make_model(folder / "model")
        (folder / "tagger").mkdir()
        self.tagger = write_tagger_model(folder / "tagger")
        rows = [(one.text, label_of(one) or "") for one in sentiment_samples("en")]
        self.singles = rows[::3]
        self.pairs = [(a, b, "same" if x == y else "other") for (a, x), (b, y) in zip(rows[::3], rows[1::3])]
        self.long = [(" ".join(text for text, _ in rows[i : i + 5]), rows[i][1]) for i in range(0, 300, 5)]
        self.written = [(text, " ".join(text.split()[:3])) for text, _ in rows[::4]]
        for name, count, seed in (("train", 120, 1), ("dev", 30, 2)):
            lines = lines_for(tagged_sentences(count, seed), "doccano", "bio")
            (folder / f"{name}.jsonl").write_text("".join(lines), encoding="utf-8")

    def tuned(self, name: str, train: Any, texts: Any, **options: Any) -> Digests:
        """A fine-tuned run; without a dev set of its own the last quarter is one."""
        dev = options.pop("dev", None)
        if dev is None:
            cut = len(train) * 3 // 4
            train, dev = train[:cut], train[cut:]
        out = self.folder / name
        given: dict[str, Any] = {"model": self.model, "batch_size": 8} | _FIXED | options
        finetune(train, dev, out=out, **given)
        return digests(out, texts)

    def resumed(self) -> Digests:
        """The first run once more, ended by Ctrl-C after its first evaluation, and gone on with."""
        out = self.folder / "resumed"
        cut = len(self.singles) * 3 // 4
        options: dict[str, Any] = {"model": self.model, "batch_size": 8, "out": out, "resume": True} | _FIXED
        work = lambda: finetune(self.singles[:cut], self.singles[cut:], **options)  # noqa: E731
        child = os.fork()
        if child == 0:
            sys.addaudithook(lambda event, _: _end_when_saved(event, out))
            with contextlib.suppress(KeyboardInterrupt):
                work()
            os._exit(0)
        os.waitpid(child, 0)
        assert not json.loads((out / "run.json").read_text(encoding="utf-8"))["finished"], "it was to be ended"
        work()
        return digests(out, _TEXTS)

    def pretrained(self) -> Digests:
        """Masked words, some of them Chinese ones of two characters, and next sentences."""
        words = self.folder / "words.txt"
        words.write_text("老人\n湖边\n孩子们\n", encoding="utf-8")
        file = corpus_samples.write_blocks(self.folder / "corpus.txt", corpus_samples.documents(120))
        vocab = corpus_samples.vocabulary(self.folder / "vocab")
        store = self.folder / "store"
        corpus_samples.prepare([file], vocab, store, PrepareSettings(words=words))
        out = self.folder / "pretrained"
        pretrain(
            store, out=out, max_steps=30, eval_steps=15, masking="word", batch_tokens=256, micro_tokens=128,
            held_out=0.1, precision="fp32", num_hidden_layers=2, hidden_size=32, num_attention_heads=2, max_length=32,
            max_position_embeddings=48, learning_rate=3e-3, seed=7,
        )  # fmt: skip
        return digests(out, ["The old [MASK] climbed the stairs.", "孩子们在院子里数[MASK]星。"])


def _end_when_saved(event: str, out: Path) -> None:
    if event == "os.rename" and (out / "best" / "manifest.json").is_file():
        os.kill(os.getpid(), signal.SIGINT)


def digests(out: Path, texts: Any) -> Digests:
    """What a run came to."""
    weights = hashlib.sha256()
    for name, tensor in sorted(load_file(out / "last" / "model.safetensors").items()):
        weights.update(name.encode())
        weights.update(tensor.numpy().tobytes())
    answers = [json.dumps(one.to_json(), ensure_ascii=False) for one in Predictor.load(out)(texts)]
    found = {"weights": weights.hexdigest(), "answers": _of("\n".join(answers))}
    for name in ("metrics.csv", "predictions.jsonl", "errors.csv"):
        if (out / name).is_file():
            found[name] = _of((out / name).read_text(encoding="utf-8"))
    return found


def _of(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def runs(bench: Bench) -> dict[str, Callable[[], Digests]]:
    """Every run by its name."""
    tags = {"dev": bench.folder / "dev.jsonl", "model": bench.tagger, "learning_rate": 1e-2, "batch_size": 16}
    tagged = bench.folder / "train.jsonl"
    places = ["Peter lives in Oslo .", "李明 昨天 到 上海 去 了 。"]
    return {
        "classification": lambda: bench.tuned("single", bench.singles, _TEXTS),
        "pairs": lambda: bench.tuned("pairs", bench.pairs, [("This is great.", "It is good."), ("a", "b")]),
        "windows": lambda: bench.tuned(
            "windows", bench.long, [" ".join(_TEXTS) * 5], max_length=24, overlap=4, micro_tokens=64
        ),
        "balanced": lambda: bench.tuned("balanced", bench.singles[:60], _TEXTS, class_weight="sqrt", optimizer="muon"),
        "tagging-crf": lambda: bench.tuned("crf", tagged, places, task="tagging", **tags),
        "tagging-softmax": lambda: bench.tuned("softmax", tagged, places, task="tagging", head="softmax", **tags),
        "tagging-windows": lambda: bench.tuned(
            "cut", tagged, [" ".join(places * 4)], task="tagging", scheme="bioes", max_length=12, overlap=3, **tags
        ),
        "spans": lambda: bench.tuned("spans", tagged, places, task="spans", **tags),
        "seq2seq": lambda: bench.tuned(
            "written", bench.written, _TEXTS, task="seq2seq", max_target_length=8, num_beams=2
        ),
        "regression": lambda: bench.tuned(
            "valued", [(text, len(text) / 8) for text, _ in bench.singles], _TEXTS, task="regression"
        ),
        "pretraining": bench.pretrained,
        "resumed": bench.resumed,
    }


def main() -> None:
    """Print, write or compare the digests; exit code 1 where one is another."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", type=Path)
    parser.add_argument("--against", type=Path)
    parser.add_argument("--only", nargs="*", help="names of runs")
    options = parser.parse_args()
    torch.set_num_threads(1)
    logging.getLogger("bertwright").setLevel(logging.ERROR)
    found: dict[str, Digests] = {}
    silence = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  (of progress lines, till the very end)
    with tempfile.TemporaryDirectory() as scratch, contextlib.redirect_stderr(silence):
        os.chdir(scratch)  # answers name the files that they are to
        every = runs(Bench(Path()))
        for name in options.only or every:
            found[name] = every[name]()
    for name, values in found.items():
        print(f"{name:16}", *(f"{what} {digest[:12]}" for what, digest in values.items()))
    if options.write:
        options.write.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    if options.against:
        before = json.loads(options.against.read_text(encoding="utf-8"))
        other = [
            f"{name}: {what}"
            for name, values in found.items()
            for what in {**before.get(name, {}), **values}
            if before.get(name, values).get(what) != values.get(what)
        ]
        print("\n".join(f"differs: {one}" for one in other) or f"{len(found)} runs, all as before")
        sys.exit(bool(other))


if __name__ == "__main__":
    main()
