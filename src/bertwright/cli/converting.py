"""The verb `convert-data`: texts with marked parts from one format into another."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Annotated

import typer

from bertwright.cli.options import Json

log = logging.getLogger("bertwright")


def convert_data(
    source: Annotated[Path, typer.Argument(metavar="IN", help="A column file (CoNLL and its kin) or JSON with spans.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="The file to write.")],
    to: Annotated[
        str | None, typer.Option(help="columns, cluener, doccano or label-studio. Default: by the ending of OUT.")
    ] = None,
    scheme: Annotated[
        str | None, typer.Option(help="Of the tags: bio, bioes, bmes, bilou, iob1, io. Default: by OUT, else bio.")
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="Encoding of IN. Default: detected, and said.")] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace OUT.")] = False,
    as_json: Json = False,
) -> None:
    """Convert tagged texts between CoNLL columns, CLUENER, doccano and Label Studio.

    Columns get the tokens that IN has; texts that nobody cut are cut into words.

    Examples:

      bertwright convert-data eng.train train.jsonl

      bertwright convert-data labelled.json train.bmes

      bertwright convert-data train.char.bmes train.json --to cluener
    """
    from bertwright.checkpoint.folders import place_for, say_if_replaced, write_text
    from bertwright.data.examples import places_listed, spans_of
    from bertwright.data.tagged.column_files import scheme_named
    from bertwright.data.tagged.schemes import SCHEMES
    from bertwright.data.tagged.span_sources import read_spans
    from bertwright.data.tagged.writing import form_for, lines_for, not_told_apart
    from bertwright.errors import BertwrightError
    from bertwright.wording import quantity, said

    place_for(target, source)
    form = form_for(target, to)
    if scheme is not None and form != "columns":
        raise BertwrightError("BW640", scheme=scheme, form=form, file=target)
    suffix = target.suffix.lower().removeprefix(".")
    by_name = suffix if suffix in (*SCHEMES, "iob", "iob2") else "bio"
    chosen = scheme_named(scheme or by_name)
    if target.exists() and not overwrite:
        raise BertwrightError("BW122", file=target)
    table = read_spans(source, encoding=encoding)
    log.info(table.summary())
    say_if_replaced(target)
    write_text(target, "".join(lines_for(table.examples, form, chosen)))
    joined = not_told_apart(table.examples, form, chosen)
    spans = sum(len(spans_of(example) or ()) for example in table.examples) - len(joined)
    if as_json:
        document = {
            "target": str(target), "form": form, "scheme": chosen if form == "columns" else None,
            "texts": len(table.examples), "entities": spans, "not_told_apart": [str(place) for place in joined],
        }  # fmt: skip
        typer.echo(json.dumps(document, ensure_ascii=False))
    else:
        what = said("columns, {scheme}", scheme=chosen.upper()) if form == "columns" else form
        texts, entities = quantity(len(table.examples), "text"), quantity(spans, "entity", "entities")
        typer.echo(
            said("{target}: {texts} with {entities} ({what})", target=target, texts=texts, entities=entities, what=what)
        )
    if joined:
        stand = quantity(len(joined), "more stands", "more stand")
        log.warning(
            said(
                "{n} directly behind one of the same type, and {scheme} cannot tell them apart: {places}; --scheme bio "
                "can",
                n=stand, scheme=chosen.upper(), places=places_listed(joined),
            )
        )  # fmt: skip
