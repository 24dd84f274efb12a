"""Through how many files a text goes from `predict` to its answer, and a row of a CSV file to its loss.

    python -m tests.proof.files_crossed

Files of the package in which a function runs are counted; what only loads a model or the settings is not.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import bertwright
from bertwright import finetune
from bertwright.inference.inquiry import Inquiry
from bertwright.inference.predictor import Predictor
from bertwright.training.lesson import Lesson
from tests.flows.killed_jobs import make_model, rows

SOURCE = Path(bertwright.__file__).parent


@contextlib.contextmanager
def watched() -> Iterator[list[str]]:
    """The files of the package in which a function is called, in the order of the first call."""
    found: list[str] = []

    def hear(frame: FrameType, event: str, _: Any) -> None:
        name = frame.f_code.co_filename
        if event == "call" and name.startswith(str(SOURCE)) and frame.f_code.co_name != "<module>":
            file = os.path.relpath(name, SOURCE)
            if file not in found:
                found.append(file)

    sys.setprofile(hear)
    try:
        yield found
    finally:
        sys.setprofile(None)


def main() -> None:
    """Print both walks."""
    logging.getLogger("bertwright").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as scratch, contextlib.redirect_stderr(io.StringIO()):
        folder = Path(scratch)
        model = make_model(folder / "model")
        train, dev = rows()
        finetune(train, dev, model=model, out=folder / "run", max_steps=2, precision="fp32")
        predictor = Predictor.load(folder / "run")
        with watched() as answering:
            list(Inquiry(["This is great."]).answers(predictor, folder / "run"))
        file = folder / "train.csv"
        lines = [f'"{text}",{label}' for text, label in train[:40]]
        file.write_text("text,label\n" + "\n".join(lines) + "\n", encoding="utf-8")
        with watched() as learning, contextlib.suppress(KeyboardInterrupt):
            learn_one_step(file, model, folder / "other")
    for title, files in (("a text to its answer", answering), ("a row of a CSV file to its loss", learning)):
        print(f"{title}: {len(files)} files", *(f"  {one}" for one in files), sep="\n")


def learn_one_step(file: Path, model: Path, out: Path) -> None:
    """A training that ends when its first loss is known."""
    forward = Lesson.forward

    def first(self: Lesson, *part: Any) -> Any:
        forward(self, *part)
        raise KeyboardInterrupt

    Lesson.forward = first  # type: ignore[method-assign, assignment]
    try:
        finetune(file, file, model=model, out=out, max_steps=2, precision="fp32")
    finally:
        Lesson.forward = forward  # type: ignore[method-assign]


if __name__ == "__main__":
    main()
