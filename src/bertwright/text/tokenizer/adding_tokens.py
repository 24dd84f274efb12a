"""Tokens that are added to a tokenizer that is there, at the end of its ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tokenizers import AddedToken, Tokenizer

from bertwright.errors import BertwrightError
from bertwright.text.tokenizer.inputs import no_text
from bertwright.text.tokenizer.special_tokens import NAMES
from bertwright.text.tokenizer.token_table import TokenTable
from bertwright.text.vocabulary.wordpiece import refuse_gaps, refuse_new_unknown
from bertwright.wording import shown

_OTHERS = ("additional_special_tokens", "extra_special_tokens")
NewToken = str | AddedToken


class AddedTokens(TokenTable):
    """A token table that takes new tokens. Each is one token wherever it stands in a text."""

    _pipeline: Tokenizer

    def add_tokens(self, new_tokens: NewToken | Sequence[NewToken], special_tokens: bool = False) -> int:
        """Add tokens; those that the vocabulary has keep their ids, and are never split from now on.

        A model needs a larger table then: `model.resize_token_embeddings(len(tokenizer))`. Nobody may read texts with
        the tokenizer meanwhile.

        Args:
            new_tokens: a token or several.
            special_tokens: whether they are no text: found in texts as they are written, and left out by `decode` with
                `skip_special_tokens`.

        Returns:
            How many of them were no added tokens before.

        Raises:
            BertwrightError: BW405 what is no token; BW445 a vocabulary in which ids have no token.
        """
        tokens = [new_tokens] if isinstance(new_tokens, str | AddedToken) else list(new_tokens)
        for at, token in enumerate(tokens):
            if not isinstance(token, str | AddedToken):
                raise no_text(f"new_tokens[{at}]", token)
        refuse_gaps(self._pipeline, list(map(str, tokens)))
        add = self._pipeline.add_special_tokens if special_tokens else self._pipeline.add_tokens
        count = add(tokens)
        self._learn(self._pipeline.get_vocab(with_added_tokens=True))
        self._settle()
        return count

    def add_special_tokens(
        self,
        special_tokens_dict: Mapping[str, Any],
        replace_extra_special_tokens: bool = True,
        replace_additional_special_tokens: bool = True,
    ) -> int:
        """Add special tokens by what they are for, such as `{"additional_special_tokens": ["<e1>", "</e1>"]}`.

        Args:
            special_tokens_dict: a token for `cls_token` and its kind, a list for `additional_special_tokens`.
            replace_extra_special_tokens, replace_additional_special_tokens: whether the list takes the place of the one
                before, whose tokens stay, but are special no more; else it is added to it.

        Returns:
            How many of them were no added tokens before.

        Raises:
            BertwrightError: BW405 what is no token; BW411 an unknown key; BW445 a token that cannot be added.
        """
        names: dict[str, NewToken] = {}
        others: list[NewToken] = []
        for key, value in special_tokens_dict.items():
            if key in _OTHERS:
                others += _several(key, value)
            elif key in NAMES:
                names[key] = value
            else:
                raise BertwrightError("BW411", option=key, value=value, known=shown([*NAMES, *_OTHERS]))
        if "unk_token" in names:
            refuse_new_unknown(self._pipeline, str(names["unk_token"]))
        count = self.add_tokens([*names.values(), *others], special_tokens=True)
        replaces = replace_extra_special_tokens and replace_additional_special_tokens
        kept = () if replaces and others else self.settings.additional_special_tokens
        all_others = tuple(dict.fromkeys([*kept, *map(str, others)]))
        changes: dict[str, Any] = {name: str(token) for name, token in names.items()}
        self.settings = replace(self.settings, **changes, additional_special_tokens=all_others)
        self._settle()
        return count

    @property
    def added_tokens_decoder(self) -> dict[int, AddedToken]:
        """The added tokens by their ids, special ones of the vocabulary among them."""
        return dict(sorted(self._pipeline.get_added_tokens_decoder().items()))

    @property
    def added_tokens_encoder(self) -> dict[str, int]:
        """The ids of the added tokens, special ones of the vocabulary among them."""
        return {token.content: token_id for token_id, token in self.added_tokens_decoder.items()}

    def get_added_vocab(self) -> dict[str, int]:
        """The ids of the added tokens, special ones of the vocabulary among them."""
        return self.added_tokens_encoder


def _several(key: str, value: Any) -> list[NewToken]:
    if isinstance(value, str | AddedToken) or not isinstance(value, Sequence):
        raise no_text(f"{key}[0]", value)
    return list(value)
