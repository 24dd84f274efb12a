"""Options of the verbs that read a corpus: vocab, prepare."""

from __future__ import annotations

from typing import Annotated

import typer

Field = Annotated[str, typer.Option(help="Field of JSON lines, or column of Parquet files, that holds the text.")]
Encoding = Annotated[str | None, typer.Option(help="Encoding of text files. Default: detected for each.")]
SkipBad = Annotated[bool, typer.Option("--skip-bad-lines", help="Pass over lines that cannot be read; count them.")]
Workers = Annotated[int | None, typer.Option(min=1, help="Processes that work. Default: one for each core.")]
