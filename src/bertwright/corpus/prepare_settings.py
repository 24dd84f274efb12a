"""How a corpus becomes a store."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from bertwright.corpus.parts import Documents
from bertwright.errors import BertwrightError

Repeats = Literal["drop", "drop-documents", "keep"]


@dataclass(frozen=True, slots=True)
class PrepareSettings:
    """How a corpus becomes a store.

    Attributes:
        documents: where a document of a text file ends: at a blank line, at every line, or with the file.
        field: the field of JSON lines, or column of Parquet files, that holds the text.
        encoding: of text files; None: found for each.
        skip_bad: pass over lines that cannot be read, and count them, instead of stopping.
        repeats: what happens to documents and lines that stand earlier in the corpus.
        wwm: find Chinese words by the segmenter of the extra `zh`, and keep where they begin.
        words: a file of Chinese words of one's own: the segmenter gets to know them, or, without `wwm`, words are
            the longest matches among them alone.

    Raises:
        BertwrightError: BW125 a value that is none of those.
    """

    documents: Documents = "blank"
    field: str = "text"
    encoding: str | None = None
    skip_bad: bool = False
    repeats: Repeats = "drop"
    wwm: bool = False
    words: Path | None = None

    def __post_init__(self) -> None:
        for option, value, kind in (("documents", self.documents, Documents), ("repeats", self.repeats, Repeats)):
            if value not in get_args(kind):
                raise BertwrightError("BW125", option=option, value=value, known=", ".join(get_args(kind)))

    @property
    def finds_words(self) -> bool:
        """Whether Chinese words are looked for."""
        return self.wwm or self.words is not None
