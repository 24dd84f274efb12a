"""The verb `inspect`: what a person should know about their data before a model is trained on it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bertwright.checkpoint.json_files import json_text
from bertwright.cli.options import Delimiter, Download, Encoding, LabelColumn, TextBColumn, TextColumn
from bertwright.wording import said

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from bertwright.data.examples import Example
    from bertwright.data.inspection.ledger import EncodedExample, Ledger, SetOfExamples
    from bertwright.tasks.entities.alignment import AlignedToken

_MOST_CLASSES = 30


def inspect(
    data: Annotated[Path, typer.Argument(help="A file (csv, tsv, json, jsonl, parquet, txt) or a folder of classes.")],
    dev: Annotated[Path | None, typer.Option(help="The dev set, to compare with.")] = None,
    model: Annotated[str, typer.Option(help="Count tokens as this model does: a folder or a name.")] = "mini",
    text_column: TextColumn = None,
    text_b_column: TextBColumn = None,
    label_column: LabelColumn = None,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    max_length: Annotated[int | None, typer.Option(min=3, help="Tokens read at once. Default: the model's.")] = None,
    show_alignment: Annotated[
        int, typer.Option(min=0, help="Show so many texts with their pieces and tags under each other.")
    ] = 0,
    task: Annotated[str | None, typer.Option(help="What is to be learnt. Default: by the form of the data.")] = None,
    labels: Annotated[bool, typer.Option(help="Whether the data has labels.")] = True,
    download: Download = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document with every place.")] = False,
) -> None:
    """Look for what harms a training: duplicates, contradictions, rare classes, texts that are too long.

    Examples:

      bertwright inspect train.csv --dev dev.csv --model bert-base-uncased

      bertwright inspect 训练.tsv --json > findings.json

      bertwright inspect train.conll --model bert-base-cased --show-alignment 5

      bertwright inspect questions.tsv --task seq2seq
    """
    from bertwright.checkpoint.hub import weights_folder
    from bertwright.console import plain_console
    from bertwright.data.reading.opened_source import opened
    from bertwright.data.reading.tables import Columns
    from bertwright.tasks.data_inspection import ledger_of, read_sets
    from bertwright.tasks.entities.alignment import alignment
    from bertwright.text.tokenizer.tokenizer import BertTokenizer

    folder = weights_folder(model, download=download, vocabulary=True, any_kind=True)
    columns = Columns(text=text_column, label=label_column, text_b=text_b_column)
    sources = opened(data, encoding, delimiter), opened(dev, encoding, delimiter)
    kind, tables = read_sets(*sources, columns, task=task, labelled=labels)
    tokenizer = BertTokenizer.from_pretrained(folder)
    ledger = ledger_of(tables, tokenizer, max_length)
    if as_json:
        typer.echo(json_text(ledger.to_json(), indent=2))
        return
    console = plain_console(highlight=False, soft_wrap=True)
    for table, one in zip(tables, ledger.sets):
        console.print(table.summary())
        _print_set(console, one)
    if ledger.unit is not None:
        console.print(ledger.unit_line())
    _print_findings(console, ledger)
    if ledger.example is not None and not show_alignment:
        _print_example(console, ledger.example)
    for example in tables[0].examples[:show_alignment]:
        _print_alignment(console, example, alignment(kind, tokenizer, tables[0].examples, example))


def _print_set(console: Console, one: SetOfExamples) -> None:
    from rich.table import Table

    from bertwright.console import plain_text

    if one.classes:
        if one.is_tagged:
            title, headings = "{name}: {rows} texts, {n} types", ("type", "entities")
        else:
            title, headings = "{name}: {rows} rows, {n} classes", ("class", "rows")
        title = said(title, name=one.name, rows=one.rows, n=len(one.classes))
        table = Table(title=title, title_justify="left")
        table.add_column(said(headings[0]))
        table.add_column(said(headings[1]), justify="right")
        table.add_column(said("share"), justify="right")
        for label, count in list(one.classes.items())[:_MOST_CLASSES]:
            table.add_row(plain_text(label), str(count), f"{100 * count / sum(one.classes.values()):.1f} %")
        if len(one.classes) > _MOST_CLASSES:
            table.add_row("…", f"+{len(one.classes) - _MOST_CLASSES}", "")
        console.print(table)
    for line in one.answers:
        console.print(said("{name}: {parts}", name=one.name, parts=line))
    if one.tokens is not None:
        tokens = one.tokens
        console.print(
            said(
                "{name}: {tokens} tokens; a text has {median} (median), 95 % have up to {p95}, the longest has "
                "{longest} ({place}); the model reads {limit} at once",
                name=one.name, tokens=tokens.tokens, median=tokens.median, p95=tokens.p95, longest=tokens.longest,
                place=tokens.longest_at, limit=tokens.limit,
            )
        )  # fmt: skip


def _print_findings(console: Console, ledger: Ledger) -> None:
    lines = [
        said("{name}: {parts}", name=said(one.severity), parts=one.line()) for one in ledger.findings if one.is_news
    ]
    for line in lines or [said("nothing to remark")]:
        console.print(line)


def _print_alignment(console: Console, example: Example, tokens: Sequence[AlignedToken]) -> None:
    """The text, its pieces and their tags under each other, broken where the screen ends."""
    from rich.cells import cell_len

    console.print(f"{example.where}: {example.text}")
    rows = [[one.text, one.piece, one.tag] for one in tokens]
    while rows:
        widths: list[int] = []
        for row in rows:
            width = max(map(cell_len, row)) + 1
            if widths and sum(widths) + width > max(console.width - 2, 20):
                break
            widths.append(width)
        for line in range(3):
            cells = [row[line] + " " * (width - cell_len(row[line])) for row, width in zip(rows, widths)]
            console.print("  " + "".join(cells).rstrip())
        rows = rows[len(widths) :]
    console.print()


def _print_example(console: Console, one: EncodedExample) -> None:
    answer = one.example.answer
    heading, text = answer.heading() if answer else "", one.example.text
    if heading:
        console.print(said("the first text, {heading}: {text}", heading=heading, text=text))
    else:
        console.print(said("the first text: {text}", text=text))
    if one.example.text_b is not None:
        console.print(said("  with: {text}", text=one.example.text_b))
    if answer and answer.line():
        console.print(f"  {answer.line()}")
    console.print(said("  as the model reads it: {pieces}", pieces=" ".join(one.pieces)))
