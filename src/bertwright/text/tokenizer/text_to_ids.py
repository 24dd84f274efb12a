"""From texts to `Encoded`: the library splits, `cutting` says what stays, `assembling` puts it together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tokenizers import Encoding, Tokenizer

from bertwright.checkpoint.panics import panics_as_errors
from bertwright.errors import BertwrightError
from bertwright.text.tokenizer.assembling import Cut, Frame, assemble
from bertwright.text.tokenizer.cutting import Strategy, all_parts, check_stride, combined, first_part, kept_lengths
from bertwright.text.tokenizer.encoded import Encoded
from bertwright.text.tokenizer.inputs import Inputs, Text, surrogate_error


@dataclass(frozen=True, slots=True)
class Limit:
    """How long an input may be, and what becomes of a text that is longer.

    Attributes:
        strategy: which text of a pair gives way.
        max_length: in tokens, special ones included.
        stride: what is cut off stands in further inputs, which share so many tokens with the one before; `None`: it
            is lost.
    """

    strategy: Strategy
    max_length: int
    stride: int | None = None


def encode_inputs(pipeline: Tokenizer, inputs: Inputs, limit: Limit, frame: Frame) -> tuple[list[Encoded], list[int]]:
    """Encode `inputs` within `limit`.

    Returns:
        The inputs, and for each of them the place of its text among those that were given.

    Raises:
        BertwrightError: BW406 half a surrogate pair; BW408 a text cannot be cut so far; BW409 not even the special
            tokens fit; BW441 the stride leaves no room for new tokens; BW447 what the library cannot do.
    """
    special = frame.count(inputs.seconds is not None)
    if limit.strategy != "do_not_truncate" and limit.max_length < special:
        raise BertwrightError("BW409", max_length=limit.max_length, special=special)
    if limit.stride is not None and limit.strategy != "do_not_truncate":
        check_stride(limit.stride, limit.max_length - frame.count(False) + 1)  # what no text at all could be cut by
    rows: list[Encoded] = []
    origins: list[int] = []
    for part in inputs.chunks():
        firsts, seconds = split_into_tokens(pipeline, part)
        cuts = []
        for index, first in enumerate(firsts):
            second = None if seconds is None else len(seconds[index])
            cuts += _cuts(index, part.start, (len(first), second), limit, frame)
        rows += assemble(firsts, seconds, cuts, frame)
        origins += [part.start + cut.of for cut in cuts]
    return rows, origins


def _cuts(index: int, start: int, lengths: tuple[int, int | None], limit: Limit, frame: Frame) -> list[Cut]:
    """What of the text at `index` of a chunk, and of its pair, stands in which inputs."""
    first, second = lengths
    special = frame.count(second is not None)
    kept = kept_lengths(first, second, limit.max_length - special, limit.strategy)
    if kept is None:
        raise BertwrightError(
            "BW408",
            index=start + index,
            strategy=limit.strategy,
            max_length=limit.max_length,
            first=first,
            second=second or 0,
            special=special,
        )
    second, at_beginning = second or 0, frame.at_beginning
    if limit.stride is None:
        parts = first_part(first, kept[0], at_beginning), first_part(second, kept[1], at_beginning)
        return [Cut(index, *parts, lost=first + second - sum(kept))]
    of_both = [all_parts(length, room, limit.stride, at_beginning) for length, room in zip((first, second), kept)]
    return [Cut(index, *parts) for parts in combined(*of_both)]


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
