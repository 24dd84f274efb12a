"""Mutilated data files of every format, from good ones and a seed, each with whether it may be accepted."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_ROWS = [(f"the {word} day number {n}", label) for n in range(12) for word, label in (("good", "yes"), ("bad", "no"))]
_PACKERS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": lambda content: gzip.compress(content, 1),
    ".bz2": lambda content: bz2.compress(content, 1),
    ".xz": lambda content: lzma.compress(content, preset=0),
}
_DEEP = "[" * 5000
_ODD = ("NaN", "-Infinity", "1e999", "1" * 5000, "null", "true", "{}", "[[]]", '"\\ud800"', _DEEP, '{"a":' * 3000)


@dataclass(frozen=True)
class DataFile:
    """A file.

    Attributes:
        name: what was done, for a message.
        path: where it lies.
        must_refuse: whether nobody may take it for data.
    """

    name: str
    path: Path
    must_refuse: bool


def good_file(ending: str) -> bytes:
    """The same texts in each format."""
    if ending in (".csv", ".tsv"):
        sign = "," if ending == ".csv" else "\t"
        return "".join(f"{text}{sign}{label}\n" for text, label in [("text", "label"), *_ROWS]).encode()
    if ending == ".txt":
        return "".join(f"{text}\n" for text, _ in _ROWS).encode()
    objects: list[dict[str, Any]] = [{"text": text, "label": label} for text, label in _ROWS]
    if ending == ".spans.jsonl":
        objects = [{"text": text, "label": [[4, 7, label]]} for text, label in _ROWS]
        ending = ".jsonl"
    if ending == ".jsonl":
        return "".join(json.dumps(one) + "\n" for one in objects).encode()
    if ending == ".json":
        return json.dumps({"version": 1, "data": objects}, indent=1).encode()
    if ending == ".parquet":
        return _parquet()
    tagged = (
        "".join(f"{word} {'B-X' if word in ('good', 'bad') else 'O'}\n" for word in text.split()) for text, _ in _ROWS
    )
    return "\n".join(tagged).encode()


def _parquet() -> bytes:
    import io

    import pyarrow
    import pyarrow.parquet

    table = pyarrow.table({"text": [text for text, _ in _ROWS], "label": [label for _, label in _ROWS]})
    sink = io.BytesIO()
    pyarrow.parquet.write_table(table, sink)
    return sink.getvalue()


ENDINGS = (".csv", ".tsv", ".txt", ".jsonl", ".spans.jsonl", ".json", ".parquet", ".conll")


def mutilated(seed: int, where: Path) -> DataFile:
    """The file of a seed, in the folder `where`; what lay there is removed."""
    chance = random.Random(seed)
    shutil.rmtree(where, ignore_errors=True)
    where.mkdir(parents=True)
    ending = ENDINGS[seed % len(ENDINGS)]
    content = good_file(ending)
    change = chance.choice(_OF_PARQUET if ending == ".parquet" else _CHANGES)
    name, content, must_refuse = change(content, chance, ending)
    packing = chance.choice(("", "", "", *_PACKERS)) if ending != ".parquet" else ""
    if packing and len(content) > 1_000_000:
        packing = ".gz"  # the others take their time
    if packing:
        content = _PACKERS[packing](content)
        if chance.random() < 0.2 and len(content) > 40:
            content, name, must_refuse = content[: len(content) // 2], f"{name}, half an archive", True
    path = where / f"file{ending}{packing}"
    path.write_bytes(content)
    if chance.random() < 0.03:
        name, must_refuse = _no_file(path, chance), True
    return DataFile(f"{seed} {path.name}: {name}", path, must_refuse)


_Change = Callable[[bytes, random.Random, str], tuple[str, bytes, bool]]


def _flipped(content: bytes, chance: random.Random, ending: str) -> tuple[str, bytes, bool]:
    changed = bytearray(content)
    for _ in range(chance.choice((1, 3, 20))):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return "flipped", bytes(changed), False


def _cut(content: bytes, chance: random.Random, ending: str) -> tuple[str, bytes, bool]:
    at = chance.randrange(len(content))
    return f"cut at {at}", content[:at], ending in (".json", ".parquet") or at == 0


def _repeated(content: bytes, chance: random.Random, ending: str) -> tuple[str, bytes, bool]:
    at, size = chance.randrange(len(content)), chance.randrange(1, 50)
    part = content[at : at + size] * chance.choice((2, 100, 5000))
    return "repeated", content[:at] + part + content[at:], False


def _random_bytes(content: bytes, chance: random.Random, ending: str) -> tuple[str, bytes, bool]:
    size = chance.choice((0, 1, 3, 400, 100_000))
    return f"{size} random bytes", chance.randbytes(size), size == 0 or size >= 400


def _without_end(content: bytes, chance: random.Random, ending: str) -> tuple[str, bytes, bool]:
    """A line, a field or a value of 17 million characters."""
    letter = chance.choice((b"a", b"a ", b'"', "好".encode(), b"\t", b",", b"[", b"{", b"a\tb,"))
    at = chance.choice((0, len(content) // 2, len(content)))
    long = letter * (17_000_000 // len(letter))
    return f"17 MB of {letter!r} at {at}", content[:at] + long + content[at:], letter in (b"a", b"a ")


def _odd_value(content: bytes, chance: random.Random, ending: str) -> tuple[str, bytes, bool]:
    """What is no text and no label in the place of one."""
    odd = chance.choice(_ODD)
    before = chance.choice((b'"yes"', b'"no"', b"yes", b"bad", b"day", b"4", b"7", b'"label"', b'"text"'))
    return f"{before!r} = {odd[:20]}", content.replace(before, odd.encode(), chance.choice((1, 3, 10**6))), False


def _odd_signs(content: bytes, chance: random.Random, ending: str) -> tuple[str, bytes, bool]:
    sign = chance.choice(
        ("\0", "\x1b[2J", "\ufeff", "\u2028", "\r", "\x85", '"', "'", "\\", "𝄞", "\x0c", "\x1a", "=cmd()")
    )
    at = chance.randrange(len(content))
    return f"{sign!r} at {at}", content[:at] + sign.encode() * chance.choice((1, 2, 1000)) + content[at:], False


def _other_encoding(content: bytes, chance: random.Random, ending: str) -> tuple[str, bytes, bool]:
    name = chance.choice(("utf-16", "utf-16-le", "utf-32", "utf-7", "cp037", "gb18030", "shift_jis"))
    return name, content.decode().encode(name), False


def _many(content: bytes, chance: random.Random, ending: str) -> tuple[str, bytes, bool]:
    """Many lines or columns of nothing."""
    sign = chance.choice((b"\n", b"\r\n", b",\n", b"\t\n", b",", b"\t", b"{}\n", b"a O\n", b"\n\n", b"[]\n"))
    return f"many {sign!r}", content + sign * chance.choice((1000, 200_000)), False


def _lines_moved(content: bytes, chance: random.Random, ending: str) -> tuple[str, bytes, bool]:
    lines = content.splitlines(keepends=True)
    chance.shuffle(lines)
    return "lines moved", b"".join(lines[chance.randrange(4) :]), False


def _odd_columns(content: bytes, chance: random.Random, ending: str) -> tuple[str, bytes, bool]:
    """Parquet whose columns hold what rows of text do not."""
    import datetime
    import decimal
    import io

    import pyarrow
    import pyarrow.parquet

    kinds: dict[str, Any] = {
        "dates": pyarrow.array([2**62, -(2**62)] * 12, pyarrow.timestamp("us")),
        "days": pyarrow.array([2**31 - 1, -(2**31)] * 12, pyarrow.date32()),
        "times": pyarrow.array([datetime.time(1)] * 24),
        "spans": pyarrow.array([2**62] * 24, pyarrow.duration("s")),
        "numbers": pyarrow.array([decimal.Decimal("1.5")] * 24),
        "not": pyarrow.array([float("nan")] * 24),
        "lists": pyarrow.array([[1, 2]] * 24),
        "maps": pyarrow.array([{"a": 1}] * 24),
        "bytes": pyarrow.array([b"\xff\x00"] * 24),
        "null": pyarrow.array([None] * 24),
        "long": pyarrow.array(["a" * 20_000_000] + ["b"] * 23),
        "dictionary": pyarrow.array(["a" * 100_000] * 24).dictionary_encode(),
    }
    name = chance.choice(sorted(kinds))
    place = chance.choice(("text", "label", "more"))
    columns = {"text": [text for text, _ in _ROWS], "label": [label for _, label in _ROWS]} | {place: kinds[name]}
    sink = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns), sink)
    return f"{place} of {name}", sink.getvalue(), name == "long"


def _no_file(path: Path, chance: random.Random) -> str:
    path.unlink()
    kind = chance.choice(("itself", "folder", "nothing"))
    if kind == "folder":
        path.mkdir()
    else:
        path.symlink_to({"itself": path.name, "nothing": "gone"}[kind])
    return kind


_CHANGES: tuple[_Change, ...] = (
    _flipped, _flipped, _cut, _cut, _repeated, _random_bytes, _without_end, *([_odd_value] * 4), *([_odd_signs] * 3),
    _other_encoding, _many, _lines_moved,
)  # fmt: skip
_OF_PARQUET: tuple[_Change, ...] = (_flipped, _flipped, _cut, _random_bytes, *([_odd_columns] * 4))
