"""What the manifest of a store says."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bertwright.corpus.prepare_settings import PrepareSettings
from bertwright.corpus.store import KIND, SCHEMA_VERSION, digest_of, id_type, vocabulary_digest
from bertwright.corpus.writer import ShardWriter
from bertwright.errors import BertwrightError
from bertwright.text.chinese_words import chinese_segmenter
from bertwright.text.tokenizer.tokenizer import BertTokenizer

_DECISIVE = ("documents", "field", "encoding", "skip_bad", "repeats")  # beside those for Chinese words


def made_from(
    files: Sequence[Path],
    settings: PrepareSettings,
    tokenizer: BertTokenizer,
    words: Sequence[str],
    part_bytes: int,
    shard_tokens: int,
) -> dict[str, Any]:
    """Everything that decides what the store will hold."""
    segmenter = chinese_segmenter(words, packaged=settings.wwm).name if settings.finds_words else None
    stats = [file.stat() for file in files]
    return {
        "files": [[file.name, stat.st_size, stat.st_mtime_ns] for file, stat in zip(files, stats)],
        "vocabulary": vocabulary_digest(tokenizer),
        "settings": {name: getattr(settings, name) for name in _DECISIVE},
        "segmenter": segmenter,
        "words": hashlib.sha256("\n".join(words).encode()).hexdigest() if words else None,
        "part_bytes": part_bytes,
        "shard_tokens": shard_tokens,
    }


def job_digest(made_from: Mapping[str, Any]) -> str:
    """The name of a job: two jobs have the same only if they make the same store."""
    return hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()


def describe_store(
    folder: Path,
    made_from: Mapping[str, Any],
    counts: Mapping[str, int],
    writer: ShardWriter,
    tokenizer: BertTokenizer,
    settings: PrepareSettings,
) -> dict[str, Any]:
    """The manifest of a store whose shards lie, complete, in `folder`.

    Raises:
        BertwrightError: BW291 there is no token in it.
    """
    names = writer.close()
    total = {key: sum(shard[key] for shard in writer.shards) for key in ("documents", "sentences", "tokens")}
    if not total["tokens"]:
        raise BertwrightError("BW291", source=", ".join(name for name, _, _ in made_from["files"][:3]))
    sizes = {"files": len(made_from["files"]), "bytes": sum(size for _, size, _ in made_from["files"])}
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": KIND,
        "job": job_digest(made_from),
        "dtype": id_type(tokenizer).str,
        "words": settings.finds_words,
        "vocabulary": {
            "digest": made_from["vocabulary"],
            "size": len(tokenizer),
            "do_lower_case": tokenizer.do_lower_case,
        },
        "made_from": made_from,
        "ledger": sizes | total | dict(sorted(counts.items())),
        "shards": writer.shards,
        "files": {name: {"size": (folder / name).stat().st_size, "sha256": digest_of(folder / name)} for name in names},
    }
