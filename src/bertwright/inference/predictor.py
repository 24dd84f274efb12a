"""`Predictor`: a model folder and texts to answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Self, overload

from bertwright.checkpoint.hub import model_folder
from bertwright.checkpoint.store import whole_folder
from bertwright.data.examples import Example, Where
from bertwright.data.windows import Reading
from bertwright.errors import BertwrightError
from bertwright.model.device import usable_device
from bertwright.model.models import BertWithHead
from bertwright.tasks.fill_mask import FillMask
from bertwright.tasks.registry import read_task
from bertwright.tasks.scoring import predict_encoded
from bertwright.tasks.task import Answerer, Prediction
from bertwright.text.tokenizer import BertTokenizer

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
    def __call__(self, texts: str) -> Prediction: ...  # type: ignore[overload-overlap]
    @overload
    def __call__(self, texts: Sequence[str]) -> list[Prediction]: ...
    def __call__(self, texts: str | Sequence[str]) -> Prediction | list[Prediction]:
        """The answer for one text, or the answers for several in their order."""
        if isinstance(texts, str):
            return next(self.stream([texts]))
        return list(self.stream(texts))

    def stream(self, texts: Iterable[str]) -> Iterator[Prediction]:
        """The answers for any number of texts, in their order and in bounded memory."""
        iterator = iter(texts)
        while chunk := list(islice(iterator, _TEXTS_AT_ONCE)):
            examples = [Example(text, None, Where("texts", i)) for i, text in enumerate(chunk, start=1)]
            yield from self.answer(examples)

    def answer(self, examples: Sequence[Example]) -> list[Prediction]:
        """The answers for examples, in their order."""
        encoded = self.task.encode(self.tokenizer, examples, self.reading)
        return predict_encoded(self.model, self.task, encoded)


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
