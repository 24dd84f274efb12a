"""What a call of a tokenizer asks for, in the words of `transformers`, those of its versions 3 and 4 included."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from bertwright.errors import BertwrightError
from bertwright.text.tokenizer.batch_encoding import Width, padded_width
from bertwright.text.tokenizer.cutting import Strategy, strategy_of
from bertwright.text.tokenizer.tokenizer_files import Side


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOptions:
    """The options as a caller gave them; `BertTokenizer.__call__` says what each of them means."""

    add_special_tokens: bool = True
    padding: bool | str = False
    truncation: bool | str | None = None
    max_length: int | None = None
    stride: int = 0
    is_split_into_words: bool = False
    pad_to_multiple_of: int | None = None
    padding_side: Side | None = None
    return_tensors: str | None = None
    return_token_type_ids: bool | None = None
    return_attention_mask: bool | None = None
    return_overflowing_tokens: bool = False
    return_special_tokens_mask: bool = False
    return_offsets_mapping: bool = False
    return_length: bool = False
    split_special_tokens: bool = False
    pad_to_max_length: bool = False
    truncation_strategy: str | None = None

    def strategy(self) -> Strategy:
        """Which text gives way where an input is too long.

        Raises:
            BertwrightError: BW411 for an unknown one.
        """
        truncation = self.truncation
        if truncation is None and self.truncation_strategy is not None:
            truncation = self.truncation_strategy
        return strategy_of(truncation, by_default=self.max_length is not None and self.padding is False)

    def width(self) -> Width:
        """To which width inputs are padded.

        Raises:
            BertwrightError: BW411 for an unknown one.
        """
        if self.padding is False and self.pad_to_max_length:
            return "longest" if self.max_length is None else "max_length"
        return padded_width(self.padding)

    def limit(self, model_max_length: int, strategy: Strategy) -> int:
        """How long an input may be, in tokens.

        Raises:
            BertwrightError: BW412 where that is no multiple of `pad_to_multiple_of`.
        """
        limit = model_max_length if self.max_length is None else self.max_length
        multiple = self.pad_to_multiple_of or 1
        if self.width() and strategy != "do_not_truncate" and limit % multiple:
            raise BertwrightError("BW412", max_length=limit, multiple=multiple)
        return limit

    def names(self, model_input_names: Collection[str]) -> list[str]:
        """The values that are given, in their order; by default those that the model reads."""

        def wanted(name: str, asked: bool | None) -> bool:
            return name in model_input_names if asked is None else asked

        asked = {
            "input_ids": True,
            "token_type_ids": wanted("token_type_ids", self.return_token_type_ids),
            "attention_mask": wanted("attention_mask", self.return_attention_mask),
            "special_tokens_mask": self.return_special_tokens_mask,
            "offset_mapping": self.return_offsets_mapping,
            "length": self.return_length,
        }
        return [name for name, is_asked in asked.items() if is_asked]
