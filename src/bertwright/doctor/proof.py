"""The proof: a tiny BERT is made, trained for real, saved, loaded and asked, in a temporary folder."""

from __future__ import annotations

import contextlib
import io
import logging
import math
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bertwright.doctor.probe import Finding, Mark, one_line, reason
from bertwright.errors import BertwrightError

if TYPE_CHECKING:
    from bertwright.tasks.prediction import Prediction

SECTION = "proof"
_GOOD = ("good food", "a great film", "味道很好", "我 很 喜欢")
_BAD = ("bad food", "a poor film", "味道很差", "我 不 喜欢")
_ROWS = [(text, label) for texts, label in ((_GOOD, "good"), (_BAD, "bad")) for text in texts]
# Scores while training are computed in the run's precision, those of the saved model in fp32.
_TOLERANCE = {"fp32": 1e-4, "bf16": 3e-2}


@dataclass(frozen=True, slots=True)
class Proof:
    """What the proof measured: steps taken, the largest difference of a probability, and seconds.

    Most of the seconds in all are torch loading its parts, as in every first training of a process.
    """

    steps: int
    difference: float
    tolerance: float
    step_seconds: float
    seconds: float


def training_and_prediction() -> Iterator[Finding]:
    """On the processor, which must work, and on the first accelerator."""
    on_processor = _proven("cpu", Mark.MISSING)
    yield on_processor
    if on_processor.mark is not Mark.OK:
        return
    from bertwright.doctor.devices import usable_devices

    for device in usable_devices()[1:]:
        yield _proven(device, Mark.NOTE)


def _proven(device: str, otherwise: Mark) -> Finding:
    name = f"train and predict on {device}"
    try:
        proof = prove(device)
    except Exception as error:  # the reason is the finding
        hint = one_line(error.texts("en")[2]) if isinstance(error, BertwrightError) else _way_out(error, device)
        return Finding(SECTION, name, f"failed: {reason(error)}", otherwise, hint)
    if not proof.difference <= proof.tolerance:  # not a number is no agreement either
        value = f"the saved model answers differently: by {proof.difference:.2g} in a probability"
        return Finding(
            SECTION, name, value, otherwise, "please report this with the output of bertwright doctor --json"
        )
    return Finding(
        SECTION,
        name,
        f"{proof.steps} steps, saved, loaded, asked: the same answers (within {proof.difference:.1g}); "
        f"{proof.seconds:.2f} s, of which steps {proof.step_seconds:.2f} s",
    )


def prove(device: str) -> Proof:
    """Train a tiny BERT for a few steps, save it, load it, and compare its answers."""
    from bertwright.inference.predictor import Predictor
    from bertwright.training.finetuning.finetune import finetune

    with tempfile.TemporaryDirectory(prefix="bertwright-doctor-", ignore_cleanup_errors=True) as place, _quiet():
        started = time.perf_counter()
        model = _tiny_model(Path(place) / "tiny")
        run = finetune(
            _ROWS,
            _ROWS,
            model=model,
            out=Path(place) / "run",
            device=device,
            epochs=1,
            batch_size=4,
            learning_rate=1e-3,
            max_length=16,
        )
        answers = Predictor.load(run.folder, device)([example.text for example in run.dev])
        seconds = time.perf_counter() - started
        losses = [step.loss for step in run.outcome.history]
        if not losses or not all(math.isfinite(loss) for loss in losses):
            raise ArithmeticError(f"the losses are not all finite: {losses}")
        return Proof(
            steps=len(losses),
            difference=_difference(run.predictions, answers),
            tolerance=_tolerance(device),
            step_seconds=run.outcome.train_seconds,
            seconds=seconds,
        )


def _tiny_model(folder: Path) -> Path:
    """A BERT of two layers with random weights that knows the words of the proof."""
    import torch

    from bertwright.model.config import BertConfig
    from bertwright.model.models import BertModel
    from bertwright.text.tokenizer.tokenizer import BertTokenizer

    folder.mkdir()
    words = {word for text, _ in _ROWS for word in (text.split() if text.isascii() else text.replace(" ", ""))}
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *sorted(words)]
    BertTokenizer(vocabulary, do_lower_case=True).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=32,
    )
    torch.manual_seed(0)
    BertModel(config).save_pretrained(folder)
    return folder


def _difference(trained: Sequence[Prediction], loaded: Sequence[Prediction]) -> float:
    """The largest difference between the probabilities of the two."""
    if len(trained) != len(loaded):
        raise ArithmeticError(f"{len(trained)} answers became {len(loaded)}")
    before, after = ([one.to_json()["scores"] for one in answers] for answers in (trained, loaded))
    differences = [abs(scores[label] - other[label]) for scores, other in zip(before, after) for label in scores]
    return float("nan") if any(map(math.isnan, differences)) else float(max(differences))


def _tolerance(device: str) -> float:
    import torch

    from bertwright.machine.precision import resolve_precision

    return _TOLERANCE[resolve_precision("auto", torch.device(device))]


def _way_out(error: Exception, device: str) -> str:
    if isinstance(error, OSError):
        return f"the temporary folder {tempfile.gettempdir()} must be writable, with a few MB free (TMPDIR moves it)"
    if isinstance(error, ImportError):
        return "see the versions above"
    return "" if device == "cpu" else "use --device cpu until this works"


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
