"""Calling a tokenizer: texts to padded inputs for a model, or to `Encoded` for the toolkit itself."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tokenizers import Tokenizer

from bertwright.text.tokenizer.adding_tokens import AddedTokens
from bertwright.text.tokenizer.assembling import Frame
from bertwright.text.tokenizer.batch_encoding import BatchEncoding, filled, padded_batch
from bertwright.text.tokenizer.call_options import CallOptions
from bertwright.text.tokenizer.cutting import strategy_of
from bertwright.text.tokenizer.decoding import Decoding
from bertwright.text.tokenizer.encoded import Encoded
from bertwright.text.tokenizer.field_calls import FieldCalls
from bertwright.text.tokenizer.inputs import listed, no_text, read_inputs
from bertwright.text.tokenizer.text_to_ids import Limit, encode_inputs, split_into_tokens
from bertwright.text.tokenizer.tokenizer_files import known_side
from bertwright.wording import said

_log = logging.getLogger("bertwright")
_TOO_LONG = "an input of {n} tokens exceeds the {limit} that the model can read; truncation=True cuts it (said once)"


class Calls(FieldCalls, Decoding, AddedTokens):
    """What a tokenizer does with texts."""

    fold_width: bool
    _frame: Frame
    _splitting: Tokenizer | None
    _told: set[str]

    @property
    def pipeline(self) -> Tokenizer:
        """The library's tokenizer within, for what this class does not do."""
        return self._pipeline

    backend_tokenizer = pipeline

    def __call__(
        self,
        text: Any = None,
        text_pair: Any = None,
        text_target: Any = None,
        text_pair_target: Any = None,
        *,
        max_target_length: int | None = None,
        verbose: bool = True,
        **options: Any,
    ) -> BatchEncoding:
        """Encode one text or many in the shapes of `transformers`. B inputs of S places, pads included.

        Args:
            text: a text; or a list of texts; or a list of `(text, pair)` tuples. With `is_split_into_words` a
                text is the list of its words.
            text_pair: the second text, or the list of second texts.
            text_target, text_pair_target: texts whose ids are given as `labels`; without `text`, like `text`.
            max_target_length: `max_length` of these.
            verbose: without effect.
            **options: the fields of `CallOptions`:
                add_special_tokens: put [CLS] and [SEP] around.
                padding: `True` or `"longest"`; `"max_length"`; `False` or `"do_not_pad"`.
                truncation: `True` or `"longest_first"`; `"only_first"`; `"only_second"`; `False` or
                    `"do_not_truncate"`. By default a `max_length` that is given without `padding` cuts.
                max_length: in tokens, special ones included; `None`: `model_max_length`.
                return_overflowing_tokens: give what is cut off as further inputs, beside the value
                    `overflow_to_sample_mapping`: the number of its text for each input.
                stride: how many tokens such inputs share with the one before.
                is_split_into_words: each text is given as its words.
                pad_to_multiple_of: round the padded length up to a multiple of this.
                padding_side: where the pads go; `None`: the attribute.
                return_tensors: `"pt"` for torch tensors `[B, S]`, `"np"` for arrays, `None` for lists.
                return_token_type_ids: give 0 for the first and 1 for the second text; `None`: as `model_input_names`.
                return_attention_mask: give 1 for tokens and 0 for pads; `None`: as `model_input_names`.
                return_offsets_mapping: give `offset_mapping`, `(start, end)` in the original text.
                return_special_tokens_mask: give 1 for special tokens and pads.
                return_length: give the number of places.
                split_special_tokens: read a special token that stands in a text as the text that it is.
                pad_to_max_length, truncation_strategy: older words for `padding` and `truncation`.

        Raises:
            BertwrightError: BW405 an item is no text; BW406 half a surrogate pair; BW407 as many pairs as
                texts are needed; BW408, BW409 a text cannot be cut so far; BW410 tensors need equal lengths;
                BW411 an unknown option; BW412 `max_length` is no multiple of `pad_to_multiple_of`; BW441 `stride`
                leaves no room for new tokens.
            TypeError: an option that does not exist.
        """
        asked = CallOptions(**options)
        if text_target is None:
            return self._encode(text, text_pair, asked)
        of_targets = asked if max_target_length is None else replace(asked, max_length=max_target_length)
        targets = self._encode(text_target, text_pair_target, of_targets)
        if text is None:
            return targets
        batch = self._encode(text, text_pair, asked)
        batch["labels"] = targets["input_ids"]
        return batch

    def _encode(self, text: Any, text_pair: Any, asked: CallOptions) -> BatchEncoding:
        inputs = read_inputs(text, text_pair, as_words=asked.is_split_into_words, fold_width=self.fold_width)
        strategy, width = asked.strategy(), asked.width()
        limit = asked.limit(self.model_max_length, strategy)
        side = known_side("padding_side", self.padding_side if asked.padding_side is None else asked.padding_side)
        frame = replace(self._frame, around=asked.add_special_tokens, at_beginning=self._cuts_at_beginning())
        stride = asked.stride if asked.return_overflowing_tokens else None
        pipeline = self._splitting_pipeline() if asked.split_special_tokens else self._pipeline
        rows, origins = encode_inputs(pipeline, inputs, Limit(strategy, limit, stride), frame)
        lengths = [len(row) for row in rows]
        if strategy == "do_not_truncate":
            self._tell_of_uncut(max(lengths, default=0), asked.max_length, is_padded=width == "longest")
        return padded_batch(
            rows,
            filled(lengths, width, limit, asked.pad_to_multiple_of or 1),
            pad_id=self.pad_token_id,
            side=side,
            names=asked.names(self.model_input_names),
            token_of=self._token_of,
            single=inputs.single and not asked.return_overflowing_tokens,
            return_tensors=asked.return_tensors,
            origins=origins if asked.return_overflowing_tokens else None,
        )

    def encode_batch(
        self,
        texts: Sequence[str] | Sequence[Sequence[str]],
        pairs: Sequence[str] | None = None,
        *,
        max_length: int | None = None,
        truncation: bool | str = "longest_first",
        is_split_into_words: bool = False,
    ) -> list[Encoded]:
        """Encode many texts for the toolkit itself: without a pad, and with account of what was lost.

        Args:
            texts: the texts.
            pairs: as many second texts.
            max_length: in tokens, special ones included; `None`: `model_max_length`.
            truncation: as in a call; `False` keeps every text whole, whatever its length.
            is_split_into_words: each text is given as its words.

        Raises:
            BertwrightError: BW405 to BW409 and BW411, as in a call.
        """
        seconds, fold = None if pairs is None else listed(pairs), self.fold_width
        inputs = read_inputs(listed(texts), seconds, as_words=is_split_into_words, fold_width=fold)
        limit = self.model_max_length if max_length is None else max_length
        return encode_inputs(self._pipeline, inputs, Limit(strategy_of(truncation), limit), self._frame)[0]

    def encode(self, text: str | Sequence[str], text_pair: Any = None, **options: Any) -> Any:
        """The `input_ids` of a call with the same arguments: a list of ints for one text."""
        return self(text, text_pair, **options)["input_ids"]

    def tokenize(
        self, text: str, pair: str | None = None, add_special_tokens: bool = False, **options: Any
    ) -> list[str]:
        """The tokens of `text`, and of its `pair`: uncut and, unless asked for, without special tokens around.

        Raises:
            BertwrightError: BW405 what is no text; BW406 half a surrogate pair.
            TypeError: an option that does not exist.
        """
        if not isinstance(text, str):
            raise no_text("text", text)
        if pair is not None or add_special_tokens or options:
            return self(text, pair, add_special_tokens=add_special_tokens, **options).tokens()
        (tokens,), _ = split_into_tokens(self._pipeline, read_inputs(text, fold_width=self.fold_width))
        return [self._token(token_id) for token_id in tokens.ids]

    def _tokens_in(self, text: Any) -> list[str]:
        return self.tokenize(text)

    # Inside

    def _splitting_pipeline(self) -> Tokenizer:
        """A pipeline that reads special tokens as text."""
        if self._splitting is None:
            self._splitting = Tokenizer.from_str(self._pipeline.to_str())
            self._splitting.encode_special_tokens = True
        return self._splitting

    def _tell_of_uncut(self, longest: int, max_length: int | None, *, is_padded: bool) -> None:
        """What may come as a surprise where nothing is cut; `is_padded`: to the longest input."""
        if longest > self.model_max_length:
            self._tell_once(_TOO_LONG, n=longest, limit=self.model_max_length)
        if max_length is not None and is_padded:
            self._tell_once("max_length={n} has no effect without truncation=True (said once)", n=max_length)

    def _tell_once(self, message: str, **facts: int) -> None:
        if message not in self._told:
            self._told.add(message)
            _log.warning(said(message, **facts))
