"""`TokenTable`: the id of every token, the token of every id, and which of them are special."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bertwright.errors import BertwrightError
from bertwright.text.tokenizer.special_tokens import NAMES, SpecialToken, SpecialTokenId, no_such_token
from bertwright.text.tokenizer.tokenizer_files import TokenizerSettings
from bertwright.text.vocabulary.vocabulary_file import require_tokens

CONTINUATION = "##"  # marks the tokens that go on within a word


class TokenTable:
    """Tokens and their ids, both ways.

    Args:
        vocabulary: the id of every token.
        settings: the names of the special tokens.
        source: names the vocabulary in messages.

    Attributes:
        cls_token, sep_token, pad_token, unk_token, mask_token: the special tokens; another token of the vocabulary may
            be set in their place.
        cls_token_id, sep_token_id, pad_token_id, unk_token_id, mask_token_id: their ids. Asking for the last
            raises BW401 where the vocabulary has no [MASK].
        bos_token, eos_token, bos_token_id, eos_token_id: None in a BERT, unless they are set.
        settings: the names of the special tokens, among others.

    Raises:
        BertwrightError: BW401 for a special token that is missing.
    """

    bos_token = SpecialToken[str | None]()
    eos_token = SpecialToken[str | None]()
    unk_token, sep_token, pad_token = SpecialToken[str](), SpecialToken[str](), SpecialToken[str]()
    cls_token, mask_token = SpecialToken[str](), SpecialToken[str]()
    bos_token_id = SpecialTokenId[int | None]()
    eos_token_id = SpecialTokenId[int | None]()
    unk_token_id, sep_token_id, pad_token_id = SpecialTokenId[int](), SpecialTokenId[int](), SpecialTokenId[int]()
    cls_token_id, mask_token_id = SpecialTokenId[int](), SpecialTokenId[int]()
    pad_token_type_id = 0

    def __init__(self, vocabulary: Mapping[str, int], settings: TokenizerSettings, source: str) -> None:
        require_tokens(settings.required_tokens, vocabulary, source)
        absent: dict[str, Any] = {
            name: None for name in ("bos_token", "eos_token") if getattr(settings, name) not in vocabulary
        }
        self.settings = replace(settings, **absent)
        self._source = source
        self._learn(vocabulary)

    def _learn(self, vocabulary: Mapping[str, int]) -> None:
        """Take `vocabulary` for that of the table; in the order of its ids, so that it is the same in every process."""
        self._id_of = dict(sorted(vocabulary.items(), key=lambda one: one[1]))
        self._token_of: list[str | None] = [None] * (max(vocabulary.values()) + 1)
        for token, token_id in self._id_of.items():
            self._token_of[token_id] = token

    def __len__(self) -> int:
        """How many rows a model's embedding table needs: one more than the highest id."""
        return len(self._token_of)

    def __bool__(self) -> bool:
        return True

    # Special tokens

    def name_special(self, name: str, token: str | None) -> None:
        """Make `token` the special one that `name` says, such as `cls_token`.

        Raises:
            BertwrightError: BW444 where the vocabulary has no such token.
        """
        may_be_none = name in ("bos_token", "eos_token")
        if token not in self._id_of and not (token is None and may_be_none):
            raise no_such_token(name, token)
        change: dict[str, Any] = {name: token}
        self.settings = replace(self.settings, **change)
        self._settle()

    def _settle(self) -> None:
        """Called when other tokens are special than before."""

    def id_of_special(self, token: str) -> int:
        """The id of a token that must be there. Raises BW401 where it is not."""
        require_tokens([token], self._id_of, self._source)
        return self._id_of[token]

    @property
    def special_tokens_map(self) -> dict[str, str]:
        """The special tokens that the vocabulary has, by what they are for: `cls_token` and its kind."""
        named = {name: getattr(self.settings, name) for name in NAMES}
        return {name: token for name, token in named.items() if token in self._id_of}

    @property
    def all_special_tokens(self) -> list[str]:
        """The special tokens that the vocabulary has, and others that its files name as special."""
        others = [token for token in self.settings.additional_special_tokens if token in self._id_of]
        return list(dict.fromkeys([*self.special_tokens_map.values(), *others]))

    @property
    def all_special_ids(self) -> list[int]:
        """The ids of `all_special_tokens`."""
        return [self._id_of[token] for token in self.all_special_tokens]

    @property
    def additional_special_tokens(self) -> list[str]:
        """The special tokens beside those that every BERT has."""
        return list(self.settings.additional_special_tokens)

    @additional_special_tokens.setter
    def additional_special_tokens(self, tokens: Sequence[Any]) -> None:
        names = tuple(map(str, tokens))
        for token in names:
            if token not in self._id_of:
                raise no_such_token("additional_special_tokens", token)
        self.settings = replace(self.settings, additional_special_tokens=names)
        self._settle()

    @property
    def additional_special_tokens_ids(self) -> list[int]:
        """The ids of `additional_special_tokens`."""
        return [self.id_of_special(token) for token in self.additional_special_tokens]

    extra_special_tokens = additional_special_tokens  # what newer releases call them
    extra_special_tokens_ids = additional_special_tokens_ids

    # Tokens and ids

    def get_vocab(self) -> dict[str, int]:
        """The id of every token, those that were added later included."""
        return dict(self._id_of)

    @property
    def vocab(self) -> dict[str, int]:
        """The id of every token, those that were added later included."""
        return self.get_vocab()

    @property
    def ids_to_tokens(self) -> dict[int, str]:
        """The token of every id."""
        return {token_id: token for token, token_id in self._id_of.items()}

    def continuations(self) -> NDArray[np.bool_]:
        """`[V]`: whether the token of each id goes on within a word. Ids without a token do not."""
        return np.array([(token or "").startswith(CONTINUATION) for token in self._token_of])

    def convert_tokens_to_ids(self, tokens: str | Sequence[str]) -> Any:
        """The id of a token, or of each; that of [UNK] for what is no token."""
        if isinstance(tokens, str):
            return self._id_of.get(tokens, self.unk_token_id)
        unknown = self.unk_token_id
        return [self._id_of.get(token, unknown) for token in tokens]

    def convert_ids_to_tokens(self, ids: Any, skip_special_tokens: bool = False) -> Any:
        """The token of an id, or of each of a list, array or tensor.

        Raises:
            BertwrightError: BW413 for an id that no token has.
        """
        ids = as_python(ids)
        if isinstance(ids, int):
            return self._token(ids)
        skipped = set(self.all_special_ids) if skip_special_tokens else set()
        return [self._token(token_id) for token_id in ids if token_id not in skipped]

    def _token(self, token_id: int) -> str:
        token = self._token_of[token_id] if 0 <= token_id < len(self) else None
        if token is None:
            raise BertwrightError("BW413", id=token_id, size=len(self))
        return token


def as_python(ids: Any) -> Any:
    """Ids of a tensor or an array, or of lists of them, as ints and lists."""
    if hasattr(ids, "tolist"):
        return ids.tolist()
    return [as_python(one) for one in ids] if isinstance(ids, list | tuple) else ids
