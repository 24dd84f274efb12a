"""A vocabulary: its file `vocab.txt` (one token a line, the line number is the id) and what it tells."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from bertwright.checkpoint.json_files import bounded_bytes
from bertwright.checkpoint.replacing import write_text
from bertwright.errors import BertwrightError
from bertwright.text.vocabulary.pipeline_checks import MOST_TOKENS
from bertwright.wording import Phrase, said, shown

_log = logging.getLogger("bertwright")
_CAPITAL = re.compile(r"[A-Z]")


def read_vocabulary(path: str | Path) -> dict[str, int]:
    """The ids of the tokens in `path`.

    A byte-order mark and Windows line ends are dropped. Only a line feed ends a line: tokens may be, or hold,
    any other white space. Of a token that stands in several lines the last one counts, as in `transformers`.

    Raises:
        BertwrightError: BW302 no such file; BW402 not UTF-8; BW403 no token in it; BW448 too large for a vocabulary.
    """
    path = Path(path)
    if not path.is_file():
        raise BertwrightError("BW302", folder=path.parent, file=path.name)
    try:
        content = bounded_bytes(path)
        if (count := content.count(b"\n")) > MOST_TOKENS:
            raise ValueError(Phrase("{count:,} lines, of at most {limit:,}", count=count, limit=MOST_TOKENS))
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BertwrightError("BW402", file=path, position=error.start, byte=error.object[error.start]) from error
    except (OSError, ValueError) as error:
        raise BertwrightError("BW448", file=path, reason=error) from error
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()  # what follows the last line end is no line
    return number_tokens((line.removesuffix("\r") for line in lines), source=str(path))


def number_tokens(tokens: Iterable[str], source: str) -> dict[str, int]:
    """The ids of tokens that stand in the order of their ids; `source` names them in messages.

    Raises:
        BertwrightError: BW403 where there are none.
    """
    vocabulary: dict[str, int] = {}
    repeated: list[str] = []
    for token_id, token in enumerate(tokens):
        if token in vocabulary:
            repeated.append(token)
        vocabulary[token] = token_id
    if not any(vocabulary):
        raise BertwrightError("BW403", file=source)
    if repeated:
        _log.warning(
            said(
                "{source}: {n} repeated tokens ({listed}); the last line of each counts, the ids before are never used",
                source=source,
                n=len(repeated),
                listed=shown(map(repr, repeated), 4),
            )
        )
    return vocabulary


def write_vocabulary(path: Path, vocabulary: Mapping[str, int]) -> None:
    """Write `vocabulary` so that `read_vocabulary` gives it back, ids without a token included.

    Raises:
        BertwrightError: BW414 for a token that a line cannot hold, BW501 where the disk does not allow it.
    """
    for token in vocabulary:
        if "\n" in token or token.endswith("\r"):
            raise BertwrightError("BW414", token=token, id=vocabulary[token])
    by_id = {token_id: token for token, token_id in vocabulary.items()}
    last = max(by_id)
    # An id without a token was a repeated line. Any token that comes again later keeps the count of lines.
    lines = [by_id.get(token_id, by_id[last]) for token_id in range(last + 1)]
    write_text(path, "".join(f"{line}\n" for line in lines))


def is_cased(vocabulary: Iterable[str]) -> bool:
    """Whether any token that a text can become has a capital A-Z.

    A text is split at punctuation, so it never becomes [CLS], [unused1], or the <S> that bert-base-chinese has.
    """
    return any(_CAPITAL.search(token) and token.removeprefix("##").isalnum() for token in vocabulary)


def require_tokens(tokens: Sequence[str], vocabulary: Mapping[str, int], source: str) -> None:
    """Refuse a vocabulary that lacks any of `tokens` (BW401)."""
    for token in tokens:
        if token not in vocabulary:
            raise BertwrightError("BW401", file=source, token=token)
