"""`Predictor`: a model folder and texts to answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, count, islice
from pathlib import Path
from typing import Any, Self, overload

from bertwright.checkpoint.folders import whole_folder
from bertwright.checkpoint.hub import model_folder
from bertwright.data.examples import Example, Where
from bertwright.data.reading.tables import Columns
from bertwright.data.windows import Reading
from bertwright.errors import BertwrightError
from bertwright.machine.device import usable_device
from bertwright.model.models import BertWithHead
from bertwright.tasks.fill_mask import FillMask
from bertwright.tasks.registry import read_task
from bertwright.tasks.running import predict_encoded
from bertwright.tasks.task import Answerer, Prediction
from bertwright.text.tokenizer.tokenizer import BertTokenizer

_TEXTS_AT_ONCE = 4096  # sorted by length among themselves; bounds the memory of a stream


class Predictor:
    """A trained model, its tokenizer and its task.

    Attributes:
        task: what is answered.
        reading: how texts are read: how many tokens at once, and what happens to longer ones.
    """

    def __init__(self, model: BertWithHead, tokenizer: BertTokenizer, task: Answerer, reading: Reading) -> None:
        self.model = model.eval()
        self.tokenizer = tokenizer
        self.task = task.bound(tokenizer)
        self.reading = reading

    def choose_tokens(self, top_k: int, among: Sequence[str] = ()) -> None:
        """Say how many tokens a pre-trained model names for each [MASK], and which alone it considers.

        Raises:
            BertwrightError: BW524 a word that is not one token, BW525 the model has another task.
        """
        if not isinstance(self.task, FillMask):
            raise BertwrightError("BW525", task=self.task.name)
        self.task = self.task.bound(self.tokenizer, top_k, among)

    def choose(self, words: Sequence[str]) -> None:
        """Say how to answer, in `key=value` words, such as `num_beams=4` for a model that writes.

        Raises:
            BertwrightError: those of `Answerer.answering`.
        """
        self.task = self.task.answering(words)

    @classmethod
    def load(cls, folder: str | Path, device: str = "cpu") -> Self:
        """The predictor that a run folder or a model folder holds.

        Raises:
            BertwrightError: BW130 no such device, BW301 no such folder, BW324 a damaged file, BW326 the
                head was never trained, BW330 to BW332 no task or one that is not understood.
        """
        place = usable_device(device)
        folder = best_of(model_folder(folder))
        task, reading = read_task(folder)
        model = task.model_class.load(folder)
        if model.load_report is not None and model.load_report.fresh:
            raise BertwrightError("BW326", folder=folder, heads=", ".join(model.load_report.fresh))
        return cls(model.to(place), BertTokenizer.from_pretrained(folder), task, reading)

    @overload
    def __call__(self, texts: str) -> Prediction: ...
    @overload
    def __call__(self, texts: Any) -> list[Prediction]: ...
    def __call__(self, texts: Any) -> Prediction | list[Prediction]:
        """The answer for one text, or the answers for several in their order.

        Args:
            texts: a text; or what `stream` takes.
        """
        if isinstance(texts, str):
            return next(self.stream([texts]))
        return list(self.stream(texts))

    def stream(self, texts: Any) -> Iterator[Prediction]:
        """The answers for any number of texts, in their order and in bounded memory.

        Args:
            texts: strings, for a model of pairs tuples of two strings; or the `Path` of a file, a pandas or polars
                data frame, a `datasets.Dataset`, mappings, as `bertwright.finetune` reads them.

        Raises:
            BertwrightError: BW233 an item that is no text, BW581 a pair for a model of single texts, BW582 the other
                way round, and those of `bertwright.data.reading.example_sources.stream_examples`.
        """
        examples = self._examples(texts)
        while chunk := list(islice(examples, _TEXTS_AT_ONCE)):
            yield from self.answer(chunk)

    def _examples(self, texts: Any) -> Iterator[Example]:
        is_table = any(hasattr(texts, name) for name in ("columns", "column_names"))
        if is_table or isinstance(texts, Path | Mapping) or not isinstance(texts, Iterable):
            return self.task.stream(texts, Columns())[1]
        items = iter(texts)
        first = next(items, _END)
        if first is _END:
            return iter(())
        items = chain([first], items)
        return map(_example, count(1), items) if _is_text(first) else self.task.stream(items, Columns())[1]

    def answer(self, examples: Sequence[Example]) -> list[Prediction]:
        """The answers for examples, in their order.

        Raises:
            BertwrightError: BW581 a pair for a model of single texts, BW582 the other way round.
        """
        if not examples:
            return []
        self.task.check_texts(examples)
        encoded = self.task.encode(self.tokenizer, examples, self.reading)
        return predict_encoded(self.model, self.task, encoded)


_END = object()


def _is_text(item: Any) -> bool:
    """Whether it is a text, or a pair of texts."""
    return isinstance(item, str) or (isinstance(item, tuple) and len(item) == 2 and all(map(_is_text, item)))


def _example(number: int, item: Any) -> Example:
    where = Where("texts", number)
    if isinstance(item, str):
        return Example(item, None, where)
    if not _is_text(item):
        raise BertwrightError("BW233", source=where, kind=type(item).__name__)
    return Example(item[0], None, where, item[1])


def best_of(folder: Path) -> Path:
    """The model folder meant by `folder`: a run's `best/`, whole and verified, or `folder` itself.

    Raises:
        BertwrightError: BW324 for a damaged file, BW505 for a folder that is neither.
    """
    if (folder / "run.json").is_file():
        return whole_folder(folder / "best")
    if not (folder / "config.json").is_file():
        raise BertwrightError("BW505", folder=folder)
    return whole_folder(folder)
