"""The special tokens of a tokenizer as attributes: `cls_token`, `cls_token_id` and their kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from bertwright.errors import BertwrightError

if TYPE_CHECKING:
    from bertwright.text.tokenizer.token_table import TokenTable

# In the order in which `transformers` names them.
NAMES = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
T = TypeVar("T", bound=str | None)
Number = TypeVar("Number", bound=int | None)


class SpecialToken(Generic[T]):
    """A special token by its text; setting it takes a token of the vocabulary.

    Raises:
        BertwrightError: BW444 where the vocabulary has no such token.
    """

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, table: None, owner: type) -> SpecialToken[T]: ...
    @overload
    def __get__(self, table: TokenTable, owner: type) -> T: ...
    def __get__(self, table: TokenTable | None, owner: type) -> Any:
        return self if table is None else getattr(table.settings, self._name)

    def __set__(self, table: TokenTable, token: Any) -> None:
        table.name_special(self._name, None if token is None else str(token))


class SpecialTokenId(Generic[Number]):
    """The id of a special token; setting it makes the token of that id the special one.

    Raises:
        BertwrightError: BW401 where the vocabulary lacks the token; BW413 for an id that no token has.
    """

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name.removesuffix("_id")

    @overload
    def __get__(self, table: None, owner: type) -> SpecialTokenId[Number]: ...
    @overload
    def __get__(self, table: TokenTable, owner: type) -> Number: ...
    def __get__(self, table: TokenTable | None, owner: type) -> Any:
        if table is None:
            return self
        token = getattr(table.settings, self._name)
        return None if token is None else table.id_of_special(token)

    def __set__(self, table: TokenTable, token_id: int) -> None:
        setattr(table, self._name, table.convert_ids_to_tokens(int(token_id)))


def no_such_token(name: str, token: object) -> BertwrightError:
    """BW444 for a token that is to be special and is none."""
    return BertwrightError("BW444", name=name, token=token)
