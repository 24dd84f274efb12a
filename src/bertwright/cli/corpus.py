"""The verbs that make a vocabulary and a corpus store: vocab, prepare."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bertwright.errors import quantity, quoted, shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from bertwright.corpus.prepare import Report
    from bertwright.corpus.vocabulary_from_corpus import Coverage
    from bertwright.corpus.word_counts import WordCounts

log = logging.getLogger("bertwright")

Corpus = Annotated[list[Path], typer.Argument(help="Text, JSON lines or Parquet files, compressed or not, or folders.")]
Field = Annotated[str, typer.Option(help="Field of JSON lines, or column of Parquet files, that holds the text.")]
Encoding = Annotated[str | None, typer.Option(help="Encoding of text files. Default: detected for each.")]
SkipBad = Annotated[bool, typer.Option("--skip-bad-lines", help="Pass over lines that cannot be read; count them.")]


def vocab(
    corpus: Annotated[list[Path] | None, typer.Argument(help="Text, JSON lines or Parquet files, or folders.")] = None,
    out: Annotated[Path, typer.Option(help="The folder that is written.")] = Path("vocab"),
    size: Annotated[
        int | None,
        typer.Option(
            min=1, help="Tokens of the vocabulary (30000); with --extend, most words of a corpus added (1000)."
        ),
    ] = None,
    cased: Annotated[bool, typer.Option("--cased", help="Keep capital letters and accents apart.")] = False,
    extend: Annotated[str, typer.Option(help="Add words to this checkpoint instead: a model folder or a name.")] = "",
    words: Annotated[Path | None, typer.Option(help="With --extend: a file of the words, one a line.")] = None,
    documents: Annotated[
        str, typer.Option(help="Where a document of a text file ends: blank, line or file.")
    ] = "blank",
    field: Field = "text",
    encoding: Encoding = None,
    skip_bad_lines: SkipBad = False,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes that work. Default: one for each core.")] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace a vocabulary that is there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Train a WordPiece vocabulary, or add the words of a domain to a checkpoint.

    Examples:

      bertwright vocab wiki.txt.xz books/ --out my-vocab --size 30000

      bertwright vocab 新闻.jsonl --out zh-vocab --size 21000

      bertwright vocab medicine.txt --extend bert-base-uncased --size 2000 --out medical-bert

      bertwright vocab --words drugs.txt --extend bert-base-uncased --out medical-bert
    """
    from bertwright.corpus.parts import Source, corpus_files
    from bertwright.corpus.prepare_settings import PrepareSettings
    from bertwright.corpus.vocabulary_from_corpus import LEAST_COUNT, make_vocabulary, require_room, worthy_words
    from bertwright.corpus.word_counts import CountingJob, count_words
    from bertwright.errors import BertwrightError
    from bertwright.machine.cores import count_cores

    if bool(corpus) == bool(words) or (words and not extend):
        raise BertwrightError("BW126")
    for option, given, beside in (("--size", words and size, "--words"), ("--cased", extend and cased, "--extend")):
        if given:
            raise BertwrightError("BW638", option=option, beside=beside)
    checked = PrepareSettings(documents=documents, field=field, encoding=encoding, skip_bad=skip_bad_lines)  # type: ignore[arg-type]
    require_room(out, overwrite=overwrite)
    tokenizer = None
    if extend:
        from bertwright.checkpoint.hub import model_folder
        from bertwright.text.tokenizer.tokenizer import BertTokenizer
        from bertwright.text.vocabulary.extension import extend_checkpoint, read_new_words

        folder = model_folder(extend, download=True, vocabulary=True)
        tokenizer = BertTokenizer.from_pretrained(folder)
    if words is not None:
        chosen, counts = read_new_words(words, encoding), None
    else:
        source = Source(corpus_files(corpus or (), out), checked.documents, field, encoding, skip_bad_lines)
        job = CountingJob(not cased, None, skip_bad_lines)
        if tokenizer is not None:
            job = CountingJob(bool(tokenizer.do_lower_case), tokenizer.strip_accents, skip_bad_lines)
        with _bar() as report:
            counts = count_words(source, job, workers=workers or count_cores().allowed, report=report)
        _say_counts(counts)
        if tokenizer is not None:
            chosen = worthy_words(tokenizer, counts.words, size or 1000)
            if not chosen:
                raise BertwrightError("BW637", model=extend, least=LEAST_COUNT)
    if tokenizer is None:
        assert counts is not None
        made, coverage = make_vocabulary(counts, size or 30_000, cased=cased, out=out, overwrite=overwrite)
        _print_vocabulary(out, len(made), coverage, as_json=as_json)
        return
    extension = extend_checkpoint(folder, out, chosen)
    if as_json:
        typer.echo(json.dumps({"model": str(out), **extension.to_json()}, ensure_ascii=False, indent=2))
        return
    typer.echo(f"{quantity(len(extension.added), 'word')} added: {shown(extension.added)}")
    if extension.known:
        typer.echo(f"  {len(extension.known):,} were in the vocabulary already: {shown(extension.known)}")
    if extension.several:
        typer.echo(f"  {len(extension.several):,} are several words to a BERT: {shown(extension.several)}")
    if extension.too_long:
        begins = (f"{word[:20]}…" for word in extension.too_long)
        typer.echo(f"  {len(extension.too_long):,} are longer than a BERT looks words up: {shown(begins)}")
    typer.echo(f"the checkpoint is in {out}; go on with pre-training so that the new words learn their meaning")


def _say_counts(counts: WordCounts) -> None:
    words, different = counts.words.total(), len(counts.words)
    log.info("%s", f"{words:,} words, {different:,} different, in {counts.documents:,} documents")
    if counts.every > 1:
        log.info("%s", f"  a large corpus: one part (4 MiB) in {counts.every} was read")
    if counts.forgotten:
        log.warning("%s", f"{counts.forgotten:,} occurrences of rare words were forgotten for want of room")
    if counts.skipped_lines:
        log.warning("%s", f"{counts.skipped_lines:,} lines ({counts.skipped_bytes:,} bytes) could not be read")
    if counts.too_long:
        log.warning("%s", f"{counts.too_long:,} words of more than 100 characters passed over")


def _print_vocabulary(out: Path, tokens: int, coverage: Coverage, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"vocabulary": str(out), "tokens": tokens, **coverage.to_json()}, indent=2))
        return
    where = "held-out text" if coverage.held_out else "the text itself (too small to hold any out)"
    typer.echo(f"{tokens:,} tokens; on {where}, {coverage.words:,} words:")
    typer.echo(f"  {100 * coverage.whole:.2f} % of the words are one token, {coverage.tokens_a_word:.3f} tokens a word")
    typer.echo(f"  {100 * coverage.unknown:.4f} % of the tokens are unknown")
    typer.echo(f"the vocabulary is in {out}")
    typer.echo(f"next: bertwright prepare CORPUS --vocab {quoted(out)} --out STORE")


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
    wwm: Annotated[
        bool, typer.Option("--wwm", help="Find Chinese words, for whole-word masking, by the segmenter of extra 'zh'.")
    ] = False,
    words: Annotated[
        Path | None,
        typer.Option(help="Chinese words of your own, one a line: for the segmenter or, without --wwm, all there are."),
    ] = None,
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
    from bertwright.corpus.prepare import prepare_corpus
    from bertwright.corpus.prepare_settings import PrepareSettings
    from bertwright.corpus.store_estimate import estimate_store
    from bertwright.machine.cores import count_cores

    settings = PrepareSettings(
        documents=documents,  # type: ignore[arg-type]  # it checks them
        repeats=repeats,  # type: ignore[arg-type]
        field=field,
        encoding=encoding,
        skip_bad=skip_bad_lines,
        wwm=wwm,
        words=words,
    )
    about = estimate_store(corpus, vocab, settings)
    count = workers or count_cores().allowed
    log.info(
        "%s, %s: about %s tokens, a store of about %s; %s",
        quantity(about.files, "file"), _size(about.corpus_bytes), f"{about.tokens:,}", _size(about.store_bytes),
        quantity(count, "process", "processes"),
    )  # fmt: skip
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
    typer.echo(f"next: bertwright pretrain {quoted(out)} --out runs/pretrained")


def _print_ledger(ledger: dict[str, Any]) -> None:
    typer.echo(f"{ledger['tokens']:,} tokens, {ledger['sentences']:,} sentences, {ledger['documents']:,} documents")
    said = {
        "duplicate_documents": "documents that stand earlier in the corpus, dropped",
        "duplicate_lines": "other lines that stand earlier in the corpus, dropped",
        "emptied_documents": "documents of which nothing was left",
        "empty_documents": "documents without text",
        "cut_documents": "cuts in documents longer than 32 MiB",
        "skipped_lines": "lines that could not be read, passed over",
        "skipped_bytes": "bytes in those lines",
        "unknown": "tokens unknown to the vocabulary",
        "within_words": "Chinese characters that go on within a word",
    }
    for name, words in said.items():
        if ledger.get(name):
            share = f" ({100 * ledger[name] / ledger['tokens']:.2f} % of all)" if name == "unknown" else ""
            typer.echo(f"  {words}: {ledger[name]:,}{share}")


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

    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    from bertwright.console import remarks_console

    @contextmanager
    def opened() -> Iterator[Report]:
        console = remarks_console()
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
