"""Options that several verbs have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bertwright.engines.known_engines import engine_names

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
Delimiter = Annotated[
    str | None, typer.Option(help="What separates the columns of a table, such as ';' or tab. Default: found.")
]
DropUnlabelled = Annotated[
    bool, typer.Option("--drop-unlabelled", help="Leave out rows without a label, and count them.")
]
Device = Annotated[str, typer.Option(help="Where to compute: cpu, cuda:0, mps, …")]
Engine = Annotated[str, typer.Option(help=f"What computes: {', '.join(engine_names())}.")]
Precision = Annotated[
    str, typer.Option(help="In which numbers: fp32, bf16, or auto, the one of them that is faster here.")
]
AcceptOtherMachine = Annotated[
    bool, typer.Option(help="Go on although this machine cannot compute as the one did on which it was begun.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Run = Annotated[Path, typer.Argument(help="A run folder or a model folder.")]
Download = Annotated[bool, typer.Option("--download", help="Fetch a model that is not on this machine.")]
Resume = Annotated[bool, typer.Option(help="Go on with the run that the folder holds; begin if there is none.")]
Overwrite = Annotated[bool, typer.Option(help="Replace the run that the folder holds.")]
