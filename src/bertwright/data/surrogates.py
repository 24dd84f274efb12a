"""Halves of surrogate pairs, which no encoding can write, told with the place of the example that holds one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bertwright.data.examples import Example
from bertwright.errors import BertwrightError
from bertwright.text.tokenizer.inputs import half_of_a_pair


@contextmanager
def half_pairs_placed(examples: Sequence[Example]) -> Iterator[None]:
    """The tokenizer knows its own inputs only: where it finds a half, the example is named in its place.

    Raises:
        BertwrightError: BW406 with file and line.
    """
    try:
        yield
    except BertwrightError as error:
        if error.code == "BW406":
            for example in examples:
                for text in (example.text, example.text_b, *(example.answer.texts() if example.answer else ())):
                    if text and (found := half_of_a_pair(text, example.where)):
                        raise found from error
        raise
