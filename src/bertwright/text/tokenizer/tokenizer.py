"""`BertTokenizer`: text to the tokens of a BERT, over the `tokenizers` library.

Basic tokenization and WordPiece are those of Devlin et al. 2018 (arXiv 1810.04805) and of its code. The
library does that inner loop; cutting and the special tokens around the texts are done in this room, without
state, so that one tokenizer serves many threads and every token lost is counted.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import compress
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from bertwright.checkpoint.folders import unseal
from bertwright.checkpoint.hub import weights_folder
from bertwright.errors import BertwrightError
from bertwright.text.tokenizer.assembling import Frame
from bertwright.text.tokenizer.batch_encoding import BatchEncoding, filled, padded_batch, padded_width
from bertwright.text.tokenizer.cutting import strategy_of
from bertwright.text.tokenizer.encoded import Encoded
from bertwright.text.tokenizer.inputs import listed, no_text, read_inputs
from bertwright.text.tokenizer.text_to_ids import encode_inputs, split_into_tokens
from bertwright.text.tokenizer.token_table import TokenTable, as_python
from bertwright.text.tokenizer.tokenizer_files import (
    DEFAULT_MAX_LENGTH,
    Side,
    TokenizerSettings,
    changed_settings,
    known_side,
    read_settings,
    read_tokens_beside,
    write_settings,
)
from bertwright.text.vocabulary.vocabulary_file import number_tokens, read_vocabulary, write_vocabulary
from bertwright.text.vocabulary.wordpiece import (
    add_tokens_beside,
    build_pipeline,
    mark_special,
    read_pipeline,
    settings_in,
)
from bertwright.wording import said

_log = logging.getLogger("bertwright")
_TOO_LONG = "an input of {n} tokens exceeds the {limit} that the model can read; truncation=True cuts it (said once)"


class BertTokenizer(TokenTable):
    """Text to token ids and back.

    Args:
        vocab: a `vocab.txt`, or the tokens in the order of their ids, or the id of each token.
        do_lower_case: whether text is lower-cased first; `None`: it is if the vocabulary has no capitals,
            and a line in the log says so.
        strip_accents: whether accents are taken off; `None`: as `do_lower_case`.
        tokenize_chinese_chars: whether each Han character is a word of its own.
        model_max_length: the longest input of the model in tokens, special ones included.
        fold_width: whether digits and letters of double width (１９, ＡＢ) are read as those of ASCII.

    Attributes:
        cls_token, cls_token_id, … mask_token_id, all_special_tokens, all_special_ids: as in `TokenTable`.
        do_lower_case, strip_accents, tokenize_chinese_chars, fold_width, model_max_length: as decided.
        padding_side, truncation_side: `right` or `left`, as the files say; may be set. They are of calls:
            `encode_batch` has no pads, and cuts texts at their ends.

    Raises:
        BertwrightError: BW302 no such file; BW401 a special token is missing; BW402 the file is not UTF-8;
            BW403 no token.
    """

    def __init__(
        self,
        vocab: str | Path | Sequence[str] | Mapping[str, int],
        *,
        do_lower_case: bool | None = None,
        strip_accents: bool | None = None,
        tokenize_chinese_chars: bool = True,
        model_max_length: int = DEFAULT_MAX_LENGTH,
        fold_width: bool = False,
    ) -> None:
        settings = TokenizerSettings(do_lower_case, strip_accents, tokenize_chinese_chars, fold_width, model_max_length)
        source = "vocab"
        if isinstance(vocab, str | Path):
            source, vocabulary = str(vocab), read_vocabulary(vocab)
        elif isinstance(vocab, Mapping) and vocab:
            vocabulary = dict(vocab)
        else:
            vocabulary = number_tokens(vocab, source)
        self._begin(build_pipeline(vocabulary, settings, source), settings, source)

    @classmethod
    def from_pretrained(cls, folder_or_name: str | os.PathLike[str], **changes: Any) -> BertTokenizer:
        """The tokenizer of a model: a folder, or a name on the hub (the local cache is asked first).

        `tokenizer.json` is read if there, else `vocab.txt`; what `tokenizer_config.json` says about case,
        accents, Han characters, special tokens, sides and length counts before both. Tokens that it or an
        `added_tokens.json` adds are added. Truncation and padding saved in `tokenizer.json` never act. The
        length limit is never above `max_position_embeddings`.

        Args:
            folder_or_name: see `checkpoint.hub.weights_folder`.
            **changes: laid over what the files say: fields of `TokenizerSettings`, such as `do_lower_case=True`.

        Raises:
            BertwrightError: BW411 no such setting; BW301 no such model; BW302 neither file; BW303 the download failed;
                BW401 a special token is missing; BW402 to BW404 and BW415 a file cannot be read; BW416 an added token
                cannot have its id.
        """
        folder = weights_folder(folder_or_name, download=True, vocabulary=True, any_kind=True)
        settings = changed_settings(read_settings(folder), changes)
        saved, listed = folder / "tokenizer.json", folder / "vocab.txt"
        if saved.is_file():
            source, pipeline = saved, read_pipeline(saved, settings)
        elif listed.is_file():
            source, pipeline = listed, build_pipeline(read_vocabulary(listed), settings, str(listed))
        else:
            raise BertwrightError("BW302", folder=folder, file="vocab.txt / tokenizer.json")
        add_tokens_beside(pipeline, read_tokens_beside(folder))
        tokenizer = cls.__new__(cls)
        tokenizer._begin(pipeline, settings, str(source))
        return tokenizer

    def _begin(self, pipeline: Tokenizer, settings: TokenizerSettings, source: str) -> None:
        super().__init__(pipeline.get_vocab(with_added_tokens=True), settings, source)
        others = settings.additional_special_tokens  # which are marked as their files say
        mark_special(pipeline, [token for token in self.all_special_tokens if token not in others])
        settings = settings_in(pipeline, settings)
        self.do_lower_case = settings.do_lower_case
        self.strip_accents = settings.strip_accents
        self.tokenize_chinese_chars = settings.tokenize_chinese_chars
        self.fold_width, self.model_max_length = settings.fold_width, settings.model_max_length
        self.padding_side, self.truncation_side = settings.padding_side, settings.truncation_side
        self._settings = settings
        self._pipeline = pipeline
        self._frame = Frame(self.cls_token_id, self.sep_token_id, self.unk_token_id)
        self._told: set[str] = set()

    def __repr__(self) -> str:
        case = "lower-cased" if self.do_lower_case else "cased"
        return f"BertTokenizer({self._source}: {len(self)} tokens, {case}, at most {self.model_max_length} long)"

    # Encoding

    def __call__(
        self,
        text: str | Sequence[Any],
        text_pair: str | Sequence[Any] | None = None,
        *,
        add_special_tokens: bool = True,
        padding: bool | str = False,
        truncation: bool | str | None = None,
        max_length: int | None = None,
        is_split_into_words: bool = False,
        pad_to_multiple_of: int | None = None,
        padding_side: Side | None = None,
        return_tensors: str | None = None,
        return_token_type_ids: bool | None = None,
        return_attention_mask: bool | None = None,
        return_offsets_mapping: bool = False,
        return_special_tokens_mask: bool = False,
        return_length: bool = False,
    ) -> BatchEncoding:
        """Encode one text or many in the shapes of `transformers`. B inputs of S places, pads included.

        Args:
            text: a text; or a list of texts; or a list of `(text, pair)` tuples. With `is_split_into_words` a
                text is the list of its words.
            text_pair: the second text, or the list of second texts.
            add_special_tokens: put [CLS] and [SEP] around.
            padding: `True` or `"longest"`; `"max_length"`; `False` or `"do_not_pad"`.
            truncation: `True` or `"longest_first"`; `"only_first"`; `"only_second"`; `False` or
                `"do_not_truncate"`. By default a `max_length` that is given without `padding` cuts.
            max_length: in tokens, special ones included; `None`: `model_max_length`.
            is_split_into_words: each text is given as its words.
            pad_to_multiple_of: round the padded length up to a multiple of this.
            padding_side: where the pads go; `None`: the attribute.
            return_tensors: `"pt"` for torch tensors `[B, S]`, `"np"` for arrays, `None` for lists.
            return_token_type_ids: give 0 for the first and 1 for the second text; `None`: yes.
            return_attention_mask: give 1 for tokens and 0 for pads; `None`: yes.
            return_offsets_mapping: give `offset_mapping`, `(start, end)` in the original text.
            return_special_tokens_mask: give 1 for special tokens and pads.
            return_length: give the number of places.

        Raises:
            BertwrightError: BW405 an item is no text; BW406 half a surrogate pair; BW407 as many pairs as
                texts are needed; BW408, BW409 a text cannot be cut so far; BW410 tensors need equal lengths;
                BW411 an unknown option; BW412 `max_length` is no multiple of `pad_to_multiple_of`.
        """
        inputs = read_inputs(text, text_pair, as_words=is_split_into_words, fold_width=self.fold_width)
        strategy = strategy_of(truncation, by_default=max_length is not None and padding is False)
        width = padded_width(padding)
        limit = self.model_max_length if max_length is None else max_length
        multiple = pad_to_multiple_of or 1
        if width and strategy != "do_not_truncate" and limit % multiple:
            raise BertwrightError("BW412", max_length=limit, multiple=multiple)
        side = known_side("padding_side", self.padding_side if padding_side is None else padding_side)
        at_beginning = known_side("truncation_side", self.truncation_side) == "left"
        frame = replace(self._frame, around=add_special_tokens, at_beginning=at_beginning)
        rows = encode_inputs(self._pipeline, inputs, strategy, limit, frame)
        lengths = [len(row) for row in rows]
        if strategy == "do_not_truncate":
            self._tell_of_uncut(max(lengths, default=0), max_length, is_padded=width == "longest")
        asked = {
            "input_ids": True,
            "token_type_ids": return_token_type_ids is not False,
            "attention_mask": return_attention_mask is not False,
            "special_tokens_mask": return_special_tokens_mask,
            "offset_mapping": return_offsets_mapping,
            "length": return_length,
        }
        return padded_batch(
            rows,
            filled(lengths, width, limit, multiple),
            pad_id=self.pad_token_id,
            side=side,
            names=list(compress(asked, asked.values())),
            token_of=self._token_of,
            single=inputs.single,
            return_tensors=return_tensors,
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
        return encode_inputs(self._pipeline, inputs, strategy_of(truncation), limit, self._frame)

    def encode(self, text: str | Sequence[str], text_pair: Any = None, **options: Any) -> Any:
        """The `input_ids` of a call with the same arguments: a list of ints for one text."""
        return self(text, text_pair, **options)["input_ids"]

    def tokenize(self, text: str) -> list[str]:
        """The tokens of `text` uncut and without special tokens around."""
        if not isinstance(text, str):
            raise no_text("text", text)
        return split_into_tokens(self._pipeline, read_inputs(text, fold_width=self.fold_width))[0][0].tokens

    # Tokens and ids

    @property
    def pipeline(self) -> Tokenizer:
        """The library's tokenizer within, for what this class does not do."""
        return self._pipeline

    @property
    def vocab_size(self) -> int:
        """One more than the highest id of the vocabulary, without tokens that were added to it later."""
        return max(self._pipeline.get_vocab(with_added_tokens=False).values()) + 1

    def num_special_tokens_to_add(self, pair: bool = False) -> int:
        """How many special tokens stand around a text, or around a pair."""
        return self._frame.count(pair)

    def decode(self, token_ids: Any, skip_special_tokens: bool = False) -> Any:
        """The text of token ids; of a list of lists (or `[B, S]`) a list of texts.

        Spaces and case of the source are not in the ids: for parts of the source use offsets.

        Raises:
            BertwrightError: BW413 for an id that no token has, such as the -100 of ignored labels.
        """
        ids = as_python(token_ids)
        if isinstance(ids, int):
            ids = [ids]
        if ids and not isinstance(ids[0], int):
            return [self.decode(row, skip_special_tokens) for row in ids]
        for token_id in ids:
            self._token(token_id)
        return self._pipeline.decode(ids, skip_special_tokens=skip_special_tokens)

    def batch_decode(self, sequences: Any, skip_special_tokens: bool = False) -> list[str]:
        """`decode` of each of `sequences`."""
        return [self.decode(row, skip_special_tokens) for row in sequences]

    def save_pretrained(self, folder: str | Path) -> None:
        """Write `vocab.txt`, `tokenizer.json` and `tokenizer_config.json`, which `transformers` opens too.

        Raises:
            BertwrightError: BW414 for a token that a line of `vocab.txt` cannot hold.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        unseal(folder)
        write_vocabulary(folder / "vocab.txt", self._id_of)
        (folder / "tokenizer.json").write_text(self._pipeline.to_str(pretty=True), encoding="utf-8", newline="\n")
        sides = known_side("padding_side", self.padding_side), known_side("truncation_side", self.truncation_side)
        as_set = replace(self._settings, padding_side=sides[0], truncation_side=sides[1])
        write_settings(folder, replace(as_set, model_max_length=self.model_max_length))

    # Inside

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
