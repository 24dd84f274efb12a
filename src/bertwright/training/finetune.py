"""From a source of labelled texts to a run folder."""

from __future__ import annotations

import logging
import platform
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from bertwright.data.examples import Example
from bertwright.data.split import hold_out
from bertwright.data.tables import Columns, Table, read_rows, read_table
from bertwright.errors import BertwrightError, shown
from bertwright.model.config import BertConfig
from bertwright.tasks.classification import Classification
from bertwright.tasks.task import Task
from bertwright.text.tokenizer import BertTokenizer
from bertwright.training.loop import Dataset, Evaluation, Outcome, train
from bertwright.training.run_folder import RunFolder
from bertwright.training.settings import FinetuneSettings, default_learning_rate
from bertwright.version import __version__

log = logging.getLogger("bertwright")

Source = str | Path | Sequence[Any]


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run.

    Attributes:
        folder: its run folder; `folder / "best"` is the model.
        task: what was trained.
        outcome: the best evaluation and the cost.
        dev: the dev examples that `outcome.best.predictions` answer.
    """

    folder: Path
    task: Task
    outcome: Outcome
    dev: Sequence[Example]


def finetune(
    train: Source,
    dev: Source | None = None,
    *,
    model: str | Path,
    out: str | Path,
    columns: Columns | None = None,
    encoding: str | None = None,
    settings: FinetuneSettings | None = None,
    device: str = "cpu",
    overwrite: bool = False,
    **changes: Any,
) -> Run:
    """Fine-tune a BERT on labelled texts.

    Args:
        train: a `.csv` or `.tsv` file, or rows: mappings with text and label, or `(text, label)` pairs.
        dev: the same, to choose the best epoch by; without it a stratified part of `train` is held out.
        model: a folder or a hub name.
        out: the run folder to write.
        columns: names of the text and label columns, where they are not the usual ones.
        encoding: of the files, instead of the detected one.
        settings: all settings at once, or
        **changes: some of them, such as `epochs=2`.
        device: such as `cpu` or `cuda:0`.
        overwrite: replace the run that `out` holds.

    Raises:
        BertwrightError: for every mistake in what was given; each says what, where, why and what to do.
    """
    settings = settings or FinetuneSettings.resolve(**changes)
    train_table = _read(train, columns, encoding, "train")
    task = Classification.from_examples(train_table.examples, train_table.source)
    train_examples: Sequence[Example] = train_table.examples
    if dev is None:
        train_examples, dev_examples = hold_out(train_table.examples, settings.dev_share, settings.seed)
        log.info("no dev set given: %d of %d examples held out", len(dev_examples), len(train_table.examples))
    else:
        dev_examples = _read(dev, columns, encoding, "dev").examples
        task.check(dev_examples)

    tokenizer = BertTokenizer.from_pretrained(model)
    config = BertConfig.from_pretrained(model)
    if len(tokenizer) > config.vocab_size:
        raise BertwrightError("BW325", model=model, tokens=len(tokenizer), rows=config.vocab_size)
    limit = min(settings.max_length, config.max_position_embeddings)
    rate = settings.learning_rate or default_learning_rate(config.hidden_size)
    settings = settings.model_copy(update={"max_length": limit, "learning_rate": rate})
    folder = RunFolder(Path(out), overwrite=overwrite)
    torch.manual_seed(settings.seed)
    net = task.model_class.from_pretrained(model, ignore_mismatched_sizes=True, **task.config_changes())
    net.to(torch.device(device))
    train_set = _prepare(task, tokenizer, train_examples, limit, "train")
    dev_set = _prepare(task, tokenizer, dev_examples, limit, "dev")

    def on_evaluation(evaluation: Evaluation) -> None:
        losses = {
            "epoch": evaluation.epoch,
            "step": evaluation.step,
            "train_loss": round(evaluation.train_loss, 6),
        }
        scores = {f"dev_{name}": round(value, 6) for name, value in evaluation.scores.items()}
        folder.add_metrics(losses | scores)
        folder.save_model("last", net, tokenizer, task, limit)
        if evaluation.is_best:
            folder.save_model("best", net, tokenizer, task, limit)

    record = {
        "bertwright_version": __version__,
        "torch_version": torch.__version__,
        "python_version": platform.python_version(),
        "task": task.name,
        "model": str(model),
        "device": str(net.device),
        "threads": torch.get_num_threads(),
        "train_examples": len(train_examples),
        "dev_examples": len(dev_examples),
        "settings": settings.model_dump(),
    }
    folder.write_run({**record, "finished": False})
    started = time.perf_counter()
    outcome = _train(net, task, train_set, dev_set, settings, on_evaluation)
    folder.write_run(
        {
            **record,
            "finished": True,
            "best_epoch": outcome.best.epoch,
            "best_scores": outcome.best.scores,
            "steps": outcome.steps,
            "train_tokens": outcome.tokens,
            "train_seconds": round(outcome.train_seconds, 3),
            "tokens_per_second": round(outcome.tokens / max(outcome.train_seconds, 1e-9), 1),
            "total_seconds": round(time.perf_counter() - started, 3),
        }
    )
    return Run(folder.path, task, outcome, dev_examples)


_train = train  # `finetune` has an argument of the same name


def _read(source: Source, columns: Columns | None, encoding: str | None, name: str) -> Table:
    if isinstance(source, (str, Path)):
        table = read_table(Path(source), columns, labelled=True, encoding=encoding)
    elif source and isinstance(source[0], Example):
        return Table(list(source), name, Columns("text", "label"))
    else:
        table = read_rows(source, name, labelled=True)
    log.info("%s", table.summary())
    return table


def _prepare(task: Task, tokenizer: BertTokenizer, examples: Sequence[Example], max_length: int, name: str) -> Dataset:
    """Encode the examples, and say what was lost."""
    encoded = task.encode(tokenizer, examples, max_length)
    lengths = sorted(len(one.input_ids) for one in encoded)
    tokens = sum(lengths)
    cut = [one.tokens_cut for one in encoded if one.tokens_cut]
    unknown = sum(one.unknown for one in encoded)
    log.info(
        "%s: %d texts, %d tokens (median %d, longest %d), %.2f %% unknown",
        name, len(encoded), tokens, lengths[len(lengths) // 2], lengths[-1], 100 * unknown / tokens,
    )  # fmt: skip
    if cut:
        share = 100 * sum(cut) / (tokens + sum(cut))
        log.warning(
            "%s: %d of %d texts are longer than %d tokens; %d tokens (%.1f %%) are cut off",
            name, len(cut), len(encoded), max_length, sum(cut), share,
        )  # fmt: skip
    if unknown > 0.01 * tokens:
        pieces = Counter(
            piece
            for one, example in zip(encoded, examples)
            for piece in one.slices_of(tokenizer.unk_token_id, example.text)
        )
        log.warning(
            "%s: %d of %d tokens are unknown to the vocabulary; the most frequent: %s",
            name, unknown, tokens, shown([piece for piece, _ in pieces.most_common(10)], 10),
        )  # fmt: skip
    return Dataset(examples, encoded, task.targets(examples))
