"""Token ids and tokens back to texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tokenizers import Tokenizer

from bertwright.text.tokenizer.token_table import TokenTable, as_python

# What stands in a text of tokens with spaces around, and as a person writes it.
_TIDY = {" .": ".", " ?": "?", " !": "!", " ,": ",", " ' ": "'", " n't": "n't"} | {
    f" '{short}": f"'{short}" for short in ("m", "s", "ve", "re")
}


class Decoding(TokenTable):
    """A token table that writes texts."""

    _pipeline: Tokenizer

    def decode(
        self,
        token_ids: Any,
        skip_special_tokens: bool = False,
        clean_up_tokenization_spaces: bool | None = None,
        use_source_tokenizer: bool = False,
    ) -> Any:
        """The text of token ids; of a list of lists (or `[B, S]`) a list of texts.

        Spaces and case of the source are not in the ids: for parts of the source use offsets.

        Args:
            token_ids: an id, or a list, array or tensor of ids, or of rows of them.
            skip_special_tokens: whether special tokens are left out.
            clean_up_tokenization_spaces: whether spaces before marks, and in English contractions, are taken out once
                more: the tokenizer does most of it anyway. `None`: as the attribute of this name says.
            use_source_tokenizer: without effect: there is one tokenizer.

        Raises:
            BertwrightError: BW413 for an id that no token has, such as the -100 of ignored labels.
        """
        ids = as_python(token_ids)
        if isinstance(ids, int):
            ids = [ids]
        if ids and not isinstance(ids[0], int):
            return [self.decode(row, skip_special_tokens, clean_up_tokenization_spaces) for row in ids]
        for token_id in ids:
            self._token(token_id)
        text = self._pipeline.decode(ids, skip_special_tokens=skip_special_tokens)
        tidies = clean_up_tokenization_spaces
        tidies = self.settings.clean_up_tokenization_spaces if tidies is None else tidies
        return self.clean_up_tokenization(text) if tidies else text

    def batch_decode(
        self,
        sequences: Any,
        skip_special_tokens: bool = False,
        clean_up_tokenization_spaces: bool | None = None,
        use_source_tokenizer: bool = False,
    ) -> list[str]:
        """The texts of several inputs, as `decode` gives them; ids without a second dimension are one input.

        Raises:
            BertwrightError: BW413 for an id that no token has.
        """
        texts = self.decode(sequences, skip_special_tokens, clean_up_tokenization_spaces)
        rows = as_python(sequences)
        if isinstance(texts, str):
            return [texts] if rows else []
        return list(texts)

    def convert_tokens_to_string(self, tokens: Sequence[str]) -> str:
        """The text of tokens: pieces joined to words, spaces between these."""
        return str(self._pipeline.decoder.decode(list(tokens)))

    @staticmethod
    def clean_up_tokenization(text: str) -> str:
        """`text` without spaces before marks, and in English contractions."""
        for apart, joined in _TIDY.items():
            text = text.replace(apart, joined)
        return text

    @property
    def clean_up_tokenization_spaces(self) -> bool:
        """What `decode` does where it is not told."""
        return self.settings.clean_up_tokenization_spaces

    @clean_up_tokenization_spaces.setter
    def clean_up_tokenization_spaces(self, does: bool) -> None:
        self.settings = replace(self.settings, clean_up_tokenization_spaces=does)
