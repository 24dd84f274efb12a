"""New words for the vocabulary of a checkpoint: the tokenizer and the rows of the weights are written together."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bertwright.checkpoint.enlarging import enlarge_checkpoint
from bertwright.checkpoint.folders import MANIFEST, publishing, verify
from bertwright.checkpoint.json_files import read_json_file
from bertwright.checkpoint.replacing import write_bytes, write_text
from bertwright.errors import BertwrightError
from bertwright.text.lines import encoding_of, lines_of
from bertwright.text.tokenizer.tokenizer import BertTokenizer
from bertwright.text.width import narrowed

_WRITTEN_ANEW = (
    "pytorch_model",
    "model.safetensors",
    "model-",
    "config.json",
    "vocab.txt",
    "tokenizer",
    "special_tokens",
)


@dataclass(frozen=True, slots=True)
class Extension:
    """What became of the words.

    Attributes:
        added: the new tokens, in the order of their ids.
        known: words that were tokens already.
        several: words that a BERT splits before it looks for pieces: at white space, punctuation or Han characters.
        too_long: words of more characters than a BERT looks up (100): they would stay [UNK].
        enlarged: tensors of the checkpoint that got rows.
    """

    added: tuple[str, ...]
    known: tuple[str, ...]
    several: tuple[str, ...]
    too_long: tuple[str, ...]
    enlarged: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """A JSON object."""
        return asdict(self)


def read_new_words(path: Path, encoding: str | None = None) -> list[str]:
    """The words of a file, one a line; lines that begin with # are passed over. Several words in a line stay together:
    who reads them says that they are several.

    Raises:
        BertwrightError: BW201 to BW203, BW234, BW235 the file and its encoding; BW290 no word in it.
    """
    lines = (line.strip() for line in lines_of(path, encoding_of(path, encoding)))
    words = dict.fromkeys(line for line in lines if line and not line.startswith("#"))
    if not words:
        raise BertwrightError("BW290", file=path)
    return list(words)


def extend_checkpoint(folder: Path, out: Path, words: Iterable[str], *, fold_width: bool = False) -> Extension:
    """Write the checkpoint of `folder` to `out` with `words` in its vocabulary, whole or not at all.

    The embedding of a new word, and its row and bias in an MLM head, are the mean of those of the pieces that it was
    made of before. Other files of the folder are copied. With `fold_width` its tokenizer reads digits and letters of
    double width as those of ASCII from then on, and no word need be new.

    Raises:
        BertwrightError: BW129 no word is new; BW302, BW320 to BW322, BW324 the checkpoint; BW501 it cannot be written.
    """
    verify(folder)
    tokenizer = BertTokenizer.from_pretrained(folder, fold_width=fold_width or None)
    added, known, several, too_long = _sort_out(tokenizer, words)
    if not added and not fold_width:
        raise BertwrightError("BW129", known=len(known), several=len(several), too_long=len(too_long))
    first = len(tokenizer)
    encodings = tokenizer.pipeline.encode_batch_fast(added, add_special_tokens=False)
    rows = {first + number: encoding.ids for number, encoding in enumerate(encodings)}
    with publishing(out) as staging:
        for path in folder.iterdir():
            if path.name == MANIFEST or path.name.startswith((".", *_WRITTEN_ANEW)):
                continue
            if path.is_dir():
                shutil.copytree(path, staging / path.name)
            else:
                shutil.copy2(path, staging / path.name)
        enlarged = enlarge_checkpoint(folder, staging, rows)
        tokenizer.save_pretrained(staging)
        _add_words(staging, {word: first + number for number, word in enumerate(added)})
    return Extension(tuple(added), tuple(known), tuple(several), tuple(too_long), tuple(enlarged))


def _sort_out(tokenizer: BertTokenizer, words: Iterable[str]) -> tuple[list[str], list[str], list[str], list[str]]:
    """New words as the tokenizer sees them, known ones, those that are several words to it, and those too long."""
    pipeline = tokenizer.pipeline
    longest = pipeline.model.max_input_chars_per_word
    vocabulary = tokenizer.get_vocab()
    added: dict[str, None] = {}
    known: list[str] = []
    several: list[str] = []
    too_long: list[str] = []
    for word in words:
        word = narrowed(word) if tokenizer.fold_width else word
        seen = pipeline.normalizer.normalize_str(word) if pipeline.normalizer else word
        parts = [part for part, _ in pipeline.pre_tokenizer.pre_tokenize_str(seen)]
        if len(parts) != 1:
            several.append(word)
        elif len(parts[0]) > longest:
            too_long.append(word)
        elif parts[0] in vocabulary or parts[0] in added:
            known.append(word)
        else:
            added[parts[0]] = None
    return list(added), known, several, too_long


def _add_words(folder: Path, ids: dict[str, int]) -> None:
    file = folder / "tokenizer.json"
    description = read_json_file(file)
    description["model"]["vocab"] |= ids
    write_text(file, json.dumps(description, ensure_ascii=False, indent=2))
    lines = (folder / "vocab.txt").read_bytes()
    write_bytes(folder / "vocab.txt", lines + "".join(f"{word}\n" for word in ids).encode())
