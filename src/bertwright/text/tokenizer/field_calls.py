"""The calls of programs written for `transformers` that stand beside that of the tokenizer itself.

Version 5 has dropped some of them; these do what they did in version 4.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bertwright.errors import BertwrightError
from bertwright.text.tokenizer.batch_encoding import BatchEncoding, padded_width
from bertwright.text.tokenizer.call_options import CallOptions
from bertwright.text.tokenizer.cutting import Strategy, strategy_of
from bertwright.text.tokenizer.padding import Padding, pad_inputs
from bertwright.text.tokenizer.token_table import TokenTable, as_python
from bertwright.text.tokenizer.tokenizer_files import Side, known_side
from bertwright.text.vocabulary.vocabulary_file import write_vocabulary

Ids = list[int]


class FieldCalls(TokenTable):
    """What else programs ask of a tokenizer."""

    model_max_length: int
    padding_side: Side
    truncation_side: Side
    is_fast = True
    model_input_names: list[str]

    # What a tokenizer answers to a call, in other words

    def __call__(self, *args: Any, **options: Any) -> BatchEncoding:
        """See `BertTokenizer`."""
        raise NotImplementedError

    def encode_plus(self, text: Any, text_pair: Any = None, **options: Any) -> BatchEncoding:
        """A call for one text, or one pair. A list of tokens or of ids is one text that was cut into tokens before.

        Raises:
            BertwrightError: as a call.
        """
        if options.get("is_split_into_words") or not isinstance(text, list | tuple):
            return self(text, text_pair, **options)
        pair = None if text_pair is None else self._ids_of(text_pair)
        return self.prepare_for_model(self._ids_of(text), pair, prepend_batch_axis=True, **options)

    def batch_encode_plus(self, batch_text_or_text_pairs: Sequence[Any], **options: Any) -> BatchEncoding:
        """A call for a list of texts, or of pairs.

        Raises:
            BertwrightError: as a call.
        """
        return self(batch_text_or_text_pairs, **options)

    @contextmanager
    def as_target_tokenizer(self) -> Iterator[None]:
        """Texts and targets are read alike: within, nothing is different."""
        yield

    # Inputs from ids

    def prepare_for_model(
        self,
        ids: Sequence[int],
        pair_ids: Sequence[int] | None = None,
        prepend_batch_axis: bool = False,
        verbose: bool = True,
        **options: Any,
    ) -> BatchEncoding:
        """One input of the ids of a text, and of its pair: cut, with special tokens around, padded.

        Args:
            ids: of the text.
            pair_ids: of the second text.
            prepend_batch_axis: give tensors a dimension B of 1.
            verbose: without effect.
            **options: as in a call. Offsets are not known; with `return_overflowing_tokens` what was cut off stands
                under `overflowing_tokens`, with `stride` ids before it, and `num_truncated_tokens` counts it.

        Raises:
            BertwrightError: BW408 a text cannot be cut so far; BW409 not even the special tokens fit; BW411 an unknown
                option; BW446 offsets were asked for.
        """
        asked = CallOptions(**options)
        if asked.return_offsets_mapping:
            raise BertwrightError("BW446", call="return_offsets_mapping")
        first, second = list(ids), None if pair_ids is None else list(pair_ids)
        around = asked.add_special_tokens
        special = self.num_special_tokens_to_add(second is not None) if around else 0
        strategy = asked.strategy()
        limit = asked.limit(self.model_max_length, strategy)
        too_many = len(first) + len(second or ()) + special - limit
        values: dict[str, Any] = {}
        if asked.return_overflowing_tokens:
            values = {"overflowing_tokens": [], "num_truncated_tokens": too_many}
        if strategy != "do_not_truncate" and too_many > 0:
            if limit < special:
                raise BertwrightError("BW409", max_length=limit, special=special)
            first, second, over = self.truncate_sequences(first, second, too_many, strategy, asked.stride)
            if asked.return_overflowing_tokens:
                values["overflowing_tokens"] = over
        values |= self._framed(first, second, asked)
        if asked.width() or "attention_mask" in asked.names(self.model_input_names):
            values = dict(
                self.pad(
                    values,
                    padding=asked.width() or False,
                    max_length=limit,
                    pad_to_multiple_of=asked.pad_to_multiple_of,
                    padding_side=asked.padding_side,
                    return_attention_mask=asked.return_attention_mask,
                )
            )
        if asked.return_length:
            values["length"] = len(values["input_ids"])
        prepends = prepend_batch_axis and asked.return_tensors is not None
        return BatchEncoding(values, tensor_type=asked.return_tensors, prepend_batch_axis=prepends)

    def _framed(self, first: Ids, second: Ids | None, asked: CallOptions) -> dict[str, Ids]:
        names = asked.names(self.model_input_names)
        around = asked.add_special_tokens
        plain = first + (second or [])
        values = {
            "input_ids": self.build_inputs_with_special_tokens(first, second) if around else plain,
            "token_type_ids": self.create_token_type_ids_from_sequences(first, second) if around else [0] * len(plain),
            "special_tokens_mask": self.get_special_tokens_mask(first, second) if around else [0] * len(plain),
        }
        return {name: value for name, value in values.items() if name in names}

    def truncate_sequences(
        self,
        ids: Ids,
        pair_ids: Ids | None = None,
        num_tokens_to_remove: int = 0,
        truncation_strategy: str = "longest_first",
        stride: int = 0,
    ) -> tuple[Ids, Ids | None, Ids]:
        """Take ids away from a text or its pair.

        Returns:
            What stays of both, and what was taken away with `stride` ids beside it: nothing of this where both texts
            may give way.

        Raises:
            BertwrightError: BW408 where the text that is to give way has no more ids than that; BW411 an unknown
                strategy.
        """
        strategy = strategy_of(truncation_strategy)
        pair = pair_ids or []
        if num_tokens_to_remove <= 0 or strategy == "do_not_truncate":
            return ids, pair_ids, []
        if strategy == "longest_first" and pair_ids is not None:
            of_first, of_second = _shares(len(ids), len(pair), num_tokens_to_remove)
            return self._shorter(ids, of_first), self._shorter(pair, of_second), []
        gives_way = pair if strategy == "only_second" else ids
        if len(gives_way) <= num_tokens_to_remove:
            raise _cannot_be_cut(strategy, len(ids), len(pair), num_tokens_to_remove)
        count = min(len(gives_way), stride + num_tokens_to_remove)
        over = gives_way[:count] if self._cuts_at_beginning() else gives_way[-count:]
        shorter = self._shorter(gives_way, num_tokens_to_remove)
        return (ids, shorter, over) if strategy == "only_second" else (shorter, pair_ids, over)

    def _cuts_at_beginning(self) -> bool:
        return known_side("truncation_side", self.truncation_side) == "left"

    def _shorter(self, ids: Ids, by: int) -> Ids:
        return ids[by:] if self._cuts_at_beginning() else ids[: len(ids) - by]

    def build_inputs_with_special_tokens(self, token_ids_0: Ids, token_ids_1: Ids | None = None) -> Ids:
        """[CLS] a [SEP], or [CLS] a [SEP] b [SEP]."""
        first = [self.cls_token_id, *token_ids_0, self.sep_token_id]
        return first if token_ids_1 is None else [*first, *token_ids_1, self.sep_token_id]

    def create_token_type_ids_from_sequences(self, token_ids_0: Ids, token_ids_1: Ids | None = None) -> Ids:
        """0 for a text and the special tokens around it, 1 for its pair and what follows it."""
        first = [0] * (len(token_ids_0) + 2)
        return first if token_ids_1 is None else first + [1] * (len(token_ids_1) + 1)

    def get_special_tokens_mask(
        self, token_ids_0: Any, token_ids_1: Any = None, already_has_special_tokens: bool = False
    ) -> Ids:
        """1 where a special token stands, else 0.

        Args:
            token_ids_0: the ids of a text; of a whole input where `already_has_special_tokens`.
            token_ids_1: the ids of its pair.
            already_has_special_tokens: whether the ids are looked at; else their count says where they will be.
        """
        first = as_python(token_ids_0)
        if already_has_special_tokens:
            special = set(self.all_special_ids)
            return [int(token_id in special) for token_id in [*first, *as_python(token_ids_1 or [])]]
        mask = [1, *([0] * len(first)), 1]
        return mask if token_ids_1 is None else [*mask, *([0] * len(token_ids_1)), 1]

    def num_special_tokens_to_add(self, pair: bool = False) -> int:
        """How many special tokens stand around a text, or around a pair."""
        return 3 if pair else 2

    def pad(
        self,
        encoded_inputs: Any,
        padding: bool | str = True,
        max_length: int | None = None,
        pad_to_multiple_of: int | None = None,
        padding_side: Side | None = None,
        return_attention_mask: bool | None = None,
        return_tensors: str | None = None,
        verbose: bool = True,
    ) -> BatchEncoding:
        """Pad inputs that were made before: those of a collator.

        Args:
            encoded_inputs: what a call gave; or a list of such inputs; lists, arrays or tensors by name.
            padding: `True` or `"longest"`; `"max_length"`; `False` or `"do_not_pad"`.
            max_length: for `"max_length"`; `None`: `model_max_length`. Nothing is cut.
            pad_to_multiple_of: round the width up to a multiple of this.
            padding_side: where the pads go; `None`: the attribute.
            return_attention_mask: add a mask to inputs without; `None`: where the model reads one.
            return_tensors: `"pt"`, `"np"`; `None`: as the ids are given.
            verbose: without effect.

        Returns:
            The same values by name. Ids, masks and token types are padded; others, such as labels, stay as they are.

        Raises:
            BertwrightError: BW411 an unknown option; BW442 values that cannot stand in a tensor; BW443 values that one
                of the inputs lacks.
        """
        adds_mask = return_attention_mask
        settled = Padding(
            width=padded_width(padding),
            limit=self.model_max_length if max_length is None else max_length,
            multiple=pad_to_multiple_of or 1,
            side=known_side("padding_side", self.padding_side if padding_side is None else padding_side),
            pad_id=self.pad_token_id,
            adds_mask="attention_mask" in self.model_input_names if adds_mask is None else adds_mask,
            masks_nothing=adds_mask is True,
        )
        return pad_inputs(encoded_inputs, settled, return_tensors)

    def _ids_of(self, tokens: Sequence[Any]) -> Ids:
        """The ids of a text that is given as tokens or as ids."""
        known: list[Any] = list(tokens) if isinstance(tokens, list | tuple) else self._tokens_in(tokens)
        return [self.convert_tokens_to_ids(token) if isinstance(token, str) else int(token) for token in known]

    def _tokens_in(self, text: Any) -> list[str]:
        """See `BertTokenizer.tokenize`."""
        raise NotImplementedError

    # Small things that are asked for

    @property
    def max_len_single_sentence(self) -> int:
        """How many tokens of a text fit into an input."""
        return self.model_max_length - self.num_special_tokens_to_add()

    @property
    def max_len_sentences_pair(self) -> int:
        """How many tokens of the two texts of a pair fit into an input."""
        return self.model_max_length - self.num_special_tokens_to_add(pair=True)

    def save_vocabulary(self, save_directory: str | Path, filename_prefix: str | None = None) -> tuple[str]:
        """Write `vocab.txt` alone: every token, a line each.

        Raises:
            BertwrightError: BW414 for a token that a line cannot hold.
        """
        file = Path(save_directory) / f"{filename_prefix + '-' if filename_prefix else ''}vocab.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        write_vocabulary(file, self._id_of)
        return (str(file),)


def _shares(first: int, second: int, count: int) -> tuple[int, int]:
    """How many of `count` ids a text and its pair lose: the longer one as much as it is longer, then both by turns."""
    difference = min(abs(first - second), count)
    half = (count - difference) // 2
    rest = count - difference - half
    return (difference + half, rest) if first > second else (half, difference + rest)


def _cannot_be_cut(strategy: Strategy, first: int, second: int, count: int) -> BertwrightError:
    return BertwrightError(
        "BW408", index=0, strategy=strategy, max_length=first + second - count, first=first, second=second, special=0
    )
