"""`TokenTable`: the id of every token, the token of every id, and which of them are special."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bertwright.errors import BertwrightError
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
        cls_token, sep_token, pad_token, unk_token, mask_token: the special tokens.
        cls_token_id, sep_token_id, pad_token_id, unk_token_id, mask_token_id: their ids. Asking for the last
            raises BW401 where the vocabulary has no [MASK].
        all_special_tokens, all_special_ids: those that the vocabulary has, and others that its files name as special.

    Raises:
        BertwrightError: BW401 for a special token that is missing.
    """

    def __init__(self, vocabulary: Mapping[str, int], settings: TokenizerSettings, source: str) -> None:
        require_tokens(settings.required_tokens, vocabulary, source)
        self.unk_token, self.sep_token, self.pad_token, self.cls_token = settings.required_tokens
        self.mask_token = settings.mask_token
        named = [*settings.required_tokens, settings.mask_token, *settings.additional_special_tokens]
        self.all_special_tokens = [token for token in dict.fromkeys(named) if token in vocabulary]
        self.all_special_ids = [vocabulary[token] for token in self.all_special_tokens]
        ids = (vocabulary[token] for token in settings.required_tokens)
        self.unk_token_id, self.sep_token_id, self.pad_token_id, self.cls_token_id = ids
        self._source = source
        self._id_of = dict(vocabulary)
        self._token_of: list[str | None] = [None] * (max(vocabulary.values()) + 1)
        for token, token_id in vocabulary.items():
            self._token_of[token_id] = token

    def __len__(self) -> int:
        """How many rows a model's embedding table needs: one more than the highest id."""
        return len(self._token_of)

    @property
    def mask_token_id(self) -> int:
        """The id of [MASK]."""
        require_tokens([self.mask_token], self._id_of, self._source)
        return self._id_of[self.mask_token]

    def get_vocab(self) -> dict[str, int]:
        """The id of every token, those that were added later included."""
        return dict(self._id_of)

    def continuations(self) -> NDArray[np.bool_]:
        """`[V]`: whether the token of each id goes on within a word. Ids without a token do not."""
        return np.array([(token or "").startswith(CONTINUATION) for token in self._token_of])

    def convert_tokens_to_ids(self, tokens: str | Sequence[str]) -> Any:
        """The id of a token, or of each; that of [UNK] for what is no token."""
        if isinstance(tokens, str):
            return self._id_of.get(tokens, self.unk_token_id)
        return [self._id_of.get(token, self.unk_token_id) for token in tokens]

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
