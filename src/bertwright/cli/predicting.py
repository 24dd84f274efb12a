"""The verb that asks a model: predict."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from bertwright.cli.options import (
    AcceptOtherMachine,
    Choices,
    Delimiter,
    Device,
    Encoding,
    Engine,
    Precision,
    Run,
    TextBColumn,
    TextColumn,
)
from bertwright.errors import BertwrightError


def predict(
    run: Run,
    texts: Annotated[list[str] | None, typer.Argument(metavar="[TEXT ...]", help="Texts to answer.")] = None,
    text_b: Annotated[str | None, typer.Option(help="The second text of a pair; the texts are first ones.")] = None,
    data: Annotated[
        Path | None, typer.Option("--input", help="Texts in any format that `finetune` reads; -: JSON lines on stdin.")
    ] = None,
    output: Annotated[Path | None, typer.Option(help="A .jsonl or .csv file. Default: JSON lines on stdout.")] = None,
    resume: Annotated[bool, typer.Option(help="Go on with an --output that was interrupted.")] = False,
    columns: Annotated[
        str | None,
        typer.Option(help="Columns of the input that stand beside the answers: id,date. Default: all; '': none."),
    ] = None,
    excel: Annotated[bool, typer.Option("--excel", help="Write a CSV file that Excel opens as it is.")] = False,
    text_column: TextColumn = None,
    text_b_column: TextBColumn = None,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    device: Device = "cpu",
    engine: Engine = "torch",
    precision: Precision = "auto",
    top_k: Annotated[int | None, typer.Option(min=1, help="Tokens named for each [MASK]. Default: 5.")] = None,
    accept_other_machine: AcceptOtherMachine = False,
    choices: Choices = None,
    among: Annotated[str | None, typer.Option(help="Consider only these words for a [MASK]: good,bad")] = None,
) -> None:
    """Answer for texts, one line each, in the order given; without texts and --input, for the lines of stdin.

    Examples:

      bertwright predict runs/first "This is a great movie!"

      bertwright predict runs/first --input texts.csv --output answers.jsonl

      cat texts.txt | bertwright predict runs/first > answers.jsonl

      bertwright predict runs/pairs "A man is asleep." --text-b "Somebody sleeps."

      bertwright predict runs/summaries --input articles.csv --set num_beams=4 --set no_repeat_ngram_size=3

      bertwright predict runs/pretrained "The capital of France is [MASK]." --among paris,london
    """
    from bertwright.cli.typed_words import require_whole_quotes
    from bertwright.data.reading.tables import Columns
    from bertwright.inference.inquiry import Inquiry
    from bertwright.inference.predictor import Predictor

    require_whole_quotes(texts or ())
    if not texts and data is None and sys.stdin.isatty():
        raise BertwrightError("BW106")
    inquiry = Inquiry(
        texts or (),
        text_b,
        data,
        Columns(text_column, None, text_b_column),
        encoding,
        output,
        resume,
        delimiter,
        None if columns is None else [name.strip() for name in columns.split(",") if name.strip()],
        excel,
        accept_other_machine,
    )
    inquiry.check()
    given = _of_masks(top_k, among)
    predictor = Predictor.load(run, device, engine, inquiry.precision(precision, device))
    if given and "among" not in predictor.task.choices.model_fields:
        raise BertwrightError("BW525", task=predictor.task.name)
    sys.stdout.writelines(inquiry.answers(predictor, run, [*(choices or ()), *given]))


def _of_masks(top_k: int | None, among: str | None) -> list[str]:
    """What only a model that fills masks is told, in `key=value` words."""
    if among is not None and not among.replace(",", "").strip():
        raise BertwrightError("BW634", among=among)
    return [f"{name}={value}" for name, value in (("top_k", top_k), ("among", among)) if value is not None]
