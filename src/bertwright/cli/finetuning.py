"""The verbs that make a fine-tuned model and ask it: finetune, predict."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

log = logging.getLogger("bertwright")

TextColumn = Annotated[str | None, typer.Option(help="Column of the texts, by name or number. Default: found.")]
TextBColumn = Annotated[str | None, typer.Option(help="Column of the second texts of pairs. Default: found.")]
LabelColumn = Annotated[
    str | None, typer.Option(help="Column of the labels (seq2seq: of the targets). Default: found.")
]
Choices = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="How to write: num_beams=4, max_output_length=64, …"),
]
Encoding = Annotated[str | None, typer.Option(help="Encoding of the data. Default: detected, and said.")]
Device = Annotated[str, typer.Option(help="Where to compute: cpu, cuda:0, mps, …")]


def _print_settings(wanted: bool) -> None:
    from bertwright.cli.settings_list import print_settings
    from bertwright.training.loop_settings import FinetuneSettings

    if wanted:
        print_settings(FinetuneSettings)
        raise typer.Exit


def finetune(
    train: Annotated[Path, typer.Argument(help="A file (csv, tsv, json, jsonl, parquet, txt) or a folder of classes.")],
    settings: Annotated[list[str] | None, typer.Argument(metavar="[KEY=VALUE ...]", help="Settings.")] = None,
    dev: Annotated[Path | None, typer.Option(help="Labelled texts to choose the best epoch by.")] = None,
    model: Annotated[
        str, typer.Option(help="The model to start from: a folder, a hub name, or mini, the built-in one.")
    ] = "mini",
    out: Annotated[Path | None, typer.Option(help="Run folder. Default: runs/ and the name of TRAIN.")] = None,
    task: Annotated[
        str | None, typer.Option(help="classification, tagging, spans or seq2seq. Default: by the form of the data.")
    ] = None,
    head: Annotated[str | None, typer.Option(help="Of a tagger: crf or softmax.")] = None,
    recipe: Annotated[Path | None, typer.Option(help="A TOML file with settings.")] = None,
    long: Annotated[str | None, typer.Option(help="Longer texts: window (read all), head, head+tail, error.")] = None,
    seeds: Annotated[str, typer.Option(help="Train once for each, and tell mean and spread: 1,2,3")] = "",
    text_column: TextColumn = None,
    text_b_column: TextBColumn = None,
    label_column: LabelColumn = None,
    encoding: Encoding = None,
    device: Device = "cpu",
    resume: Annotated[
        bool, typer.Option(help="Go on with the run that the folder holds; begin if there is none.")
    ] = False,
    overwrite: Annotated[bool, typer.Option(help="Replace the run that the folder holds.")] = False,
    show_settings: Annotated[  # noqa: ARG001  (its callback answers)
        bool,
        typer.Option("--show-settings", callback=_print_settings, is_eager=True, help="List every setting, and stop."),
    ] = False,
) -> None:
    """Train a model on labelled texts.

    Examples:

      bertwright finetune train.csv --dev dev.csv

      bertwright finetune train.csv --dev dev.csv --model bert-base-uncased

      bertwright finetune 训练.tsv --model ./chinese-bert --out runs/first epochs=5 learning_rate=3e-5

      bertwright finetune train.csv --dev dev.csv --model bert-base-uncased --resume

      bertwright finetune train.conll --dev dev.conll --model bert-base-cased --task tagging --head crf

      bertwright finetune nested.jsonl --model bert-base-chinese --task spans

      bertwright finetune articles.csv --model bert-base-chinese --task seq2seq num_beams=4
    """
    from bertwright.cli.printed_tables import print_confusion, print_tables
    from bertwright.data.reading.tables import Columns
    from bertwright.reports.card import predict_command
    from bertwright.text.files import plain_suffix
    from bertwright.training.finetuning.finetune import finetune as run_finetune
    from bertwright.training.loop_settings import FinetuneSettings

    name = (train.resolve() if train.name in ("", "..") else train).name  # a link keeps its own
    while plain_suffix(Path(name)):
        name = Path(name).stem
    run = run_finetune(
        train,
        dev,
        model=model,
        out=out or Path("runs") / name,
        columns=Columns(text=text_column, label=label_column, text_b=text_b_column),
        encoding=encoding,
        settings=FinetuneSettings.resolve(recipe, settings or (), long=long, head=head),
        task=task,
        seeds=_seeds(seeds),
        device=device,
        overwrite=overwrite,
        resume=resume,
    )
    print_confusion(run.task, run.predictions, run.dev)
    print_tables(run.task.tables(run.predictions, run.dev))
    typer.echo(f"best after epoch {run.outcome.best.epoch}; the model is in {run.folder / 'best'}")
    typer.echo(f"next: {predict_command(run.folder, is_pair=run.dev[0].text_b is not None)}")


_SEED_DIGITS = 100  # more than any seed has


def _seeds(words: str) -> list[int]:
    from bertwright.errors import BertwrightError

    listed = [word.strip() for word in words.split(",") if word.strip()]
    if not all(word.isdecimal() and len(word) <= _SEED_DIGITS for word in listed) or (words and not listed):
        raise BertwrightError("BW636", seeds=words[:_SEED_DIGITS])
    return [int(word) for word in listed]


def predict(
    run: Annotated[Path, typer.Argument(help="A run folder or a model folder.")],
    texts: Annotated[list[str] | None, typer.Argument(metavar="[TEXT ...]", help="Texts to answer.")] = None,
    text_b: Annotated[str | None, typer.Option(help="The second text of a pair; the texts are first ones.")] = None,
    data: Annotated[
        Path | None, typer.Option("--input", help="Texts in any format that `finetune` reads; -: JSON lines on stdin.")
    ] = None,
    output: Annotated[Path | None, typer.Option(help="A .jsonl or .csv file. Default: JSON lines on stdout.")] = None,
    resume: Annotated[bool, typer.Option(help="Go on with an --output that was interrupted.")] = False,
    text_column: TextColumn = None,
    text_b_column: TextBColumn = None,
    encoding: Encoding = None,
    device: Device = "cpu",
    top_k: Annotated[int | None, typer.Option(min=1, help="Tokens named for each [MASK]. Default: 5.")] = None,
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
    import sys

    from bertwright.checkpoint.folders import place_for
    from bertwright.data.reading.example_sources import stream_examples
    from bertwright.data.reading.stdin import lines_of_stdin, rows_of_stdin
    from bertwright.data.reading.tables import Columns, describe
    from bertwright.errors import BertwrightError
    from bertwright.inference.predictor import Predictor
    from bertwright.inference.streaming import answer_lines, form_of, job_of, write_answers

    if (texts and data) or (not texts and data is None and sys.stdin.isatty()):
        raise BertwrightError("BW106")
    if text_b is not None and data is not None:
        raise BertwrightError("BW115")
    from_stdin = data == Path("-")
    if output is not None and (data is None or from_stdin):
        raise BertwrightError("BW110")
    if resume and output is None:
        raise BertwrightError("BW632")
    if data is None:
        # Lines of stdin have an encoding, arguments have come through the shell's.
        files = {"--text-column": text_column, "--text-b-column": text_b_column, "--encoding": texts and encoding}
        if given := [name for name, value in files.items() if value]:
            raise BertwrightError("BW633", options=", ".join(given))
    words = [word.strip() for word in (among or "").split(",") if word.strip()]
    if among is not None and not words:
        raise BertwrightError("BW634", among=among)
    if output is not None and data is not None:
        place_for(output, data)
    predictor = Predictor.load(run, device)
    if top_k is not None or words:
        predictor.choose_tokens(top_k or 5, words)
    if choices:
        predictor.choose(choices)
    if data is None:
        lines = texts or lines_of_stdin(encoding)
        rows = lines if text_b is None else ((line, text_b) for line in lines)
        _, examples = stream_examples(rows, name="arguments" if texts else "stdin", pair=text_b is not None or None)
        sys.stdout.writelines(answer_lines(predictor, examples, "jsonl"))
        return
    source = rows_of_stdin(encoding) if from_stdin else data
    columns, examples = predictor.task.stream(source, Columns(text=text_column, text_b=text_b_column), encoding)
    log.info("%s", f"{'stdin' if from_stdin else data}: {describe(columns, None)}")
    if output is None:
        sys.stdout.writelines(answer_lines(predictor, examples, "jsonl"))
        return
    told = {"top_k": top_k, "among": among}
    answering = [*(choices or ()), *(f"{name}={value}" for name, value in told.items() if value)]
    job = job_of(run, data, form_of(output), columns, encoding, answering)
    count = write_answers(predictor, examples, output, job, resume=resume)
    log.info("%s", f"{count} answers in {output}")
