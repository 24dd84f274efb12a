"""`Predictor`: a model folder and texts to answers."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any, Generic, overload

import numpy as np
import torch

from bertwright.checkpoint.folders import whole_folder
from bertwright.checkpoint.hub import model_folder, require_best
from bertwright.checkpoint.vocabulary_rows import check_rows
from bertwright.data.examples import Example, Where
from bertwright.data.reading.tables import Columns
from bertwright.data.windows import Reading
from bertwright.engines.engine import Engine
from bertwright.engines.known_engines import engine_named
from bertwright.engines.runner import Runner
from bertwright.engines.torch_engine import TorchEngine
from bertwright.errors import BertwrightError
from bertwright.inference.doubts import Doubts
from bertwright.machine.device import usable_device
from bertwright.machine.precision import precision_of_answers
from bertwright.model.models import BertWithHead
from bertwright.tasks.prediction import P
from bertwright.tasks.task import Answers
from bertwright.tasks.task_file import read_task
from bertwright.text.tokenizer.tokenizer import BertTokenizer
from bertwright.wording import said

log = logging.getLogger("bertwright")

_TEXTS_AT_ONCE = 4096  # sorted by length among themselves; bounds the memory of a stream


@dataclass(frozen=True, repr=False)
class Predictor(Generic[P]):
    """A trained model, its tokenizer and its task. It never changes, and may be asked from several threads.

    Attributes:
        engine: what computes.
        task: what is answered.
        reading: how texts are read: how many tokens at once, and what happens to longer ones.
    """

    engine: Engine
    tokenizer: BertTokenizer
    task: Answers[P]
    reading: Reading

    def __new__(cls, *given: Any, **_named: Any) -> Predictor[Any]:
        """As of every class; a folder in the place of an engine is refused with what to call.

        Raises:
            BertwrightError: BW588.
        """
        if given and isinstance(given[0], str | os.PathLike):
            raise BertwrightError("BW588", folder=os.fspath(given[0]))
        return super().__new__(cls)

    @classmethod
    def load(
        cls,
        folder: str | os.PathLike[str],
        device: str = "cpu",
        engine: str = TorchEngine.name,
        precision: str = "auto",
    ) -> Predictor[Any]:
        """The predictor that a run folder, a model folder or a `Run` holds.

        Args:
            engine: what computes: `torch`, or one that an installed package brings.
            precision: in which numbers: `fp32`, `bf16`, or `auto`, the one of them that is faster on the device.

        Raises:
            BertwrightError: BW130 no such device, BW301 no such folder, BW324 a damaged file, BW325 fewer rows than
                tokens, BW326 the head was never trained, BW330 to BW332 no task or one that is not understood, BW584
                a run that has no model yet, BW132 no such engine, BW155 no such precision, BW156 one in which the
                engine cannot compute.
        """
        kind = engine_named(engine)
        precision = _precision_for(kind, precision, usable_device(device))
        folder = best_of(model_folder(folder))
        task, reading = read_task(folder)
        tokenizer = BertTokenizer.from_pretrained(folder)
        task = task.bound(tokenizer)
        runner = Runner.of(kind.load(folder, task, device, precision), task)
        if (model := runner.engine.model) is not None:
            check_rows(folder, len(tokenizer), model.config.vocab_size)
        return Predictor(runner.engine, tokenizer, runner.task, reading)

    @staticmethod
    def of(
        model: BertWithHead,
        tokenizer: BertTokenizer,
        task: Answers[Any],
        reading: Reading,
        precision: str = "fp32",
    ) -> Predictor[Any]:
        """The predictor of a model in memory, which is set to `eval`; `precision` is `fp32` or `bf16`."""
        task = task.bound(tokenizer)
        runner = Runner.of(TorchEngine(model, task, precision), task)
        return Predictor(runner.engine, tokenizer, runner.task, reading)

    def answering(self, words: Sequence[str]) -> Predictor[P]:
        """One that answers as `key=value` words say, such as `num_beams=4` for a model that writes.

        Raises:
            BertwrightError: those of `Answers.answering`.
        """
        task = self.task.answering(words)
        return replace(self, task=task, engine=self.engine.for_task(task))

    def __repr__(self) -> str:
        reading = self.reading
        engine = f"engine='{self.engine.name}', precision='{self.engine.precision}'"
        return f"Predictor(task='{self.task.name}', {engine}, max_length={reading.max_length})"

    @property
    def model(self) -> BertWithHead | None:
        """The module behind the engine, where there is one."""
        return self.engine.model

    @property
    def runner(self) -> Runner[P]:
        """What computes the scores of inputs."""
        return Runner(self.engine, self.task)

    @overload
    def __call__(self, texts: str) -> P: ...
    @overload
    def __call__(self, texts: Any) -> list[P]: ...
    def __call__(self, texts: Any) -> P | list[P]:
        """The answer for one text, or the answers for several in their order.

        Args:
            texts: a text; or what `stream` takes.
        """
        if isinstance(texts, str):
            return next(self.stream([texts]))
        return list(self.stream(texts))

    def stream(self, texts: Any) -> Iterator[P]:
        """The answers for any number of texts, in their order and in bounded memory.

        Args:
            texts: strings, for a model of pairs tuples of two strings; or the `Path` of a file, a pandas or polars
                data frame, a `datasets.Dataset`, mappings, as `bertwright.finetune` reads them.

        Raises:
            BertwrightError: BW233 an item that is no text, BW585 a row of several fields, BW581 a pair for a model of
                single texts, BW582 the other way round, and those of
                `bertwright.data.reading.example_sources.stream_examples`.
        """
        examples, doubts = self._examples(texts), Doubts()
        try:
            while chunk := list(islice(examples, _TEXTS_AT_ONCE)):
                answers = self.answer(chunk)
                doubts.note(chunk, answers)
                yield from answers
        finally:
            doubts.say()

    def _examples(self, texts: Any) -> Iterator[Example]:
        is_table = any(hasattr(texts, name) for name in ("columns", "column_names"))
        if is_table or isinstance(texts, Path | Mapping) or not isinstance(texts, Iterable):
            return self.task.stream(texts, Columns())[1]
        items = iter(texts)
        begun = list(islice(items, 1))
        for row in begun:
            if isinstance(row, tuple) and len(row) > 2 and not self.task.reads_pairs:
                raise BertwrightError("BW585", where="texts:1", count=len(row))
        items = chain(begun, items)
        return self.task.stream(items, Columns())[1] if begun and not _is_text(begun[0]) else as_examples(items)

    def answer(self, examples: Sequence[Example]) -> list[P]:
        """The answers for examples, in their order; the `doubt` of each says whether there was nothing to read.

        Raises:
            BertwrightError: BW581 a pair for a model of single texts, BW582 the other way round.
        """
        if not examples:
            return []
        self.task.check_texts(examples)
        encoded = self.task.encode(self.tokenizer, examples, self.reading)
        answers = self.runner.answers(encoded)
        first_inputs = np.flatnonzero(np.diff(encoded.owners, prepend=-1)).tolist()
        for place, at in enumerate(first_inputs):
            if doubt := self.task.doubt(examples[place], encoded.inputs[at]):
                answers[place] = replace(answers[place], doubt=doubt)
        return answers


def _precision_for(kind: type[Engine], wished: str, device: torch.device) -> str:
    """The numbers in which an engine is to compute, said where it was left to the machine.

    Raises:
        BertwrightError: BW155 a precision that is not known, BW156 one that this engine does not know.
    """
    chosen = precision_of_answers(wished, device)
    if chosen not in kind.precisions:
        if wished != "auto":
            known = ", ".join(kind.precisions)
            raise BertwrightError("BW156", engine=kind.name, precision=chosen, known=known)
        return kind.precisions[0]
    if wished == "auto" and chosen != "fp32":
        log.info(said("answers are computed in {precision}; --precision fp32 is slower and exact", precision=chosen))
    return chosen


def as_examples(items: Iterable[Any], source: str = "texts") -> Iterator[Example]:
    """Texts, and pairs of them, as examples that are called `source:1` and so on; raises BW233 for anything else."""
    for number, item in enumerate(items, start=1):
        where = Where(source, number)
        if not _is_text(item):
            raise BertwrightError("BW233", source=where, kind=type(item).__name__)
        text, text_b = (item, None) if isinstance(item, str) else item
        yield Example(text, None, where, text_b)


def _is_text(item: Any) -> bool:
    """Whether it is a text, or a pair of texts."""
    return isinstance(item, str) or (isinstance(item, tuple) and len(item) == 2 and all(map(_is_text, item)))


def best_of(folder: Path) -> Path:
    """The model folder meant by `folder`: a run's `best/`, whole and verified, or `folder` itself.

    Raises:
        BertwrightError: BW324 for a damaged file, BW505 for a folder that is neither, BW584 for a run without a model.
    """
    if (folder / "run.json").is_file():
        require_best(folder)
        return whole_folder(folder / "best")
    if not (folder / "config.json").is_file():
        raise BertwrightError("BW505", folder=folder)
    return whole_folder(folder)
