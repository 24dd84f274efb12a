"""`OpenedSource`: a file of labelled data whose encoding is found once and handed on with it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import cached_property
from itertools import islice
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from weakref import finalize

from bertwright.checkpoint.replacing import new_file, require_path
from bertwright.data.reading.true_form import FORMS_OF_TEXT, true_ending
from bertwright.errors import BertwrightError
from bertwright.text.files import plain_suffix
from bertwright.text.lines import LONGEST_LINE, blocks_of, encoding_of, lines_of
from bertwright.text.unreadable import unreadable
from bertwright.wording import said

_LINES_LOOKED_AT = 100
_START = 1 << 16  # characters


class OpenedSource:
    """A path, and what was found out about the file there; everything is looked at when it is first asked for.

    Attributes:
        path: of the file, or of a folder whose sub-folders are the classes; of a pipe, which can be read once only, a
            copy of what came out of it.
        wished: the encoding that somebody named; None: it is detected.
        delimiter: what stands between the columns of a table, where somebody named it.
    """

    def __init__(self, path: Path, wished: str | None = None, delimiter: str | None = None) -> None:
        self._name, self.wished, self.delimiter = str(path), wished, delimiter
        copy = _copy_of_pipe(path)
        self.path = copy or path
        if copy is not None:
            finalize(self, shutil.rmtree, copy.parent, ignore_errors=True)
        self._first: list[str] = []
        self._looked_at = 0  # how many lines were asked for

    def __str__(self) -> str:
        return self._name

    @cached_property
    def suffix(self) -> str:
        """The ending that tells the format, without the compression: that of the name, unless the content is plainly
        JSON where it promises a table, or the other way round.
        """
        named = plain_suffix(self.path)
        if self.delimiter is not None or named not in FORMS_OF_TEXT or not self.path.is_file():
            return named
        try:
            return true_ending(named, self.first_lines(_LINES_LOOKED_AT))
        except BertwrightError:
            return named  # whoever reads it in earnest says what is wrong

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a person should know about the name of the file."""
        named = plain_suffix(self.path)
        if self.suffix == named:
            return ()
        return (
            said("the name ends in {named}, but the content is {form}", named=named, form=FORMS_OF_TEXT[self.suffix]),
        )

    @cached_property
    def encoding(self) -> str:
        """The encoding, as `encoding_of` finds it; raises BW201 to BW203, BW235."""
        return encoding_of(self.path, self.wished)

    @cached_property
    def start(self) -> str:
        """The first characters; errors as `lines`."""
        return next(blocks_of(self.path, self.encoding, _START), "")

    def first_lines(self, count: int) -> list[str]:
        """Up to `count` lines from the beginning; errors as `lines`."""
        if count > self._looked_at:
            self._first, self._looked_at = list(self._up_to(count)), count
        return self._first[:count]

    def _up_to(self, count: int) -> Iterator[str]:
        """The first lines, as far as there are any of a sane length: whoever reads on says what is wrong."""
        try:
            size = 0
            for line in islice(self.lines(), count):
                yield line
                size += len(line)
                if size > LONGEST_LINE:
                    return
        except BertwrightError as error:
            if error.code != "BW297":
                raise

    def lines(self) -> Iterator[str]:
        """Every line with its end as it is; raises those of `encoding`, BW202, BW234."""
        return lines_of(self.path, self.encoding)

    def blocks(self) -> Iterator[str]:
        """The text in parts; errors as `lines`."""
        return blocks_of(self.path, self.encoding)


def _copy_of_pipe(path: Path) -> Path | None:
    """What came out of a pipe as a file in a folder of its own; None for what is no pipe."""
    try:
        is_pipe = path.is_fifo()
    except OSError:  # no name of a file: whoever opens it says so
        return None
    if not is_pipe:
        return None
    try:
        file = Path(mkdtemp(prefix="bertwright-")) / path.name
        with path.open("rb") as pipe, new_file(file) as copy:
            shutil.copyfileobj(pipe, copy)
    except OSError as error:
        raise unreadable(path, error) from error
    return file


def opened(source: Any, encoding: str | None = None, delimiter: str | None = None) -> Any:
    """A path as an `OpenedSource`; rows in memory, and a source that is opened already, as they are.

    Raises:
        BertwrightError: BW138 a delimiter that is not one character, BW202 a pipe that cannot be copied, BW644 a NUL in
            the path, BW646 an empty one.
    """
    if not isinstance(source, (str, Path)):
        return source
    require_path(source)
    if delimiter is not None:
        delimiter = "\t" if delimiter in ("\\t", "tab") else delimiter
        if len(delimiter) != 1 or delimiter in '\r\n"':
            raise BertwrightError("BW138", delimiter=delimiter)
    return OpenedSource(Path(source), encoding, delimiter)
