"""The corpus store: token ids of a whole corpus in memory-mapped shards, with the places where things begin.

A store is a folder. For every shard it holds

- `tokens-00000.bin`: the ids, uint16 or uint32, documents end to end, without special tokens;
- `sentences-00000.bin`: for every sentence the token at which it begins, and last the end, uint32;
- `documents-00000.bin`: for every document the sentence at which it begins, and last the end, uint32;
- `words-00000.bin`, where Chinese words are known: a bit for every token, 1 where it goes on within such a word;

and `manifest.json`, written last, with their sizes and SHA-256, the vocabulary they were made with, and the ledger.
All numbers are little-endian.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bertwright.checkpoint.folders import MANIFEST
from bertwright.checkpoint.json_files import read_json_file
from bertwright.errors import BertwrightError
from bertwright.text.tokenizer.tokenizer import BertTokenizer
from bertwright.wording import Phrase

SCHEMA_VERSION = 1
KIND = "corpus"
PLACES = np.dtype("<u4")
WORK = ".work"
VOCABULARY = "vocabulary"  # the tokenizer's files, for who trains from scratch
_NOT_FINISHED, _NO_STORE = Phrase("not finished"), Phrase("no store")
_VERIFIED_UP_TO = 1 << 30  # bytes


def vocabulary_digest(tokenizer: BertTokenizer) -> str:
    """The SHA-256 of what decides which ids a text gets: the tokens with their ids, and the treatment of case."""
    said = {
        "tokens": sorted(tokenizer.get_vocab().items(), key=lambda item: item[1]),
        "do_lower_case": tokenizer.do_lower_case,
        "strip_accents": tokenizer.strip_accents,
        "tokenize_chinese_chars": tokenizer.tokenize_chinese_chars,
    }
    if tokenizer.fold_width:  # stores of before know nothing of it
        said["fold_width"] = True
    return hashlib.sha256(json.dumps(said, ensure_ascii=True).encode()).hexdigest()


def id_type(tokenizer: BertTokenizer) -> np.dtype[Any]:
    """How the ids of this vocabulary are kept."""
    return np.dtype("<u2") if len(tokenizer) <= 1 << 16 else np.dtype("<u4")


@dataclass(frozen=True, slots=True)
class Shard:
    """One shard: nothing of it is in memory but what was looked at.

    Attributes:
        tokens: `[n]` ids.
        sentences: `[s + 1]` uint32: where each sentence begins, and at last n.
        documents: `[d + 1]` uint32: the sentence at which each document begins, and at last s.
        words: `[ceil(n / 8)]` uint8, a bit for each token, or None.
    """

    tokens: NDArray[Any]
    sentences: NDArray[np.uint32]
    documents: NDArray[np.uint32]
    words: NDArray[np.uint8] | None

    def goes_on(self, begin: int, end: int) -> NDArray[np.bool_]:
        """`[end - begin]`: which of these tokens go on within a Chinese word."""
        if self.words is None:
            return np.zeros(end - begin, dtype=np.bool_)
        bits = np.unpackbits(self.words[begin // 8 : (end + 7) // 8])
        return bits[begin % 8 : begin % 8 + end - begin].view(np.bool_)


class CorpusStore:
    """A store that is whole, opened for reading in constant memory.

    Attributes:
        folder: where it is.
        manifest: what `manifest.json` holds.
        tokens, sentences, documents: how many there are in all.
        has_words: whether it knows Chinese words.
        digest: a SHA-256 that two stores share only if they hold the same.
    """

    def __init__(self, folder: Path, manifest: dict[str, Any]) -> None:
        self.folder = folder
        self.manifest = manifest
        self.tokens, self.sentences, self.documents = (
            sum(int(shard[kind]) for shard in manifest["shards"]) for kind in ("tokens", "sentences", "documents")
        )
        self.has_words = bool(manifest["words"])
        contents = [entry["sha256"] for _, entry in sorted(manifest["files"].items())]
        self.digest = hashlib.sha256("".join([manifest["vocabulary"]["digest"], *contents]).encode()).hexdigest()

    @classmethod
    def open(
        cls, folder: str | Path, tokenizer: BertTokenizer | None = None, *, verify: bool | None = None
    ) -> CorpusStore:
        """The store in `folder`.

        Args:
            folder: where it is.
            tokenizer: whose ids it must hold.
            verify: whether to read every byte and compare the SHA-256; sizes are always compared. None: if the
                store is no larger than a gigabyte.

        Raises:
            BertwrightError: BW287 no store, or one that is not finished; BW288 a shard is missing or damaged;
                BW289 made with another vocabulary; BW332 of a newer format.
        """
        folder = Path(folder)
        store = cls(folder, _read_manifest(folder))
        store.check_files(verify=verify)
        if tokenizer is not None:
            store.check_vocabulary(tokenizer)
        return store

    @staticmethod
    def vocabulary_of(folder: str | Path) -> Path:
        """The vocabulary that lies in a store.

        Raises:
            BertwrightError: BW113 none does, BW287 it is no store.
        """
        vocabulary = Path(folder) / VOCABULARY
        if not vocabulary.is_dir():
            _read_manifest(Path(folder))
            raise BertwrightError("BW113", folder=folder)
        return vocabulary

    def __reduce__(self) -> tuple[Any, ...]:
        # A memory map that is pickled becomes its content; processes open the files anew instead.
        return CorpusStore, (self.folder, self.manifest)

    def __repr__(self) -> str:
        return (
            f"CorpusStore({self.folder}: {self.tokens} tokens, {self.sentences} sentences, {self.documents} documents)"
        )

    @cached_property
    def shards(self) -> list[Shard]:
        """All shards, mapped."""
        return [self._shard(number) for number in range(len(self.manifest["shards"]))]

    def _shard(self, number: int) -> Shard:
        return Shard(
            self._mapped("tokens", number, np.dtype(self.manifest["dtype"])),
            self._mapped("sentences", number, PLACES),
            self._mapped("documents", number, PLACES),
            self._mapped("words", number, np.dtype(np.uint8)) if self.has_words else None,
        )

    def _mapped(self, what: str, number: int, dtype: np.dtype[Any]) -> NDArray[Any]:
        # A plain array over the map: slices of np.memmap itself take five times as long.
        return np.asarray(np.memmap(self.folder / file_name(what, number), dtype=dtype, mode="r"))

    def check_vocabulary(self, tokenizer: BertTokenizer) -> None:
        """Refuse a tokenizer that gives other ids (BW289)."""
        made_with = self.manifest["vocabulary"]
        if vocabulary_digest(tokenizer) != made_with["digest"]:
            case = {True: "lower-cased", False: "cased"}
            raise BertwrightError(
                "BW289",
                folder=self.folder,
                made=f"{made_with['size']} tokens, {case[bool(made_with['do_lower_case'])]}",
                given=f"{len(tokenizer)} tokens, {case[bool(tokenizer.do_lower_case)]}",
            )

    def check_files(self, *, verify: bool | None = None) -> None:
        """Refuse a store of which a file is missing or differs (BW288)."""
        files = self.manifest["files"]
        if verify is None:
            verify = sum(int(entry["size"]) for entry in files.values()) <= _VERIFIED_UP_TO
        for name, entry in files.items():
            file = self.folder / name
            if not file.is_file():
                raise BertwrightError("BW288", file=file, reason=Phrase("missing"))
            if (size := file.stat().st_size) != entry["size"]:
                reason = Phrase("{have} of {want} bytes", have=size, want=entry["size"])
                raise BertwrightError("BW288", file=file, reason=reason)
            if verify and digest_of(file) != entry["sha256"]:
                raise BertwrightError("BW288", file=file, reason="SHA-256")


def file_name(what: str, number: int) -> str:
    """`tokens-00000.bin`."""
    return f"{what}-{number:05d}.bin"


def digest_of(file: Path) -> str:
    """The SHA-256 of a file."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _read_manifest(folder: Path) -> dict[str, Any]:
    file = folder / MANIFEST
    if not file.is_file():
        unfinished = (folder / WORK).is_dir()
        raise BertwrightError("BW287", folder=folder, reason=_NOT_FINISHED if unfinished else _NO_STORE)
    try:
        manifest: dict[str, Any] = read_json_file(file)
        if (version := manifest["schema_version"]) > SCHEMA_VERSION:
            raise BertwrightError("BW332", file=file, version=version, known=SCHEMA_VERSION)
        if manifest.get("kind") != KIND:
            raise BertwrightError("BW287", folder=folder, reason=_NO_STORE)
        CorpusStore(folder, manifest)
    except BertwrightError:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BertwrightError("BW288", file=file, reason=error) from error
    return manifest
