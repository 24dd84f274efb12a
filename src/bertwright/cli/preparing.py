"""The verb that makes a corpus store: prepare."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Annotated, Any

import typer

from bertwright.cli.corpus_options import Encoding, Field, SkipBad, Workers
from bertwright.cli.options import Download
from bertwright.wording import Phrase, quantity, quoted, said

log = logging.getLogger("bertwright")

_FEWEST_DOCUMENTS = 4  # two to draw pairs from, and two held out
_TOLD = {
    "duplicate_documents": Phrase("documents that stand earlier in the corpus, dropped"),
    "duplicate_lines": Phrase("other lines that stand earlier in the corpus, dropped"),
    "emptied_documents": Phrase("documents of which nothing was left"),
    "empty_documents": Phrase("documents without text"),
    "cut_documents": Phrase("cuts in documents longer than 32 MiB"),
    "skipped_lines": Phrase("lines that could not be read, passed over"),
    "skipped_bytes": Phrase("bytes in those lines"),
    "unknown": Phrase("tokens unknown to the vocabulary"),
    "within_words": Phrase("Chinese characters that go on within a word"),
}


def prepare(
    corpus: Annotated[
        list[Path], typer.Argument(help="Text, JSON lines or Parquet files, compressed or not, or folders.")
    ],
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
    workers: Workers = None,
    download: Download = False,
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
    from rich.filesize import decimal

    from bertwright.console import remarks_console
    from bertwright.corpus.prepare import prepare_corpus
    from bertwright.corpus.prepare_settings import PrepareSettings
    from bertwright.corpus.store_estimate import estimate_store
    from bertwright.machine.cores import count_cores
    from bertwright.progress import progress

    settings = PrepareSettings(
        documents=documents,  # type: ignore[arg-type]  # it checks them
        repeats=repeats,  # type: ignore[arg-type]
        field=field,
        encoding=encoding,
        skip_bad=skip_bad_lines,
        wwm=wwm,
        words=words,
    )
    about = estimate_store(corpus, vocab, settings, download=download)
    count = workers or count_cores().allowed
    log.info(
        said(
            "{files}, {size}: about {tokens:,} tokens, a store of about {store}; {processes}",
            files=quantity(about.files, "file"), size=decimal(about.corpus_bytes), tokens=about.tokens,
            store=decimal(about.store_bytes), processes=quantity(count, "process", "processes"),
        )
    )  # fmt: skip
    with progress(remarks_console()) as display:
        store = prepare_corpus(
            corpus, vocab, out, settings, workers=count, resume=resume, overwrite=overwrite, report=display.show,
            download=download,
        )  # fmt: skip
    ledger = store.manifest["ledger"]
    if as_json:
        typer.echo(json.dumps({"store": str(out), **ledger}, indent=2))
        return
    _print_ledger(ledger)
    typer.echo(said("the store is in {out}", out=out))
    _print_next(out, vocab, ledger["documents"])


def _print_ledger(ledger: dict[str, Any]) -> None:
    counts = {name: ledger[name] for name in ("tokens", "sentences", "documents")}
    typer.echo(said("{tokens:,} tokens, {sentences:,} sentences, {documents:,} documents", **counts))
    for name, words in _TOLD.items():
        if count := ledger.get(name):
            share = f" ({100 * count / ledger['tokens']:.2f} %)" if name == "unknown" else ""
            typer.echo(said("  {what}: {n:,}{share}", what=words, n=count, share=share))


def _print_next(out: Path, vocab: str, documents: int) -> None:
    """The command that follows, if it can work; `--init` where the vocabulary is that of a trained model."""
    from bertwright.checkpoint.hub import WEIGHT_FILES, weights_folder

    if documents < _FEWEST_DOCUMENTS:
        typer.echo(
            said(
                "too few documents to pre-train on: pairs of texts and a held-out part need at least {n}; where one "
                "line is a document, say --documents line",
                n=_FEWEST_DOCUMENTS,
            )
        )
        return
    folder = weights_folder(vocab)  # it was read from there
    init = f" --init {quoted(vocab)}" if any((folder / name).is_file() for name in WEIGHT_FILES) else ""
    typer.echo(said("next: {command}", command=f"bertwright pretrain {quoted(out)}{init} --out runs/pretrained"))
