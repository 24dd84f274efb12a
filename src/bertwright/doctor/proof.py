"""The proof: a tiny BERT is made, trained for real, saved, loaded and asked, in a temporary folder."""

from __future__ import annotations

import contextlib
import io
import logging
import math
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bertwright.doctor.devices import usable_devices
from bertwright.doctor.probe import Finding, Mark, one_line, reason
from bertwright.errors import BertwrightError
from bertwright.wording import Phrase, said

_GOOD = ("good food", "a great film", "味道很好", "我 很 喜欢")
_BAD = ("bad food", "a poor film", "味道很差", "我 不 喜欢")
_ROWS = [(text, label) for texts, label in ((_GOOD, "good"), (_BAD, "bad")) for text in texts]
# Scores while training are computed in the run's precision, those of the saved model in fp32.
_TOLERANCE = {"fp32": 1e-4, "bf16": 3e-2}

_WAYS_OUT: dict[type[Exception], Phrase] = {
    OSError: Phrase("the folder for temporary files must be writable, with a few MB free (TMPDIR moves it)"),
    ImportError: Phrase("see the versions above"),
    ArithmeticError: Phrase("please report this with the output of bertwright doctor --json"),
}

Scores = Mapping[str, float]


def training_and_prediction() -> Iterator[Finding]:
    """On the processor, which must work, and on the first accelerator."""
    yield (on_processor := _proven("cpu", Mark.MISSING))
    if on_processor.mark is Mark.OK:
        for device in usable_devices()[1:]:
            yield _proven(device, Mark.NOTE)


def _proven(device: str, otherwise: Mark) -> Finding:
    name = said("train and predict on {device}", device=device)
    try:
        return Finding(name, prove(device))
    except Exception as error:  # the reason is the finding
        return Finding(name, said("failed: {reason}", reason=reason(error)), otherwise, _way_out(error, device))


def prove(device: str) -> str:
    """Train a tiny BERT for a few steps, save it, load it, and compare its answers.

    Most of the time is torch loading its parts, as in every first training of a process.

    Raises:
        ArithmeticError: where a loss is not finite, or the saved model answers differently.
    """
    import torch

    from bertwright.inference.predictor import Predictor
    from bertwright.machine.precision import resolve_precision
    from bertwright.training.finetuning.finetune import finetune

    started = time.perf_counter()
    settings: dict[str, Any] = {"epochs": 1, "batch_size": 4, "learning_rate": 1e-3, "max_length": 16}
    with tempfile.TemporaryDirectory(prefix="bertwright-doctor-", ignore_cleanup_errors=True) as place, _quiet():
        model, out = _tiny_model(Path(place) / "tiny"), Path(place) / "run"
        run = finetune(_ROWS, _ROWS, model=model, out=out, device=device, **settings)
        answers = Predictor.load(run.folder, device)([example.text for example in run.dev])
    losses = [step.loss for step in run.outcome.history]
    if not losses or not all(map(math.isfinite, losses)):
        raise ArithmeticError(said("the losses are not all finite: {losses}", losses=losses))
    before, after = ([one.to_json()["scores"] for one in each] for each in (run.predictions, answers))
    within = agreement(before, after, _TOLERANCE[resolve_precision("auto", torch.device(device))])
    seconds = time.perf_counter() - started
    return said(
        "{n} steps, saved, loaded, asked: the same answers (within {within:.1g}); {s:.2f} s",
        n=len(losses), within=within, s=seconds,
    )  # fmt: skip


def agreement(before: Sequence[Scores], after: Sequence[Scores], tolerance: float) -> float:
    """The largest difference between two probabilities of a class, for one text after the other.

    Raises:
        ArithmeticError: where it is larger than `tolerance`, or no number.
        ValueError: where there are more answers on one side.
    """
    differences = [abs(one[label] - other[label]) for one, other in zip(before, after, strict=True) for label in one]
    if not all(difference <= tolerance for difference in differences):  # not a number is no agreement either
        raise ArithmeticError(
            said("the saved model answers differently: by {most:.2g} in a probability", most=max(differences))
        )
    return max(differences)


def _tiny_model(folder: Path) -> Path:
    """A BERT of two layers with random weights that knows the words of the proof."""
    import torch

    from bertwright.model.config import BertConfig
    from bertwright.model.models import BertModel
    from bertwright.text.tokenizer.tokenizer import BertTokenizer

    words = sorted({word for text, _ in _ROWS for word in (text.split() if text.isascii() else text.replace(" ", ""))})
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words]
    config = BertConfig(
        vocab_size=len(vocabulary), hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64
    )
    folder.mkdir()
    BertTokenizer(vocabulary, do_lower_case=True).save_pretrained(folder)
    torch.manual_seed(0)
    BertModel(config).save_pretrained(folder)
    return folder


def _way_out(error: Exception, device: str) -> str:
    if isinstance(error, BertwrightError):
        return one_line(error.texts()[2])
    otherwise = "" if device == "cpu" else said("use --device cpu until this works")
    return next((str(text) for kind, text in _WAYS_OUT.items() if isinstance(error, kind)), otherwise)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without the remarks and the bar of a run."""
    logger = logging.getLogger("bertwright")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            yield
    finally:
        logger.setLevel(level)
