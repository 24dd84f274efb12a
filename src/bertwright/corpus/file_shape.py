"""Where documents end must be known: a long file without a blank line does not say it."""

from __future__ import annotations

from collections.abc import Sequence

from bertwright.corpus.document_ids import Scanned
from bertwright.corpus.parts import Source
from bertwright.errors import BertwrightError

_MANY_LINES = 1000


class FileShape:
    """Looks out for a long text file without a blank line: nobody can say where its documents end."""

    def __init__(self, source: Source, state: Sequence[int]) -> None:
        self._source = source
        self.state = list(state)  # the number of a file, its lines, its documents

    def take(self, scanned: Scanned) -> None:
        """Count a part."""
        part = scanned.part
        if part.file != self.state[0]:
            self.close()
            self.state = [part.file, 0, 0]
        if part.kind == "text":
            self.state[1] += len(scanned.lines)
            # The pieces of a document that was cut are one.
            self.state[2] += len(scanned.documents) - int(part.goes_on)

    def close(self) -> None:
        """The file is at its end; raises BW280 where its many lines are one document."""
        number, lines, documents = self.state
        if self._source.documents == "blank" and documents <= 1 and lines > _MANY_LINES:
            raise BertwrightError("BW280", file=self._source.files[number], lines=lines)
