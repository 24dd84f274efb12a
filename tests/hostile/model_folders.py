"""Mutilated model folders, from good ones of every task and a seed, each with whether it may be accepted."""

from __future__ import annotations

import json
import os
import random
import shutil
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from bertwright.checkpoint.folders import MANIFEST, _write_manifest

VERSION = Path(__file__).parents[1] / "earlier" / "v0.1.0"
GOOD = [*sorted(VERSION.glob("finished/*/best")), VERSION / "model"]
_LITERALS = (
    "NaN",
    "Infinity",
    "-Infinity",
    "1e400",
    "[" * 3000 + "]" * 3000,
    '"\\ud800"',
    "1" * 5000,
    '{"a": 1, "a": 2}',
)
_VALUES: tuple[Any, ...] = (
    None, True, False, -1, 0, 1, 5, 0.5, 1e-300, 1e300, 10**9, 10**12, 10**30, -(10**30), "", "windwo", "x" * 100_000,
    "\x1b[31m", "../..", [], {}, ["a", "a"], [None], {"0": None}, [[]], {"content": 5},
)  # fmt: skip
# Of these any other value belongs to another model; of the rest of a config some change nothing that can be seen.
_SHAPES = {
    "vocab_size", "hidden_size", "intermediate_size", "max_position_embeddings", "type_vocab_size", "model_type",
    "hidden_act", "id2label",
}  # fmt: skip
_NEVER_OF_A_TASK = {"schema_version", "task", "labels", "types", "long", "head", "scheme", "unit", "pairs"}


@dataclass(frozen=True)
class Mutilated:
    """A folder.

    Attributes:
        name: what was done, for a message.
        folder: where it lies.
        must_refuse: whether no program may answer with it.
    """

    name: str
    folder: Path
    must_refuse: bool


def is_plain(seed: int) -> bool:
    """Whether the folder of a seed is a checkpoint without a task."""
    return seed % len(GOOD) == len(GOOD) - 1


def mutilated(seed: int, where: Path) -> Mutilated:
    """The folder of a seed, in `where`; what lay there is removed."""
    chance = random.Random(seed)
    good = GOOD[seed % len(GOOD)]
    shutil.rmtree(where, ignore_errors=True)
    shutil.copytree(good, where)
    manifest = where / MANIFEST
    sealed = manifest.is_file() and chance.random() < 0.15
    if not sealed:
        manifest.unlink(missing_ok=True)
    changed = chance.choice(_CHANGES)
    name, must_refuse = changed(where, chance)
    if not sealed and chance.random() < 0.1 and _is_plain(where):
        _write_manifest(where)  # one that agrees
    # A file that the manifest does not name may be anything.
    return Mutilated(f"{seed} {good.parent.name}: {name}", where, must_refuse)


def _is_plain(folder: Path) -> bool:
    return all(path.is_file() and not path.is_symlink() for path in folder.iterdir())


def _json_files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.glob("*.json") if file.name != MANIFEST)


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in items:
        yield from _places(one, (*path, key))


def _changed_value(folder: Path, chance: random.Random) -> tuple[str, bool]:
    """Another value, of another kind or size, at one place of one file."""
    file = chance.choice(_json_files(folder))
    content = json.loads(file.read_text(encoding="utf-8"))
    top = chance.choice(sorted(content))
    path = chance.choice([place for place in _places(content) if place[0] == top])
    target = content
    for key in path[:-1]:
        target = target[key]
    before = target[path[-1]]
    literal = chance.random() < 0.25
    after: Any = "@@" if literal else chance.choice(_VALUES)
    target[path[-1]] = after
    text, shown = json.dumps(content), repr(after)[:40]
    if literal:
        shown = chance.choice(_LITERALS)
        text = text.replace('"@@"', shown)
    file.write_text(text, encoding="utf-8")
    return f"{file.name} {path} = {shown[:40]}", literal or (after != before and _never(file.name, path, before, after))


def _never(file: str, path: tuple[Any, ...], before: Any, after: Any) -> bool:
    """Whether a value cannot belong to this model."""
    key = path[0]
    if key == "id2label" and isinstance(after, int | float) and len(path) == 2:
        return False  # a number is a name, too
    if file == "config.json" and key in _SHAPES and len(path) <= 2:
        return not (key == "id2label" and str(after) == str(before)) and not (key == "model_type" and after is None)
    if file == "task.json":
        if key in _NEVER_OF_A_TASK:
            return not (key == "pairs" and after is None) or True
        if key in ("max_length", "overlap"):
            return type(after) is not int or not 0 <= after <= 32
        if key == "temperature":
            return isinstance(after, bool) or not isinstance(after, int | float) or not 0.01 <= after <= 100
        if key == "reads_pairs":
            return not (after is None or isinstance(after, bool))
    if file == "tokenizer_config.json" and key in ("unk_token", "sep_token", "pad_token", "cls_token"):
        return after not in (None, "", False, [], {}) and after != 0
    return False


def _dropped(folder: Path, chance: random.Random) -> tuple[str, bool]:
    file = chance.choice(sorted(folder.iterdir()))
    file.unlink()
    return f"{file.name} dropped", file.name in ("config.json", "model.safetensors")


def _cut(folder: Path, chance: random.Random) -> tuple[str, bool]:
    file = chance.choice(sorted(folder.iterdir()))
    size = chance.randrange(file.stat().st_size)
    os.truncate(file, size)
    return f"{file.name} cut to {size}", file.name != "vocab.txt" and file.name != MANIFEST and not _whole(file)


def _whole(file: Path) -> bool:
    """Whether what was cut off was white space."""
    try:
        json.loads(file.read_bytes())
    except ValueError:
        return False
    return True


def _flipped(folder: Path, chance: random.Random) -> tuple[str, bool]:
    file = chance.choice(sorted(folder.iterdir()))
    content = bytearray(file.read_bytes())
    for _ in range(chance.choice((1, 1, 3, 20))):
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    sealed = (folder / MANIFEST).is_file() and file.name != MANIFEST and bytes(content) != file.read_bytes()
    file.write_bytes(content)
    return f"{file.name} flipped", sealed


def _swapped(folder: Path, chance: random.Random) -> tuple[str, bool]:
    """A file of another model in its place."""
    file = chance.choice(sorted(folder.iterdir()))
    other = chance.choice([good for good in GOOD if (good / file.name).is_file()]) / file.name
    same = other.read_bytes() == file.read_bytes()
    file.write_bytes(other.read_bytes())
    sealed = (folder / MANIFEST).is_file() and file.name != MANIFEST
    return f"{file.name} of {other.parent.parent.name}", sealed and not same


def _random_bytes(folder: Path, chance: random.Random) -> tuple[str, bool]:
    file = chance.choice(sorted(folder.iterdir()))
    file.write_bytes(chance.randbytes(chance.choice((0, 1, 100, 5000))))
    return f"{file.name} random", file.name != "vocab.txt"  # which is not read beside tokenizer.json


def _no_file(folder: Path, chance: random.Random) -> tuple[str, bool]:
    """A link to itself, a pipe, a folder, a device, or a link to nothing."""
    file = chance.choice(sorted(folder.iterdir()))
    file.unlink()
    kind = chance.choice(("itself", "pipe", "folder", "zero", "nothing"))
    if kind == "pipe":
        os.mkfifo(file)
    elif kind == "folder":
        file.mkdir()
    else:
        file.symlink_to({"itself": file.name, "zero": "/dev/zero", "nothing": "gone"}[kind])
    return f"{file.name}: {kind}", file.name in ("config.json", "model.safetensors")


def _wrong_tensor(folder: Path, chance: random.Random) -> tuple[str, bool]:
    """A tensor of another shape, kind or name, or one that holds what is no number."""
    file = folder / "model.safetensors"
    tensors = load_file(file)
    name = chance.choice(sorted(tensors))
    kind = chance.choice(("shape", "nan", "inf", "integer", "gone", "half", "huge"))
    tensor = tensors[name].clone()
    whole = {"shape": tensor.flatten()[1:], "integer": tensor.to(torch.int8), "half": tensor.half()}
    if kind == "gone":
        del tensors[name]
    elif kind in whole:
        tensors[name] = whole[kind].clone()
    else:
        tensor.flatten()[0] = {"nan": torch.nan, "inf": torch.inf, "huge": 3e38}[kind]
        tensors[name] = tensor
    save_file(tensors, file, metadata={"format": "pt"})
    is_extra = name.startswith(("cls.predictions.decoder", "bert.pooler"))
    head = not name.removeprefix("bert.").startswith(("embeddings.", "encoder.", "decoder.", "pooler", "cls."))
    refused = (kind in ("shape", "integer") and not is_extra) or (kind in ("nan", "inf") and head and folder.exists())
    return f"{name}: {kind}", refused and "earlier" not in folder.parts and _has_task(folder)


def _has_task(folder: Path) -> bool:
    return (folder / "task.json").is_file()


def _lying_header(folder: Path, chance: random.Random) -> tuple[str, bool]:
    """Safetensors whose header says what the file does not hold."""
    file = folder / "model.safetensors"
    content = file.read_bytes()
    size = struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8 : 8 + size])
    name = chance.choice(sorted(set(header) - {"__metadata__"}))
    lie = chance.choice(("shape", "offsets", "dtype", "size", "deep"))
    entry = header[name]
    entry |= {
        "shape": {"shape": [10**12, 10**6]},
        "offsets": {"data_offsets": [0, 10**15]},
        "dtype": {"dtype": "F65"},
    }.get(lie, {})
    text = ("[" * 100_000).encode() if lie == "deep" else json.dumps(header).encode()
    said = 2**62 if lie == "size" else len(text)
    file.write_bytes(struct.pack("<Q", said) + text + content[8 + size :])
    return f"header: {lie}", True


def _small_pickle(folder: Path, chance: random.Random) -> tuple[str, bool]:
    """A `.bin` whose tensors repeat one number many times, or share one part."""
    tensors = load_file(folder / "model.safetensors")
    kind = chance.choice(("stride", "shared", "list", "code"))
    (folder / "model.safetensors").unlink()
    content: Any = {name: tensor.clone() for name, tensor in tensors.items()}
    if kind == "stride":
        content["bert.more"] = torch.zeros(1).expand(20_000, 20_000)
    elif kind == "shared":
        part = torch.zeros(100_000)
        content |= {f"bert.more.{number}": part for number in range(300)}
    elif kind == "list":
        content = [1, 2]
    else:
        content["bert.more"] = {"inner": print}
    torch.save(content, folder / "pytorch_model.bin")
    return f"bin: {kind}", True


def _pattern_in_tokenizer(folder: Path, chance: random.Random) -> tuple[str, bool]:
    """Steps of a tokenizer that never end, or that a text grows in without bound."""
    file = folder / "tokenizer.json"
    content = json.loads(file.read_text(encoding="utf-8"))
    kind = chance.choice(("regex", "growth", "unknown", "ids", "word", "token"))
    if kind == "regex":
        pattern = chance.choice(("(a+)+$", "(a|aa)*b", r"(x*)*\1y", "(?:[a-z]+|x){1,}!"))
        content["pre_tokenizer"] = {
            "type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False,
        }  # fmt: skip
    elif kind == "growth":
        step = {"type": "Replace", "pattern": {"String": "a"}, "content": "aaaaaaaa"}
        content["normalizer"] = {"type": "Sequence", "normalizers": [step] * 12}
    elif kind == "unknown":
        content["model"]["unk_token"] = "[NOWHERE]"
    elif kind == "ids":
        content["model"]["vocab"]["[PAD]"] = 4_000_000_000
    elif kind == "word":
        content["model"]["max_input_chars_per_word"] = 10**15
    else:
        content["model"]["vocab"] = dict.fromkeys(content["model"]["vocab"], 0)
    file.write_text(json.dumps(content), encoding="utf-8")
    return f"tokenizer.json: {kind}", True


def _sizes_in_config(folder: Path, chance: random.Random) -> tuple[str, bool]:
    """Sizes for which no machine has the memory."""
    file = folder / "config.json"
    content = json.loads(file.read_text(encoding="utf-8"))
    part = content.get("encoder", content) if chance.random() < 0.5 else content.get("decoder", content)
    key = chance.choice(
        ("num_labels", "num_hidden_layers", "vocab_size", "hidden_size", "type_vocab_size", "max_position_embeddings")
    )
    value = chance.choice((10**4, 10**9, 10**12, 10**30, True))
    if key == "num_labels":
        part.pop("id2label", None)
        part.pop("label2id", None)
    part[key] = value
    file.write_text(json.dumps(content), encoding="utf-8")
    return f"config.json {key} = {value}", key != "num_labels" and value is not True


def _names_of_tokens(folder: Path, chance: random.Random) -> tuple[str, bool]:
    """What stands beside a vocabulary and names tokens, with another kind of value."""
    name = chance.choice(("special_tokens_map.json", "added_tokens.json"))
    key = chance.choice(("cls_token", "additional_special_tokens", "[NEW]"))
    value: Any = chance.choice(
        (5, True, {"content": None}, ["a", 5], [["a"]], 10**30, {"a": {}}, -1, "x", {"content": "[CLS]"})
    )
    (folder / name).write_text(json.dumps({key: value}), encoding="utf-8")
    return f"{name} {key} = {value}", False


def _at_once(folder: Path, chance: random.Random) -> tuple[str, bool]:
    """Two values of one folder."""
    first, second = _changed_value(folder, chance), ("", False)
    with suppress(ValueError, RecursionError):  # where the first left no JSON
        second = _changed_value(folder, chance)
    return f"{first[0]}, {second[0]}", False


_CHANGES: tuple[Callable[[Path, random.Random], tuple[str, bool]], ...] = (
    *([_changed_value] * 12), _dropped, _cut, _cut, _flipped, _flipped, _swapped, _swapped, _random_bytes, _no_file,
    _no_file, _wrong_tensor, _wrong_tensor, _wrong_tensor, _lying_header, _small_pickle, _pattern_in_tokenizer,
    _pattern_in_tokenizer, _sizes_in_config, _sizes_in_config, _names_of_tokens, _names_of_tokens, _at_once, _at_once,
)  # fmt: skip
