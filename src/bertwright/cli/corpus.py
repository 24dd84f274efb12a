"""The verbs that make a vocabulary and a corpus store: vocab, prepare."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from bertwright.data.corpus.prepare import Report

Corpus = Annotated[list[Path], typer.Argument(help="Text, JSON lines or Parquet files, compressed or not, or folders.")]
Field = Annotated[str, typer.Option(help="Field of JSON lines, or column of Parquet files, that holds the text.")]
Encoding = Annotated[str | None, typer.Option(help="Encoding of text files. Default: detected for each.")]
SkipBad = Annotated[bool, typer.Option("--skip-bad-lines", help="Pass over lines that cannot be read; count them.")]


def prepare(
    corpus: Corpus,
    vocab: Annotated[str, typer.Option(help="A model folder, or a name: its vocabulary is used.")],
    out: Annotated[Path, typer.Option(help="The folder of the store.")],
    documents: Annotated[
        str, typer.Option(help="Where a document of a text file ends: at a blank line, at every line, with the file.")
    ] = "blank",
    field: Field = "text",
    encoding: Encoding = None,
    skip_bad_lines: SkipBad = False,
    repeats: Annotated[
        str, typer.Option(help="Documents and lines that stand earlier in the corpus: drop, drop-documents or keep.")
    ] = "drop",
    wwm: Annotated[bool, typer.Option("--wwm", help="Keep where Chinese words begin, for whole-word masking.")] = False,
    words: Annotated[Path | None, typer.Option(help="A file of Chinese words of your own, one a line.")] = None,
    segmenter: Annotated[
        bool, typer.Option(help="Find Chinese words by the segmenter of the extra 'zh', or by --words alone.")
    ] = True,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes that work. Default: one for each core.")] = None,
    resume: Annotated[bool, typer.Option(help="Go on where the same preparation was stopped.")] = False,
    overwrite: Annotated[bool, typer.Option(help="Replace a store that is there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the ledger as one JSON document.")] = False,
) -> None:
    """Turn a corpus of any size into a store of token ids for pre-training.

    Examples:

      bertwright prepare wiki.txt.xz books/ --vocab bert-base-uncased --out stores/english

      bertwright prepare 新闻.jsonl --vocab ./chinese-bert --out stores/news --wwm

      bertwright prepare lines.txt --documents line --vocab my-vocab --out stores/lines --workers 8
    """
    from bertwright.data.corpus.estimate import estimate_store
    from bertwright.data.corpus.prepare import prepare_corpus
    from bertwright.data.corpus.settings import PrepareSettings
    from bertwright.inference.doctor.cores import count_cores

    settings = PrepareSettings(
        documents=documents,  # type: ignore[arg-type]  # it checks them
        repeats=repeats,  # type: ignore[arg-type]
        field=field,
        encoding=encoding,
        skip_bad=skip_bad_lines,
        whole_words=wwm or words is not None,
        words=words,
        segmenter=segmenter,
    )
    about = estimate_store(corpus, vocab, settings)
    count = workers or count_cores().allowed
    typer.echo(
        f"{_count(about.files, 'file', 'files')}, {_size(about.corpus_bytes)}: about {about.tokens:,} tokens, "
        f"a store of about {_size(about.store_bytes)}; {_count(count, 'process', 'processes')}",
        err=True,
    )
    with _bar() as report:
        store = prepare_corpus(
            corpus, vocab, out, settings, workers=count, resume=resume, overwrite=overwrite, report=report
        )
    ledger = store.manifest["ledger"]
    if as_json:
        typer.echo(json.dumps({"store": str(out), **ledger}, indent=2))
        return
    _print_ledger(ledger)
    typer.echo(f"the store is in {out}")
    typer.echo(f"next: bertwright pretrain {out} --out runs/pretrained")


def _print_ledger(ledger: dict[str, Any]) -> None:
    typer.echo(f"{ledger['tokens']:,} tokens, {ledger['sentences']:,} sentences, {ledger['documents']:,} documents")
    said = {
        "duplicate_documents": "documents dropped that stand earlier in the corpus",
        "duplicate_lines": "lines dropped that stand earlier in the corpus",
        "emptied_documents": "documents dropped of which nothing was left",
        "empty_documents": "documents without text",
        "cut_documents": "documents longer than 32 MiB, cut",
        "skipped_lines": "lines passed over that could not be read",
        "skipped_bytes": "bytes in those lines",
        "unknown": "tokens unknown to the vocabulary",
        "within_words": "Chinese characters that go on within a word",
    }
    for name, words in said.items():
        if ledger.get(name):
            share = f" ({100 * ledger[name] / ledger['tokens']:.2f} % of the tokens)" if name == "unknown" else ""
            typer.echo(f"  {ledger[name]:,} {words}{share}")


def _count(count: int, one: str, more: str) -> str:
    return f"{count:,} {one if count == 1 else more}"


def _size(size: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def _bar() -> AbstractContextManager[Report]:
    """A bar where there is a terminal, a line now and then where there is none."""
    import time
    from contextlib import contextmanager

    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    @contextmanager
    def opened() -> Iterator[Report]:
        console = Console(stderr=True)
        if not console.is_terminal:
            spoke = time.monotonic()

            def say(stage: str, share: float) -> None:
                nonlocal spoke
                if time.monotonic() - spoke > 30:
                    spoke = time.monotonic()
                    console.print(f"{stage}: {100 * share:.0f} %", highlight=False)

            yield say
            return
        columns = (
            TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(),
            TextColumn("left"), TimeRemainingColumn(),
        )  # fmt: skip
        with Progress(*columns, console=console) as bar:
            tasks: dict[str, Any] = {}

            def show(stage: str, share: float) -> None:
                if stage not in tasks:
                    tasks[stage] = bar.add_task(stage, total=1.0)
                bar.update(tasks[stage], completed=share)

            yield show

    return opened()
