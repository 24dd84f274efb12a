"""`BatchEncoding`: what calling a tokenizer returns, padded as users of `transformers` expect it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bertwright.errors import BertwrightError
from bertwright.text.tokenizer.encoded import Encoded
from bertwright.text.tokenizer.input_places import CharSpan, InputPlaces, PlacesOfRows, TokenSpan, with_pads
from bertwright.text.tokenizer.tensor_values import as_tensor, known_kind
from bertwright.text.tokenizer.tokenizer_files import Side

# To which width inputs are padded; `None`: to none.
Width = Literal["longest", "max_length"] | None
# Where the values of other names stand in an `Encoded`, and what a pad has there.
_OF_ROWS = {
    "token_type_ids": ("token_type_ids", 0),
    "attention_mask": ("attention_mask", 0),
    "special_tokens_mask": ("special_tokens_mask", 1),
    "offset_mapping": ("offsets", 0),
}


class BatchEncoding(dict[str, Any]):
    """The inputs of a model by name: `model(**batch)`, `batch["input_ids"]` or `batch.input_ids`.

    B inputs with S places each, pads included. A value is a list of B lists, or one list where a single text
    was encoded; with `return_tensors` it is a `[B, S]` tensor or array. `batch[0]` is the first input as
    `InputPlaces`, `batch[2:4]` a plain dictionary of that part of every value. `len(batch)` counts the names, not
    the inputs. Where a question takes the number of an input first and one number is given, it is of the first input.

    Args:
        data: the values.
        encoding: the places of the inputs; `None` where they are not known.
        tensor_type: `pt` or `np`, to make tensors or arrays of the values.
        prepend_batch_axis: give these a dimension B of 1.
        n_sequences: how many texts an input has; `None`: as the places say.

    Raises:
        BertwrightError: BW411 an unknown kind of tensors; BW442 a value that cannot stand in one.
    """

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        encoding: InputPlaces | Sequence[InputPlaces] | None = None,
        tensor_type: str | None = None,
        prepend_batch_axis: bool = False,
        n_sequences: int | None = None,
    ) -> None:
        super().__init__(data or {})
        self._places = [encoding] if isinstance(encoding, InputPlaces) else encoding
        self._n_sequences = n_sequences
        self.convert_to_tensors(tensor_type, prepend_batch_axis)

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __getitem__(self, key: str | int | slice) -> Any:
        if isinstance(key, slice):
            return {name: value[key] for name, value in self.items()}
        if isinstance(key, int):
            return self._input(key, f"batch[{key}]")
        return super().__getitem__(key)

    def __reduce__(self) -> tuple[Any, ...]:
        return BatchEncoding, (dict(self), self.encodings, None, False, self._n_sequences)

    def __copy__(self) -> BatchEncoding:
        return BatchEncoding(self, self._places, n_sequences=self._n_sequences)

    def copy(self) -> BatchEncoding:
        """Another one of the same values."""
        return self.__copy__()

    @property
    def data(self) -> dict[str, Any]:
        """The values, which is this dictionary."""
        return self

    @property
    def encodings(self) -> list[InputPlaces] | None:
        """The places of every input; `None` where they are not known."""
        return None if self._places is None else list(self._places)

    @property
    def is_fast(self) -> bool:
        """Whether the places of tokens, words and characters are known."""
        return self._places is not None

    @property
    def n_sequences(self) -> int | None:
        """How many texts an input has: 1 or 2; `None` where that is not known."""
        if self._n_sequences is None and self._places:
            return self._places[0].n_sequences
        return self._n_sequences

    def to(self, device: Any, *, non_blocking: bool = False) -> BatchEncoding:
        """Move every tensor to `device`, in place; returns itself."""
        for name, value in self.items():
            if hasattr(value, "to"):
                self[name] = value.to(device, non_blocking=non_blocking)
        return self

    def convert_to_tensors(self, tensor_type: str | None = None, prepend_batch_axis: bool = False) -> BatchEncoding:
        """Make tensors (`pt`) or arrays (`np`) of the values, in place; returns itself.

        Raises:
            BertwrightError: BW411 an unknown kind of tensors; BW442 a value that cannot stand in one.
        """
        if tensor_type is not None:
            known_kind(tensor_type)
            for name, value in self.items():
                self[name] = as_tensor(name, [value] if prepend_batch_axis else value, tensor_type)
        return self

    def tokens(self, batch_index: int = 0) -> list[str]:
        """The tokens of one input, special tokens and pads included.

        Raises:
            BertwrightError: BW446 where the texts of the batch are not known.
        """
        return self._input(batch_index, "tokens").tokens

    def word_ids(self, batch_index: int = 0) -> list[int | None]:
        """For each place of one input the word of its text, `None` for special tokens and pads.

        Raises:
            BertwrightError: BW446 where the texts of the batch are not known.
        """
        return self._input(batch_index, "word_ids").word_ids

    def sequence_ids(self, batch_index: int = 0) -> list[int | None]:
        """For each place of one input 0 or 1 for first or second text, `None` for special tokens and pads.

        Raises:
            BertwrightError: BW446 where the texts of the batch are not known.
        """
        return self._input(batch_index, "sequence_ids").sequence_ids

    def token_to_sequence(self, batch_or_token_index: int, token_index: int | None = None) -> int | None:
        """Which of the two texts a token belongs to. Raises BW446 where the texts are not known."""
        batch, index = _of_first(batch_or_token_index, token_index)
        return self._input(batch, "token_to_sequence").token_to_sequence(index)

    def token_to_word(self, batch_or_token_index: int, token_index: int | None = None) -> int | None:
        """Which word of its text a token belongs to. Raises BW446 where the texts are not known."""
        batch, index = _of_first(batch_or_token_index, token_index)
        return self._input(batch, "token_to_word").token_to_word(index)

    def token_to_chars(self, batch_or_token_index: int, token_index: int | None = None) -> CharSpan | None:
        """Where a token stands in its text. Raises BW446 where the texts are not known."""
        batch, index = _of_first(batch_or_token_index, token_index)
        return self._input(batch, "token_to_chars").token_to_chars(index)

    def word_to_tokens(
        self, batch_or_word_index: int, word_index: int | None = None, sequence_index: int = 0
    ) -> TokenSpan | None:
        """The tokens of a word. Raises BW446 where the texts are not known."""
        batch, index = _of_first(batch_or_word_index, word_index)
        return self._input(batch, "word_to_tokens").word_to_tokens(index, sequence_index)

    def word_to_chars(
        self, batch_or_word_index: int, word_index: int | None = None, sequence_index: int = 0
    ) -> CharSpan | None:
        """Where a word stands in its text. Raises BW446 where the texts are not known."""
        batch, index = _of_first(batch_or_word_index, word_index)
        return self._input(batch, "word_to_chars").word_to_chars(index, sequence_index)

    def char_to_token(
        self, batch_or_char_index: int, char_index: int | None = None, sequence_index: int = 0
    ) -> int | None:
        """The token of a character of a text. Raises BW446 where the texts are not known."""
        batch, index = _of_first(batch_or_char_index, char_index)
        return self._input(batch, "char_to_token").char_to_token(index, sequence_index)

    def char_to_word(
        self, batch_or_char_index: int, char_index: int | None = None, sequence_index: int = 0
    ) -> int | None:
        """The word of a character of a text. Raises BW446 where the texts are not known."""
        batch, index = _of_first(batch_or_char_index, char_index)
        return self._input(batch, "char_to_word").char_to_word(index, sequence_index)

    def _input(self, index: int, call: str) -> InputPlaces:
        if self._places is None:
            raise BertwrightError("BW446", call=call)
        return self._places[index]


def _of_first(batch_or_index: int, index: int | None) -> tuple[int, int]:
    """The number of an input, and what is asked of it: one number alone is of the first input."""
    return (0, batch_or_index) if index is None else (batch_or_index, index)


def padded_width(padding: bool | str) -> Width:
    """To which width a `padding` argument pads.

    Raises:
        BertwrightError: BW411 for an unknown one.
    """
    if padding is True or padding == "longest":
        return "longest"
    if padding == "max_length":
        return "max_length"
    if padding is False or padding == "do_not_pad":
        return None
    known = "longest, max_length, do_not_pad"
    raise BertwrightError("BW411", option="padding", value=padding, known=known)


def filled(lengths: list[int], width: Width, limit: int, multiple: int) -> list[int]:
    """How many places inputs of these lengths get: of `width`, or more, each a `multiple` of a number."""
    if width is None:
        return lengths
    full = max(lengths, default=0) if width == "longest" else limit
    full = -(-full // multiple) * multiple
    return [max(length, full) for length in lengths]


def padded_batch(
    rows: Sequence[Encoded],
    widths: Sequence[int],
    *,
    pad_id: int,
    side: Side,
    names: Sequence[str],
    token_of: Sequence[str | None],
    single: bool,
    return_tensors: str | None,
    origins: Sequence[int] | None = None,
) -> BatchEncoding:
    """Pad each of `rows` to its width and give the values called `names`.

    Args:
        rows: the B inputs.
        widths: to how many places each is filled, at least its own length.
        pad_id: the id of [PAD].
        side: where the pads go.
        names: which of `input_ids`, `token_type_ids`, `attention_mask`, `special_tokens_mask`,
            `offset_mapping` and `length`, in order.
        token_of: the token of each id.
        single: give the one row without the dimension B, unless tensors are asked for.
        return_tensors: `"pt"`, `"np"` or `None` for lists.
        origins: for each row the number of its text, to be given too.

    Raises:
        BertwrightError: BW410 for tensors of rows of unequal widths; BW411 for another `return_tensors`.
    """

    def padded(attribute: str, fill: int) -> list[NDArray[Any]]:
        return [with_pads(getattr(row, attribute), width, fill, side) for row, width in zip(rows, widths)]

    ids = padded("input_ids", pad_id)
    known = {"input_ids": ids, "length": list(map(np.array, widths))}
    columns = {name: known[name] if name in known else padded(*_OF_ROWS[name]) for name in names}
    if return_tensors is None:
        values: dict[str, Any] = {
            name: _as_lists(column, single and name != "length") for name, column in columns.items()
        }
    else:
        values = {name: _as_tensor(column, widths, return_tensors) for name, column in columns.items()}
    if origins is not None:
        listed = list(origins)
        values["overflow_to_sample_mapping"] = (
            as_tensor("overflow_to_sample_mapping", listed, return_tensors) if return_tensors else listed
        )
    return BatchEncoding(values, PlacesOfRows(rows, widths, pad_id, side, token_of))


def _as_lists(column: Sequence[NDArray[Any]], single: bool) -> Any:
    """A list of what each input has, or only what the single one has; offsets are tuples."""
    listed = [list(map(tuple, values.tolist())) if values.ndim == 2 else values.tolist() for values in column]
    return listed[0] if single else listed


def _as_tensor(values: Sequence[NDArray[Any]], widths: Sequence[int], kind: str) -> Any:
    known_kind(kind)
    if len(set(widths)) > 1:
        raise BertwrightError("BW410", shortest=min(widths), longest=max(widths))
    stacked = np.stack(values).astype(np.int64) if values else np.zeros((0, 0), dtype=np.int64)
    return as_tensor("input_ids", stacked, kind)
