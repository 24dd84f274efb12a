"""The verbs that ask how good a model is: evaluate, compare."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bertwright.checkpoint.json_files import json_text
from bertwright.cli.options import (
    AllScores,
    Choices,
    Delimiter,
    Device,
    DropUnlabelled,
    Encoding,
    Engine,
    Json,
    LabelColumn,
    Precision,
    Run,
    TextBColumn,
    TextColumn,
)
from bertwright.wording import quantity, said

if TYPE_CHECKING:
    from bertwright.evaluation.abstention import Abstention
    from bertwright.inference.evaluate import Report

log = logging.getLogger("bertwright")

Data = Annotated[Path, typer.Argument(help="Labelled texts, in any format that `finetune` reads.")]


def evaluate(
    run: Run,
    data: Data,
    text_column: TextColumn = None,
    text_b_column: TextBColumn = None,
    label_column: LabelColumn = None,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    drop_unlabelled: DropUnlabelled = False,
    device: Device = "cpu",
    engine: Engine = "torch",
    precision: Precision = "auto",
    predictions: Annotated[Path | None, typer.Option(help="Write every answer here, as JSON lines.")] = None,
    all_scores: AllScores = False,
    show_errors: Annotated[int, typer.Option(min=0, help="Show so many wrong answers, the most confident first.")] = 0,
    abstain_accuracy: Annotated[
        float | None, typer.Option(help="Find the score above which answers are as accurate as this, such as 0.95.")
    ] = None,
    choices: Choices = None,
    as_json: Json = False,
) -> None:
    """Score a trained model on labelled texts: metrics with intervals, calibration, confusions.

    Examples:

      bertwright evaluate runs/first test.csv

      bertwright evaluate runs/first test.csv --show-errors 10 --abstain-accuracy 0.95
    """
    from bertwright.checkpoint.replacing import place_for, say_if_replaced, write_text
    from bertwright.cli.printed_tables import print_abstention, print_errors, print_judged
    from bertwright.data.reading.tables import Columns
    from bertwright.errors import BertwrightError
    from bertwright.inference.evaluate import evaluate as run_evaluate
    from bertwright.reports.report import answers_jsonl

    if abstain_accuracy is not None and not 0 < abstain_accuracy <= 1:
        raise BertwrightError("BW522", value=abstain_accuracy)
    if predictions is not None:
        place_for(predictions, data)
    columns = Columns(text_column, label_column, text_b_column)
    report = run_evaluate(
        run,
        data,
        columns=columns,
        encoding=encoding,
        delimiter=delimiter,
        device=device,
        engine=engine,
        precision=precision,
        choices=choices or (),
        drop_unlabelled=drop_unlabelled,
    )
    if predictions is not None:
        say_if_replaced(predictions)
        write_text(predictions, answers_jsonl(report.examples, report.predictions, all_scores=all_scores))
        answers = quantity(len(report.predictions), "answer")
        log.info(said("{answers} in {output}", answers=answers, output=predictions))
    threshold = None if abstain_accuracy is None else report.abstention(abstain_accuracy)
    if as_json:
        document = _document(report, threshold, abstain_accuracy, show_errors)
        typer.echo(json_text(document))
        return
    print_judged(report.judged)
    if abstain_accuracy is not None:
        print_abstention(threshold, abstain_accuracy, seen=report.seen is not None)
    if show_errors:
        print_errors(report.worst(show_errors))


def _document(
    report: Report, threshold: Abstention | None, abstain_accuracy: float | None, show_errors: int
) -> dict[str, Any]:
    values = report.to_json()
    if abstain_accuracy is not None:
        values["abstention"] = threshold and {**threshold.to_json(), "seen_in_training": report.seen}
    if show_errors:
        values["errors"] = report.worst(show_errors)
    return values


def compare(
    run_a: Run,
    run_b: Annotated[Path, typer.Argument(help="Another one, trained with the same labels.")],
    data: Data,
    text_column: TextColumn = None,
    text_b_column: TextBColumn = None,
    label_column: LabelColumn = None,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    drop_unlabelled: DropUnlabelled = False,
    device: Device = "cpu",
    precision: Precision = "auto",
    output: Annotated[Path | None, typer.Option(help="Write the rows where the two differ here, as CSV.")] = None,
    show_rows: Annotated[int, typer.Option(min=0, help="Show so many of the rows where the two differ.")] = 5,
    as_json: Json = False,
) -> None:
    """Is B better than A? Both on the same texts, with a paired test and the rows where they differ.

    Example:

      bertwright compare runs/first runs/second test.csv --output rows.csv
    """
    from bertwright.checkpoint.replacing import place_for, say_if_replaced, write_text
    from bertwright.cli.printed_tables import print_comparison
    from bertwright.data.reading.tables import Columns
    from bertwright.inference.compare import compare as run_compare

    if output is not None:
        place_for(output, data)
    columns = Columns(text_column, label_column, text_b_column)
    comparison = run_compare(
        run_a,
        run_b,
        data,
        columns=columns,
        encoding=encoding,
        device=device,
        precision=precision,
        delimiter=delimiter,
        drop_unlabelled=drop_unlabelled,
    )
    if output is not None:
        say_if_replaced(output)
        write_text(output, comparison.to_csv())
        rows = quantity(len(comparison.rows), "row")
        log.info(said("{rows} where the two differ in {output}", rows=rows, output=output))
    if as_json:
        typer.echo(json_text(comparison.to_json()))
        return
    print_comparison(comparison, str(run_a), str(run_b), show_rows)
