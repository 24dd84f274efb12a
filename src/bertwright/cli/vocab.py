"""The verb that makes a vocabulary, or adds words to one: vocab."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bertwright.cli.corpus_options import Encoding, Field, SkipBad, Workers
from bertwright.cli.options import Download
from bertwright.errors import BertwrightError
from bertwright.wording import Phrase, quantity, quoted, said, shown, worded

if TYPE_CHECKING:
    from bertwright.corpus.vocabulary_from_corpus import Coverage
    from bertwright.corpus.word_counts import WordCounts
    from bertwright.text.tokenizer.tokenizer import BertTokenizer
    from bertwright.text.vocabulary.extension import Extension

log = logging.getLogger("bertwright")


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
    data: Annotated[
        list[Path] | None,
        typer.Option(help="With --extend: data to train or evaluate with; what the model cannot read in it is added."),
    ] = None,
    fold_width: Annotated[
        bool,
        typer.Option("--fold-width", help="Read digits and letters of double width (１９, ＡＢ) as those of ASCII."),
    ] = False,
    documents: Annotated[
        str, typer.Option(help="Where a document of a text file ends: blank, line or file.")
    ] = "blank",
    field: Field = "text",
    encoding: Encoding = None,
    skip_bad_lines: SkipBad = False,
    workers: Workers = None,
    download: Download = False,
    overwrite: Annotated[bool, typer.Option(help="Replace a vocabulary that is there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Train a WordPiece vocabulary, or add the words of a domain to a checkpoint.

    Examples:

      bertwright vocab wiki.txt.xz books/ --out my-vocab --size 30000

      bertwright vocab 新闻.jsonl --out zh-vocab --size 21000

      bertwright vocab medicine.txt --extend bert-base-uncased --size 2000 --out medical-bert

      bertwright vocab --words drugs.txt --extend bert-base-uncased --out medical-bert

      bertwright vocab --data 训练.csv --extend bert-base-chinese --fold-width --out reviews-bert
    """
    from bertwright.checkpoint.hub import weights_folder
    from bertwright.console import remarks_console
    from bertwright.corpus.parts import Source, corpus_files
    from bertwright.corpus.prepare_settings import PrepareSettings
    from bertwright.corpus.vocabulary_from_corpus import LEAST_UNKNOWN, make_vocabulary, require_room
    from bertwright.corpus.word_counts import CountingJob, count_words
    from bertwright.machine.cores import count_cores
    from bertwright.progress import progress
    from bertwright.text.tokenizer.tokenizer import BertTokenizer
    from bertwright.text.vocabulary.extension import extend_checkpoint, read_new_words

    _check_words(corpus, words or data or fold_width, words, size, extend=bool(extend), cased=cased)
    checked = PrepareSettings(documents=documents, field=field, encoding=encoding, skip_bad=skip_bad_lines)  # type: ignore[arg-type]
    require_room(out, overwrite=overwrite)

    def count(lower_case: bool, strip_accents: bool | None, folds: bool) -> WordCounts:
        source = Source(corpus_files(corpus or (), out), checked.documents, field, encoding, skip_bad_lines)
        job = CountingJob(lower_case, strip_accents, skip_bad_lines, folds)
        with progress(remarks_console()) as display:
            counts = count_words(source, job, workers=workers or count_cores().allowed, report=display.show)
        _say_counts(counts)
        return counts

    if not extend:
        made, coverage = make_vocabulary(
            count(not cased, None, fold_width), size or 30_000,
            cased=cased, out=out, fold_width=fold_width, overwrite=overwrite,
        )  # fmt: skip
        _print_vocabulary(out, len(made), coverage, as_json=as_json)
        return
    folder = weights_folder(extend, download=download, vocabulary=True)
    tokenizer = BertTokenizer.from_pretrained(folder, fold_width=fold_width or None)
    chosen = [] if words is None else read_new_words(words, encoding)
    if data:
        unread = _unread_words(data, encoding, tokenizer, size or 1000)
        if not unread and not chosen and not fold_width:
            raise BertwrightError("BW142", model=extend, data=data[0], least=LEAST_UNKNOWN)
        chosen += unread
    if corpus:
        counts = count(bool(tokenizer.do_lower_case), tokenizer.strip_accents, tokenizer.fold_width)
        chosen = _words_to_add(extend, tokenizer, counts, size or 1000)
    made_of = extend_checkpoint(folder, out, chosen, fold_width=fold_width)
    _print_extension(out, made_of, data[0] if data else None, folds=fold_width, as_json=as_json)


def _check_words(
    corpus: list[Path] | None, others: object, words: Path | None, size: int | None, *, extend: bool, cased: bool
) -> None:
    """Refuse options that say nothing together; `others`: what a checkpoint may be given instead of a corpus."""
    if not (corpus or (others and extend)) or (corpus and words):
        raise BertwrightError("BW126")
    for option, given, beside in (("--size", words and size, "--words"), ("--cased", extend and cased, "--extend")):
        if given:
            raise BertwrightError("BW638", option=option, beside=beside)


def _words_to_add(model: str, tokenizer: BertTokenizer, counts: WordCounts, most: int) -> list[str]:
    from bertwright.corpus.vocabulary_from_corpus import LEAST_COUNT, worthy_words

    chosen = worthy_words(tokenizer, counts.words, most)
    if not chosen:
        raise BertwrightError("BW637", model=model, least=LEAST_COUNT)
    return chosen


def _unread_words(data: list[Path], encoding: str | None, tokenizer: BertTokenizer, most: int) -> list[str]:
    """What the vocabulary cannot read in the texts of labelled data, the most frequent first."""
    from bertwright.corpus.vocabulary_from_corpus import measure, unknown_words
    from bertwright.corpus.word_counts import CountingJob
    from bertwright.tasks.registry import task_for

    texts: list[str] = []
    for file in data:
        table = task_for(file, None, encoding).read(file, labelled=False, encoding=encoding, name=file.name)
        texts += [text for one in table.examples for text in (one.text, one.text_b) if text]
    job = CountingJob(bool(tokenizer.do_lower_case), tokenizer.strip_accents, fold_width=tokenizer.fold_width)
    counts = job.make().count_texts(texts)
    fit = measure(tokenizer, counts.words)
    listed = shown((f"{character} ({count})" for character, count in fit.left_out.items()), 12) or "-"
    log.info(
        said(
            "{texts}: {n:.2f} % of the tokens are unknown to the vocabulary: {listed}",
            texts=quantity(len(texts), "text"), n=100 * fit.unknown, listed=listed,
        )
    )  # fmt: skip
    return unknown_words(tokenizer, counts.words, most)


def _say_counts(counts: WordCounts) -> None:
    log.info(
        said(
            "{words:,} words, {different:,} different, in {documents:,} documents",
            words=counts.words.total(), different=len(counts.words), documents=counts.documents,
        )
    )  # fmt: skip
    if counts.every > 1:
        log.info(said("  a large corpus: one part (4 MiB) in {every} was read", every=counts.every))
    if counts.forgotten:
        log.warning(said("{n:,} occurrences of rare words were forgotten for want of room", n=counts.forgotten))
    if counts.skipped_lines:
        lines, size = counts.skipped_lines, counts.skipped_bytes
        log.warning(said("{lines:,} lines ({bytes:,} bytes) could not be read", lines=lines, bytes=size))
    if counts.too_long:
        log.warning(said("{n:,} words of more than 100 characters passed over", n=counts.too_long))


def _print_vocabulary(out: Path, tokens: int, coverage: Coverage, *, as_json: bool) -> None:
    if as_json:
        document = {"vocabulary": str(out), "tokens": tokens, **coverage.to_json()}
        typer.echo(json.dumps(document, indent=2, ensure_ascii=False))
        return
    where = Phrase("held-out text") if coverage.held_out else Phrase("the text itself (too small to hold any out)")
    typer.echo(
        said("{tokens:,} tokens; on {where}, {words:,} words:", tokens=tokens, where=where, words=coverage.words)
    )
    whole, pieces = 100 * coverage.whole, coverage.tokens_a_word
    typer.echo(said("  {n:.2f} % of the words are one token, {pieces:.3f} tokens a word", n=whole, pieces=pieces))
    typer.echo(said("  {n:.4f} % of the tokens are unknown", n=100 * coverage.unknown))
    if coverage.left_out:
        listed = shown((f"{character} ({count})" for character, count in coverage.left_out.items()), 12)
        typer.echo(said("  characters of it that are no tokens: {listed}", listed=listed))
    typer.echo(said("the vocabulary is in {out}", out=out))
    typer.echo(_next_prepare(out))


def _next_prepare(out: Path) -> str:
    corpus, store = worded("CORPUS"), worded("STORE")
    return said("next: {command}", command=f"bertwright prepare {corpus} --vocab {quoted(out)} --out {store}")


def _print_extension(out: Path, extension: Extension, data: Path | None, *, folds: bool, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"model": str(out), **extension.to_json()}, ensure_ascii=False, indent=2))
        return
    words = quantity(len(extension.added), "word")
    if extension.added:
        typer.echo(said("{words} added: {listed}", words=words, listed=shown(extension.added)))
    if some := extension.known:
        typer.echo(said("  {n:,} were in the vocabulary already: {listed}", n=len(some), listed=shown(some)))
    if some := extension.several:
        typer.echo(said("  {n:,} are several words to a BERT: {listed}", n=len(some), listed=shown(some)))
    if some := extension.too_long:
        begins = shown(f"{word[:20]}…" for word in some)
        typer.echo(said("  {n:,} are longer than a BERT looks words up: {listed}", n=len(some), listed=begins))
    if folds:
        typer.echo(said("digits and letters of double width are read as those of ASCII"))
    if data is not None or not extension.added:
        typer.echo(said("the checkpoint is in {out}", out=out))
        train = quoted(data) if data is not None else f"{worded('TRAIN')}.csv"
        typer.echo(said("next: {command}", command=f"bertwright finetune {train} --model {quoted(out)}"))
        return
    typer.echo(
        said("the checkpoint is in {out}; go on with pre-training so that the new words learn their meaning", out=out)
    )
    typer.echo(_next_prepare(out))
