"""The jobs that `kill_points` kills: how each is begun and resumed, and what it leaves that no clock decides."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch
from safetensors.torch import load_file

from bertwright import BertConfig, BertModel, BertTokenizer
from bertwright.checkpoint import weights
from bertwright.checkpoint.folders import MANIFEST
from bertwright.corpus import journal
from bertwright.corpus.journal import STATE, Column
from bertwright.corpus.prepare_settings import PrepareSettings
from bertwright.corpus.store import WORK, file_name
from bertwright.corpus.writer import ShardWriter
from bertwright.data.examples import label_of
from bertwright.data.samples import sentiment_samples
from bertwright.reports import plots  # noqa: F401  (matplotlib is imported once, before the forks)
from bertwright.training.finetuning.finetune import finetune
from bertwright.training.pretraining.pretrain import pretrain
from tests.corpus import corpus_samples

Row = tuple[str, str | None]
# A function that writes a file: who has it, its name, and which file it writes, from its arguments.
Writer = tuple[Any, str, Callable[..., Path]]


class Job(ABC):
    """Work that can be killed and resumed.

    Attributes:
        writers: functions that write files of the job, besides `Path.write_bytes` and `Path.write_text`.
    """

    name: ClassVar[str]
    writers: ClassVar[Sequence[Writer]] = ()

    def __init__(self, folder: Path, workers: int) -> None:
        """Make what is needed in `folder`; `workers` processes help where a job can use them."""
        self.folder, self.workers = folder, workers

    @abstractmethod
    def work(self, out: Path, *, resume: bool) -> None:
        """The command, begun or resumed."""

    @abstractmethod
    def ending(self, out: Path) -> dict[str, Any]:
        """Everything about finished work that the clock does not decide."""

    def has_begun(self, out: Path, since: int) -> bool:
        """Whether the work that was started at `since` (nanoseconds) has come to its first save: what goes before may
        be nothing but processes that start.
        """
        return True

    def left_behind(self, out: Path) -> list[str]:
        """Files that finished work has no use for."""
        return [str(path) for path in out.rglob("*") if path.name.endswith(".tmp") or ".previous" in path.name]


class Training(Job):
    """A run folder."""

    writers = ((weights, "save_file", lambda _tensors, file, *_: Path(file)),)

    def ending(self, out: Path) -> dict[str, Any]:
        return ending(out)


class Finetune(Training):
    """Classes of texts, some longer than a window; with dropout and accumulation."""

    name = "finetune"

    def __init__(self, folder: Path, workers: int) -> None:
        super().__init__(folder, workers)
        self._model = make_model(folder / "model")

    def work(self, out: Path, *, resume: bool) -> None:
        learn, check = rows()
        finetune(
            learn, check, model=self._model, out=out, resume=resume, epochs=3, batch_size=8, learning_rate=3e-3,
            precision="fp32", save_steps=3, max_length=32, overlap=4, micro_tokens=64,
        )  # fmt: skip


class Prepare(Job):
    """A corpus with repeats and Chinese words, in many parts and several shards; the state is saved after each part."""

    name = "prepare"
    writers = (
        (ShardWriter, "_write", lambda self, kind, _: self._folder / file_name(kind, len(self.shards) - 1)),
        (Column, "append", lambda self, _: self.path),
    )

    def __init__(self, folder: Path, workers: int) -> None:
        super().__init__(folder, workers)
        made = corpus_samples.documents(400)
        made += made[:40] + [document[:1] for document in made[40:60]]
        self._file = corpus_samples.write_blocks(folder / "corpus.txt", made)
        self._vocab = corpus_samples.vocabulary(folder / "vocab")
        words = folder / "words.txt"
        words.write_text("老人\n湖边\n孩子们\n", encoding="utf-8")
        self._settings = PrepareSettings(words=words)

    def work(self, out: Path, *, resume: bool) -> None:
        journal._SECONDS_BETWEEN = -1
        corpus_samples.prepare(
            [self._file], self._vocab, out, self._settings, resume=resume, workers=max(self.workers, 1),
            part_bytes=4000, shard_tokens=6000, hashes_in_memory=256,
        )  # fmt: skip

    def has_begun(self, out: Path, since: int) -> bool:
        files = (out / WORK / STATE, out / MANIFEST)
        return any(file.exists() and file.stat().st_mtime_ns > since for file in files)

    def ending(self, out: Path) -> dict[str, Any]:
        return corpus_samples.contents(out)


class Pretrain(Training):
    """Two phases of different length, masks and pairs, dropout and accumulation."""

    name = "pretrain"

    def __init__(self, folder: Path, workers: int) -> None:
        super().__init__(folder, workers)
        file = corpus_samples.write_blocks(folder / "corpus.txt", corpus_samples.documents(120))
        self._store = folder / "store"
        corpus_samples.prepare([file], corpus_samples.vocabulary(folder / "vocab"), self._store)

    def work(self, out: Path, *, resume: bool) -> None:
        pretrain(
            self._store, out=out, resume=resume, workers=self.workers, max_steps=24, eval_steps=8, save_steps=3,
            phases=[[0.5, 16], [0.5, 32]], batch_tokens=256, micro_tokens=128, held_out=0.1, precision="fp32",
            num_hidden_layers=1, hidden_size=32, num_attention_heads=2, max_position_embeddings=48, learning_rate=3e-3,
        )  # fmt: skip


JOBS: dict[str, type[Job]] = {job.name: job for job in (Finetune, Prepare, Pretrain)}


def ending(out: Path) -> dict[str, Any]:
    """Everything about a finished run that the clock does not decide."""
    loop_state = json.loads((out / "last" / "training" / "state.json").read_text(encoding="utf-8"))
    for clock in ("seconds", "total_seconds"):
        loop_state.pop(clock)
    tensors = {
        str(file.relative_to(out) / name): tensor.numpy().tobytes()
        for file in out.rglob("*.safetensors")
        for name, tensor in load_file(file).items()
    }
    record = json.loads((out / "run.json").read_text(encoding="utf-8"))
    texts = {
        name: (out / name).read_text(encoding="utf-8")
        for name in ("metrics.csv", "predictions.jsonl")
        if (out / name).exists()
    }
    names = sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())
    return {"finished": record["finished"], "files": names, **loop_state, **tensors, **texts}


def make_model(folder: Path) -> Path:
    """A tiny model with the dropout of BERT; every character of the sentences is a word."""
    texts = [example.text.lower() for example in sentiment_samples("en")]
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words = special + sorted({word for text in texts for word in text.replace(",", " ").replace(".", " ").split()})
    folder.mkdir(parents=True)
    BertTokenizer(words, do_lower_case=True).save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(words), hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=64,
    )  # fmt: skip
    BertModel(config).save_pretrained(folder)
    return folder


def rows() -> tuple[list[Row], list[Row]]:
    """Texts to train on, some longer than a window, and texts to evaluate on."""
    pairs: list[Row] = [(example.text, label_of(example)) for example in sentiment_samples("en")]
    long: list[Row] = [(" ".join(text for text, _ in pairs[i : i + 4]), pairs[i][1]) for i in (0, 40, 200)]
    return pairs[::5] + long, pairs[1::9]
