"""`BatchEncoding`: what calling a tokenizer returns, padded as users of `transformers` expect it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bertwright.errors import BertwrightError
from bertwright.text.tokenizer.encoded import Encoded
from bertwright.text.tokenizer.tokenizer_files import Side

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
    was encoded; with `return_tensors` it is a `[B, S]` tensor or array. `batch[2:4]` is a plain dictionary of
    that part of every value. `len(batch)` counts the names, not the inputs.
    """

    def __init__(
        self,
        values: dict[str, Any],
        tokens: Sequence[list[str]] = (),
        word_ids: Sequence[NDArray[Any]] = (),
        sequence_ids: Sequence[NDArray[Any]] = (),
    ) -> None:
        super().__init__(values)
        self._tokens = tokens
        self._word_ids = word_ids
        self._sequence_ids = sequence_ids

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __getitem__(self, key: str | slice) -> Any:
        if isinstance(key, slice):
            return {name: value[key] for name, value in self.items()}
        return super().__getitem__(key)

    def to(self, device: Any) -> BatchEncoding:
        """Move every tensor to `device`, in place; returns itself."""
        for name, value in self.items():
            if hasattr(value, "to"):
                self[name] = value.to(device)
        return self

    def tokens(self, batch_index: int = 0) -> list[str]:
        """The tokens of one input, special tokens and pads included."""
        return self._tokens[batch_index]

    def word_ids(self, batch_index: int = 0) -> list[int | None]:
        """For each place of one input the word of its text, `None` for special tokens and pads."""
        return _none_for_special(self._word_ids[batch_index])

    def sequence_ids(self, batch_index: int = 0) -> list[int | None]:
        """For each place of one input 0 or 1 for first or second text, `None` for special tokens and pads."""
        return _none_for_special(self._sequence_ids[batch_index])


def padded_width(padding: bool | str) -> Literal["longest", "max_length"] | None:
    """To which width a `padding` argument pads; `None`: to none.

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


def filled(lengths: list[int], width: Literal["longest", "max_length"] | None, limit: int, multiple: int) -> list[int]:
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

    Raises:
        BertwrightError: BW410 for tensors of rows of unequal widths; BW411 for another `return_tensors`.
    """

    def padded(attribute: str, fill: int) -> list[NDArray[Any]]:
        return [_pad(getattr(row, attribute), width, fill, side) for row, width in zip(rows, widths)]

    ids = padded("input_ids", pad_id)
    known = {"input_ids": ids, "length": list(map(np.array, widths))}
    columns = {name: known[name] if name in known else padded(*_OF_ROWS[name]) for name in names}
    if return_tensors is None:
        values: dict[str, Any] = {
            name: _as_lists(column, single and name != "length") for name, column in columns.items()
        }
    else:
        values = {name: _as_tensor(column, widths, return_tensors) for name, column in columns.items()}
    return BatchEncoding(
        values,
        tokens=[[token_of[token_id] or "" for token_id in row.tolist()] for row in ids],
        word_ids=padded("word_ids", -1),
        sequence_ids=padded("sequence_ids", -1),
    )


def _pad(values: NDArray[Any], width: int, fill: int, side: Side) -> NDArray[Any]:
    missing = width - len(values)
    if not missing:
        return values
    pads = np.full((missing, *values.shape[1:]), fill, dtype=values.dtype)
    return np.concatenate([pads, values] if side == "left" else [values, pads])


def _as_lists(column: Sequence[NDArray[Any]], single: bool) -> Any:
    """A list of what each input has, or only what the single one has; offsets are tuples."""
    listed = [list(map(tuple, values.tolist())) if values.ndim == 2 else values.tolist() for values in column]
    return listed[0] if single else listed


def _as_tensor(values: Sequence[NDArray[Any]], widths: Sequence[int], kind: str) -> Any:
    if kind not in ("pt", "np"):
        raise BertwrightError("BW411", option="return_tensors", value=kind, known="pt, np")
    if len(set(widths)) > 1:
        raise BertwrightError("BW410", shortest=min(widths), longest=max(widths))
    stacked = np.stack(values).astype(np.int64) if values else np.zeros((0, 0), dtype=np.int64)
    if kind == "np":
        return stacked
    import torch  # only those who ask for tensors wait for it

    return torch.from_numpy(stacked)


def _none_for_special(values: NDArray[Any]) -> list[int | None]:
    return [None if value < 0 else value for value in values.tolist()]
