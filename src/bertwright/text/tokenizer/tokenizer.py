"""`BertTokenizer`: text to the tokens of a BERT, over the `tokenizers` library.

Basic tokenization and WordPiece are those of Devlin et al. 2018 (arXiv 1810.04805) and of its code. The
library does that inner loop; cutting and the special tokens around the texts are done in this room, without
state, so that one tokenizer serves many threads and every token lost is counted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from bertwright.checkpoint.folders import unseal
from bertwright.checkpoint.hub import spelt, weights_folder
from bertwright.checkpoint.hub_request import HubRequest
from bertwright.checkpoint.replacing import write_text
from bertwright.errors import BertwrightError
from bertwright.text.tokenizer.assembling import Frame
from bertwright.text.tokenizer.calls import Calls
from bertwright.text.tokenizer.loading_arguments import settle_loading, settle_saving
from bertwright.text.tokenizer.tokenizer_files import (
    DEFAULT_MAX_LENGTH,
    TokenizerSettings,
    changed_settings,
    known_side,
    read_settings,
    read_tokens_beside,
    write_settings,
)
from bertwright.text.vocabulary.vocabulary_file import number_tokens, read_vocabulary, write_vocabulary
from bertwright.text.vocabulary.wordpiece import (
    add_named_tokens,
    add_tokens_beside,
    build_pipeline,
    follow_settings,
    read_pipeline,
    settings_in,
)
from bertwright.wording import Phrase, said

_OF_THE_PEERS = "transformers.tokenization_utils_base"
_BY_PIPELINE = Phrase("ask tokenizer.pipeline.pre_tokenizer for words, and tokenizer.tokenize for the pieces of a word")
_NO_CHAT = Phrase("leave it out: a BERT reads texts, not conversations")
_NOT_HERE = {
    "basic_tokenizer": _BY_PIPELINE,
    "wordpiece_tokenizer": _BY_PIPELINE,
    "apply_chat_template": _NO_CHAT,
    "chat_template": _NO_CHAT,
    "train_new_from_iterator": Phrase("bertwright vocab makes a vocabulary of texts"),
    "push_to_hub": Phrase("leave it out and upload the folder with huggingface_hub.upload_folder"),
}
# What is made of the pipeline and the settings, and what was said already: no part of what a tokenizer is.
_DERIVED = {"_pipeline", "_splitting", "_id_of", "_token_of", "_frame", "_told", "deprecation_warnings"}


class BertTokenizer(Calls):
    """Text to token ids and back. `BertTokenizerFast` is another name of it.

    Args:
        vocab: a `vocab.txt`, or the tokens in the order of their ids, or the id of each token.
        do_lower_case: whether text is lower-cased first; `None`: it is if the vocabulary has no capitals,
            and a line in the log says so.
        strip_accents: whether accents are taken off; `None`: as `do_lower_case`.
        tokenize_chinese_chars: whether each Han character is a word of its own.
        model_max_length: the longest input of the model in tokens, special ones included.
        fold_width: whether digits and letters of double width (１９, ＡＢ) are read as those of ASCII.
        **named: `vocab_file`, an older word for `vocab`; special tokens by what they are for (`cls_token="<s>"`,
            `additional_special_tokens=[…]`), which are taken from the vocabulary (the additional ones are added where
            it lacks them); and other fields of `TokenizerSettings`.

    Attributes:
        cls_token, cls_token_id, … mask_token_id, all_special_tokens, all_special_ids: as in `TokenTable`.
        do_lower_case, strip_accents, tokenize_chinese_chars, fold_width, model_max_length: as decided.
        padding_side, truncation_side: `right` or `left`, as the files say; may be set. They are of calls:
            `encode_batch` has no pads, and cuts texts at their ends.
        model_input_names: which values a call gives where it is not told; may be set.
        name_or_path: what it was loaded by.

    Raises:
        BertwrightError: BW302 no such file; BW316 an argument that cannot be honoured; BW401 a special token is
            missing; BW402 the file is not UTF-8; BW403 no token; BW411 no such argument; BW445 a special token cannot
            be added.
    """

    def __init__(
        self,
        vocab: str | Path | Sequence[str] | Mapping[str, int] | None = None,
        do_lower_case: bool | None = None,
        *,
        strip_accents: bool | None = None,
        tokenize_chinese_chars: bool = True,
        model_max_length: int = DEFAULT_MAX_LENGTH,
        fold_width: bool = False,
        **named: Any,
    ) -> None:
        settings = TokenizerSettings(do_lower_case, strip_accents, tokenize_chinese_chars, fold_width, model_max_length)
        older_name = named.pop("vocab_file", None)
        vocab = older_name if vocab is None else vocab
        settle_loading("BertTokenizer", named)
        settings = changed_settings(settings, named)
        source = "vocab"
        if isinstance(vocab, str | Path):
            source, vocabulary = str(vocab), read_vocabulary(vocab)
        elif isinstance(vocab, Mapping) and vocab:
            vocabulary = dict(vocab)
        else:
            vocabulary = number_tokens(vocab or (), source)
        pipeline = build_pipeline(vocabulary, settings, source)
        add_named_tokens(pipeline, settings)
        self._begin(pipeline, settings, source)

    @classmethod
    def from_pretrained(cls, folder_or_name: str | os.PathLike[str], **changes: Any) -> BertTokenizer:
        """The tokenizer of a model: a folder, or a name on the hub (the local cache is asked first).

        `tokenizer.json` is read if there, else `vocab.txt`; what `tokenizer_config.json` says about case,
        accents, Han characters, special tokens, sides and length counts before both. Tokens that it or an
        `added_tokens.json` adds are added. Truncation and padding saved in `tokenizer.json` never act. The
        length limit is never above `max_position_embeddings`.

        Args:
            folder_or_name: see `checkpoint.hub.weights_folder`; or a `vocab.txt`.
            **changes: laid over what the files say: fields of `TokenizerSettings`, such as `do_lower_case=True`;
                special tokens that the vocabulary lacks are added. Besides, what the hub is asked for (`cache_dir`,
                `local_files_only`, `token`, `revision`, `force_download`, `subfolder`).

        Raises:
            BertwrightError: BW411 no such setting; BW301 no such model; BW302 neither file; BW303 the download failed;
                BW316 an argument that cannot be honoured; BW401 a special token is missing; BW402 to BW404 and BW415 a
                file cannot be read; BW416 an added token cannot have its id; BW445 a token cannot be added.
        """
        request = HubRequest.taken_from(changes)
        settle_loading(f"{cls.__name__}.from_pretrained", changes)
        name = spelt(folder_or_name)
        if os.path.isfile(name):  # noqa: PTH113 - that of a Path raises an error for a name that can be no path
            return cls(name, **changes)
        folder = weights_folder(folder_or_name, download=True, vocabulary=True, any_kind=True, request=request)
        settings = changed_settings(read_settings(folder), changes)
        saved, listed = folder / "tokenizer.json", folder / "vocab.txt"
        if saved.is_file():
            source, pipeline = saved, read_pipeline(saved, settings)
        elif listed.is_file():
            source, pipeline = listed, build_pipeline(read_vocabulary(listed), settings, str(listed))
        else:
            raise BertwrightError("BW302", folder=folder, file="vocab.txt / tokenizer.json")
        add_tokens_beside(pipeline, read_tokens_beside(folder))
        if changes:
            add_named_tokens(pipeline, changed_settings(TokenizerSettings(), changes))
        tokenizer = cls.__new__(cls)
        tokenizer._begin(pipeline, settings, str(source))
        tokenizer.name_or_path = name
        return tokenizer

    def _begin(self, pipeline: Tokenizer, settings: TokenizerSettings, source: str) -> None:
        super().__init__(pipeline.get_vocab(with_added_tokens=True), settings, source)
        self.settings = settings = settings_in(pipeline, self.settings)
        self.do_lower_case = settings.do_lower_case
        self.strip_accents = settings.strip_accents
        self.tokenize_chinese_chars = settings.tokenize_chinese_chars
        self.fold_width, self.model_max_length = settings.fold_width, settings.model_max_length
        self.padding_side, self.truncation_side = settings.padding_side, settings.truncation_side
        self.model_input_names = list(settings.model_input_names)
        self.name_or_path = source
        self._made_ready(pipeline)

    def _made_ready(self, pipeline: Tokenizer) -> None:
        self._pipeline = pipeline
        self._told: set[str] = set()
        self.deprecation_warnings: dict[str, bool] = {}  # collators of `transformers` write into it
        self._settle()

    def _settle(self) -> None:
        frame = Frame(self.cls_token_id, self.sep_token_id, self.unk_token_id)
        follow_settings(self._pipeline, self.settings, renews_frame=getattr(self, "_frame", frame) != frame)
        self._frame = frame
        self._splitting: Tokenizer | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """The same bytes in every process and after every call: caches of `datasets` go by them."""
        state = {name: value for name, value in vars(self).items() if name not in _DERIVED}
        return _opened, (type(self), self._pipeline.to_str(), dict(sorted(state.items())))

    @property
    def __class__(self) -> type:
        """Its class; to a program that has loaded `transformers`, the class of the tokenizers there.

        `isinstance` asks it after the class itself. The peers' Trainer chooses its collator, and what it does with the
        tokenizer, by `isinstance` and by nothing else.
        """
        return getattr(sys.modules.get(_OF_THE_PEERS), "PreTrainedTokenizerBase", type(self))

    @__class__.setter
    def __class__(self, kind: type) -> None:
        raise AttributeError("__class__")

    def __getattr__(self, name: str) -> Any:
        """Raises an `AttributeError` that says what to use in place of what `transformers` has beside."""
        if name in _NOT_HERE:
            raise AttributeError(said("a tokenizer has no {name} here: {way_out}", name=name, way_out=_NOT_HERE[name]))
        return object.__getattribute__(self, name)  # which says that it is not there

    def __repr__(self) -> str:
        case = "lower-cased" if self.do_lower_case else "cased"
        name = type(self).__name__
        return f"{name}({self._source}: {len(self)} tokens, {case}, at most {self.model_max_length} long)"

    # The tokenizer as a whole

    @property
    def vocab_size(self) -> int:
        """One more than the highest id of the vocabulary, without tokens that were added to it later."""
        return max(self._pipeline.get_vocab(with_added_tokens=False).values()) + 1

    @property
    def init_kwargs(self) -> dict[str, Any]:
        """The settings by their names."""
        return asdict(self._settings_as_set())

    def save_pretrained(self, folder: str | os.PathLike[str], **options: Any) -> tuple[str, ...]:
        """Write `vocab.txt`, `tokenizer.json` and `tokenizer_config.json`, which `transformers` opens too.

        Args:
            folder: is made where it is not there.
            **options: those of `transformers` that change nothing here, such as `legacy_format`.

        Returns:
            The paths of the three files.

        Raises:
            BertwrightError: BW316 an option that cannot be honoured; BW317 an unknown one; BW414 a token that a line of
                `vocab.txt` cannot hold.
        """
        settle_saving(f"{type(self).__name__}.save_pretrained", options)
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        unseal(folder)
        write_vocabulary(folder / "vocab.txt", self._id_of)
        write_text(folder / "tokenizer.json", self._pipeline.to_str(pretty=True))
        usual = {self._id_of[token] for token in self.special_tokens_map.values()}
        added, size = self.added_tokens_decoder, self.vocab_size
        is_more = any(token_id not in usual or token_id >= size for token_id in added)
        write_settings(folder, self._settings_as_set(), added if is_more else {})
        return tuple(str(folder / name) for name in ("vocab.txt", "tokenizer.json", "tokenizer_config.json"))

    # Inside

    def _settings_as_set(self) -> TokenizerSettings:
        """The settings, with the attributes that may have been set since."""
        return replace(
            self.settings,
            padding_side=known_side("padding_side", self.padding_side),
            truncation_side=known_side("truncation_side", self.truncation_side),
            model_max_length=self.model_max_length,
            model_input_names=tuple(self.model_input_names),
        )


def _opened(kind: type[BertTokenizer], pipeline: str, state: dict[str, Any]) -> BertTokenizer:
    """A tokenizer that was sent to another process, or copied."""
    tokenizer = kind.__new__(kind)
    vars(tokenizer).update(state)
    opened = Tokenizer.from_str(pipeline)
    tokenizer._learn(opened.get_vocab(with_added_tokens=True))
    tokenizer._made_ready(opened)
    return tokenizer


BertTokenizerFast = BertTokenizer
