"""From texts to `Encoded`: the library splits, `cutting` says what stays, `assembling` puts it together."""

from __future__ import annotations

from collections.abc import Sequence

from tokenizers import Encoding, Tokenizer

from bertwright.checkpoint.panics import panics_as_errors
from bertwright.errors import BertwrightError
from bertwright.text.tokenizer.assembling import Frame, assemble
from bertwright.text.tokenizer.cutting import Strategy, kept_lengths
from bertwright.text.tokenizer.encoded import Encoded
from bertwright.text.tokenizer.inputs import Inputs, Text, surrogate_error


def encode_inputs(
    pipeline: Tokenizer, inputs: Inputs, strategy: Strategy, max_length: int, frame: Frame
) -> list[Encoded]:
    """Encode `inputs` with at most `max_length` tokens each, special ones included.

    Raises:
        BertwrightError: BW406 half a surrogate pair; BW408 a text cannot be cut so far; BW409 not even the special
            tokens fit; BW447 what the library cannot do.
    """
    special = frame.count(inputs.seconds is not None)
    if strategy != "do_not_truncate" and max_length < special:
        raise BertwrightError("BW409", max_length=max_length, special=special)
    rows: list[Encoded] = []
    for part in inputs.chunks():
        firsts, seconds = split_into_tokens(pipeline, part)
        kept = []
        for index, first in enumerate(firsts):
            second = None if seconds is None else len(seconds[index])
            lengths = kept_lengths(len(first), second, max_length - special, strategy)
            if lengths is None:
                raise BertwrightError(
                    "BW408",
                    index=part.start + index,
                    strategy=strategy,
                    max_length=max_length,
                    first=len(first),
                    second=second or 0,
                    special=special,
                )
            kept.append(lengths)
        rows += assemble(firsts, seconds, kept, frame)
    return rows


def split_into_tokens(pipeline: Tokenizer, inputs: Inputs) -> tuple[list[Encoding], list[Encoding] | None]:
    """The library's tokens of both texts, uncut and without special tokens around.

    Raises:
        BertwrightError: BW406 half a surrogate pair; BW447 what the library cannot do, as its file describes it.
    """

    def tokens_of(texts: Sequence[Text]) -> list[Encoding]:
        return pipeline.encode_batch(list(texts), is_pretokenized=inputs.as_words, add_special_tokens=False)

    try:
        with panics_as_errors():
            return tokens_of(inputs.firsts), None if inputs.seconds is None else tokens_of(inputs.seconds)
    except TypeError as error:  # all types were checked: only half a surrogate pair is left
        raise surrogate_error(inputs) or error from error
    except Exception as error:  # the library raises plain `Exception`
        raise BertwrightError("BW447", reason=error) from error
