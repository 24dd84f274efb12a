"""What the files beside a vocabulary say about it: `tokenizer_config.json` and its neighbours."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args

from tokenizers import AddedToken

from bertwright.checkpoint.folders import read_object
from bertwright.checkpoint.replacing import write_text
from bertwright.errors import BertwrightError
from bertwright.text.tokenizer.special_tokens import NAMES
from bertwright.wording import Phrase

Side = Literal["right", "left"]
DEFAULT_MAX_LENGTH = 512
MODEL_INPUT_NAMES = ("input_ids", "token_type_ids", "attention_mask")
# `transformers` writes 1e30 for "no limit".
_ABSURD_LENGTH = 1_000_000


@dataclass(frozen=True, slots=True)
class TokenizerSettings:
    """How a vocabulary is to be used. `None` stands for what no file says.

    Attributes:
        do_lower_case: whether text is lower-cased first.
        strip_accents: whether accents are taken off; `None`: where text is lower-cased.
        tokenize_chinese_chars: whether each Han character is a word of its own; `None`: yes.
        fold_width: whether digits and letters of double width are read as those of ASCII; `transformers` knows it not.
        model_max_length: the longest input of the model in tokens, special ones included.
        unk_token, sep_token, pad_token, cls_token, mask_token: the names of the special tokens.
        additional_special_tokens: the names of others, which a model was given beside these.
        padding_side, truncation_side: where pads go, and where a text that is too long is cut: `right` or `left`.
        bos_token, eos_token: which tokens begin and end a text that a model writes; a BERT has none of its own.
        clean_up_tokenization_spaces: whether decoded texts are tidied up once more.
        model_input_names: which values a call gives where it is not told.
    """

    do_lower_case: bool | None = None
    strip_accents: bool | None = None
    tokenize_chinese_chars: bool | None = None
    fold_width: bool = False
    model_max_length: int = DEFAULT_MAX_LENGTH
    unk_token: str = "[UNK]"
    sep_token: str = "[SEP]"
    pad_token: str = "[PAD]"
    cls_token: str = "[CLS]"
    mask_token: str = "[MASK]"
    additional_special_tokens: tuple[str, ...] = ()
    padding_side: Side = "right"
    truncation_side: Side = "right"
    bos_token: str | None = None
    eos_token: str | None = None
    clean_up_tokenization_spaces: bool = False
    model_input_names: tuple[str, ...] = MODEL_INPUT_NAMES

    @property
    def required_tokens(self) -> tuple[str, ...]:
        """The special tokens without which nothing can be encoded. [MASK] is none of them."""
        return self.unk_token, self.sep_token, self.pad_token, self.cls_token


_SIDES = ("padding_side", "truncation_side")
_FLAGS = ("single_word", "lstrip", "rstrip", "normalized", "special")
_SWITCHES = (
    "do_lower_case", "strip_accents", "tokenize_chinese_chars", "fold_width", "clean_up_tokenization_spaces"
)  # fmt: skip
_ALWAYS_SAID = (
    "do_lower_case", "strip_accents", "tokenize_chinese_chars", "model_max_length",
    "unk_token", "sep_token", "pad_token", "cls_token", "mask_token",
)  # fmt: skip
# Where other special tokens are named: a list; in newer releases a list, or an object that gives each a name.
_OTHERS = ("additional_special_tokens", "extra_special_tokens", "model_specific_special_tokens")


def read_settings(folder: Path) -> TokenizerSettings:
    """What the files in `folder` say: `tokenizer_config.json` before `special_tokens_map.json`.

    Raises:
        BertwrightError: BW415 for a file that is no JSON object; BW411 for a side that is none.
    """
    config, names = _names_in(folder)
    model = _object_in(folder / "config.json")
    said: dict[str, Any] = {**_usual_in(names), "additional_special_tokens": _others_in(names)}
    said |= {key: config[key] for key in _SWITCHES if isinstance(config.get(key), bool)}
    said |= {key: known_side(key, config[key]) for key in _SIDES if config.get(key) is not None}
    if config.get("model_input_names"):
        said["model_input_names"] = tuple(map(str, config["model_input_names"]))
    limits = [config.get("model_max_length"), model.get("max_position_embeddings")]
    numbers = [one for one in limits if isinstance(one, int | float) and not isinstance(one, bool)]
    sane = [int(limit) for limit in numbers if 1 <= limit <= _ABSURD_LENGTH]
    return TokenizerSettings(**said, model_max_length=min(sane, default=DEFAULT_MAX_LENGTH))


def changed_settings(settings: TokenizerSettings, changes: Mapping[str, Any]) -> TokenizerSettings:
    """`settings` with `changes` laid over; None changes nothing.

    Raises:
        BertwrightError: BW411 for a setting that does not exist, or a side that is none.
    """
    known = [one.name for one in fields(TokenizerSettings)]
    new: dict[str, Any] = {}
    for key, value in changes.items():
        key = "additional_special_tokens" if key in _OTHERS else key
        if key not in known:
            raise BertwrightError("BW411", option=key, value=value, known=", ".join(known))
        if value is not None:
            new[key] = _as_set(key, value)
    return replace(settings, **new)


def _as_set(key: str, value: Any) -> Any:
    """The value of a setting in the form in which it is kept."""
    if key in _SIDES:
        return known_side(key, value)
    if key in NAMES:
        return str(value)
    if key in ("additional_special_tokens", "model_input_names"):
        return tuple(map(str, value.values() if isinstance(value, Mapping) else value))
    return value


@dataclass(frozen=True, slots=True)
class TokenBeside:
    """A token that the files name beside the vocabulary: one token wherever it stands in a text.

    Attributes:
        token: its text, and how it is looked for.
        token_id: its id; `None` where no file says it.
        source: the file that names it.
    """

    token: AddedToken
    token_id: int | None
    source: Path


def read_tokens_beside(folder: Path) -> list[TokenBeside]:
    """What `added_tokens.json` (older) and `tokenizer_config.json` add to the vocabulary in `folder`, by id.

    Tokens of which only the name is known come last. Flags that no file says are those of `transformers`.

    Raises:
        BertwrightError: BW415 for a file that is no JSON object, or not of this form.
    """
    older, newer = folder / "added_tokens.json", folder / "tokenizer_config.json"
    names_file = folder / "special_tokens_map.json"
    config, names = _names_in(folder)
    special = _others_in(names)
    known = {*special, *_usual_in(names).values()}
    found: dict[int, TokenBeside] = {}
    for file, tokens in ((older, _numbers_of_names(_object_in(older), known)), (newer, _names_of_numbers(config))):
        try:
            found |= {number: TokenBeside(token, number, file) for number, token in tokens}
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise BertwrightError("BW415", file=file, reason=error) from error
    beside = [found[token_id] for token_id in sorted(found)]
    numbered = {one.token.content for one in beside}
    others = [token for token in special if token not in numbered]
    file = newer if _others_in(config) else names_file
    return beside + [TokenBeside(AddedToken(token, normalized=False, special=True), None, file) for token in others]


def _numbers_of_names(added: dict[str, Any], special: Collection[str]) -> Iterator[tuple[int, AddedToken]]:
    """The form of `added_tokens.json`."""
    for token, number in added.items():
        yield int(number), AddedToken(token, normalized=token not in special, special=token in special)


def _names_of_numbers(config: dict[str, Any]) -> Iterator[tuple[int, AddedToken]]:
    """The form of `tokenizer_config.json`."""
    for number, said in (config.get("added_tokens_decoder") or {}).items():
        yield int(number), AddedToken(said["content"], **{flag: said[flag] for flag in _FLAGS if flag in said})


def write_settings(folder: Path, settings: TokenizerSettings, added: Mapping[int, AddedToken]) -> None:
    """Write `tokenizer_config.json` so that `transformers` and `read_settings` read the same from it.

    Args:
        folder: is there.
        settings: what is written.
        added: tokens that are never split, by their ids. They are written where one is new or is no special token of a
            BERT: readers of `vocab.txt` find all of them there as others.
    """
    config = asdict(settings) | {"tokenizer_class": "BertTokenizer"}
    if added:
        config["added_tokens_decoder"] = {
            str(number): {"content": token.content} | {flag: getattr(token, flag) for flag in _FLAGS}
            for number, token in added.items()
        }
    usual = {one.name: one.default for one in fields(TokenizerSettings) if one.name not in _ALWAYS_SAID}
    config = {key: value for key, value in config.items() if key not in usual or value != usual[key]}
    text = json.dumps(config, ensure_ascii=False, indent=2) + "\n"
    write_text(folder / "tokenizer_config.json", text)


def known_side(option: str, value: Any) -> Side:
    """What is said of a side.

    Raises:
        BertwrightError: BW411 where that is neither.
    """
    if value not in get_args(Side):
        raise BertwrightError("BW411", option=option, value=value, known=", ".join(get_args(Side)))
    return value  # type: ignore[no-any-return]


def _names_in(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """What `tokenizer_config.json` says, and what both files that name special tokens say.

    Raises:
        BertwrightError: BW415 a special token that is no string.
    """
    newer, older = folder / "tokenizer_config.json", folder / "special_tokens_map.json"
    config, names = _object_in(newer), _object_in(older)
    for file, told in ((newer, config), (older, names)):
        try:
            _usual_in(told), _others_in(told)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise BertwrightError("BW415", file=file, reason=error) from error
    return config, names | config


def _usual_in(names: dict[str, Any]) -> dict[str, str]:
    """The special tokens that every BERT has, by what they are for."""
    return {key: _text_of(names[key]) for key in NAMES if names.get(key)}


def _others_in(names: dict[str, Any]) -> tuple[str, ...]:
    """The special tokens that are named beside those that every BERT has, each once."""
    said = [names[key] for key in _OTHERS if names.get(key)]
    lists = [one.values() if isinstance(one, dict) else one for one in said]
    return tuple(dict.fromkeys(_text_of(token) for some in lists for token in some))


def _object_in(file: Path) -> dict[str, Any]:
    """What a file holds; nothing where it is not there."""
    return read_object(file) if file.is_file() else {}


def _text_of(token: Any) -> str:
    """A special token is written as its text, or as an object that holds the text among flags."""
    text = token["content"] if isinstance(token, dict) else token
    if not isinstance(text, str):
        raise ValueError(Phrase("a special token is {value}, no string", value=repr(text)[:80]))
    return text
