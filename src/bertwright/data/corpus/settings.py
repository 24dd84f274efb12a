"""How a corpus becomes a store."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from bertwright.data.corpus.parts import Documents
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
        whole_words: keep where Chinese words begin.
        words: a file of Chinese words of one's own.
        segmenter: whether Chinese words are found by the segmenter of the extra `zh`, or by `words` alone.

    Raises:
        BertwrightError: BW125 a value that is none of those; BW126 neither a segmenter nor words.
    """

    documents: Documents = "blank"
    field: str = "text"
    encoding: str | None = None
    skip_bad: bool = False
    repeats: Repeats = "drop"
    whole_words: bool = False
    words: Path | None = None
    segmenter: bool = True

    def __post_init__(self) -> None:
        for option, value, kind in (("documents", self.documents, Documents), ("repeats", self.repeats, Repeats)):
            if value not in get_args(kind):
                raise BertwrightError("BW125", option=option, value=value, known=", ".join(get_args(kind)))
        if not self.segmenter and self.words is None and self.whole_words:
            raise BertwrightError("BW126")
