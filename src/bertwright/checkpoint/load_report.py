"""`LoadReport`: what became of every tensor of a file, and of every one that a model wanted."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from itertools import filterfalse
from pathlib import Path
from typing import Any

from bertwright.checkpoint import names
from bertwright.checkpoint.encoder_decoder_names import in_words
from bertwright.wording import said, shown


@dataclass(slots=True)
class LoadReport:
    """What became of every tensor: those of the file, and those that the model wanted.

    Attributes:
        file: where the tensors came from.
        loaded: tensors of the model that the file gave.
        renamed: tensors of the file that stood under an old name (`gamma`, `beta`, a wrapper's prefix).
        missing: tensors of the model that the file lacks (our names).
        absent: what the file would have to hold for them (their names; a stacked tensor of ours needs three).
        unused: tensors of the file that the model has no place for.
        misshapen: tensors of the model whose shape in the file differs: our name, theirs, shape there, shape
            wanted.
        empty: tensors of the file that carry nothing (counters, copies of tied weights).
        borrowed: tensors of a decoder that were taken from the encoder, as the file has no decoder.
        foreign: tensors of the model that the file has for other classes; they were not taken.
        classes: the names of those.
    """

    file: Path
    loaded: list[str] = field(default_factory=list)
    renamed: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
    misshapen: list[tuple[str, str, list[int], list[int]]] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    borrowed: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)

    @property
    def fresh(self) -> list[str]:
        """Tensors of the model that the file did not fill."""
        return self.missing + [ours for ours, *_ in self.misshapen] + self.foreign

    def lack(self, ours: str, there: Container[str]) -> None:
        """The file, which has the tensors `there` (canonical names), cannot fill `ours`."""
        self.missing.append(ours)
        self.absent += [name for name in names.theirs(ours) if names.canonical(name) not in there]

    def started_afresh(self, ours: Iterable[str], classes: Iterable[str]) -> None:
        """Tensors that were loaded were of other `classes`, and have fresh values now."""
        self.foreign = list(ours)
        self.loaded = [name for name in self.loaded if name not in self.foreign]
        self.classes = list(classes)

    def in_words_of_the_peers(self) -> dict[str, list[Any]]:
        """What `output_loading_info=True` gives beside the model."""
        return {
            "missing_keys": list(self.absent),
            "unexpected_keys": list(self.unused),
            "mismatched_keys": [(theirs, have, want) for _, theirs, have, want in self.misshapen],
            "error_msgs": [],
        }

    def summary(self) -> str:
        """One calm line."""
        loaded, fresh = (list(filterfalse(names.is_head, kind)) for kind in (self.loaded, self.fresh))
        heads = {*filter(names.is_head, self.loaded)} - {*self.borrowed}
        foreign = _modules(self.foreign)
        untrained = sorted(_modules(self.fresh), key=foreign.__contains__)  # these last
        new = said("new and untrained: {listed}", listed=shown(untrained))
        if foreign:
            new = said("{new}, whose classes were {classes}", new=new, classes=shown(self.classes))
        there, all_ = len(loaded), len(loaded) + len(fresh)
        parts = (
            (True, said("encoder {n}/{all} tensors loaded from {file}", n=there, all=all_, file=self.file)),
            (self.borrowed, said("the decoder begins as a copy of the encoder")),
            (heads, said("heads loaded: {listed}", listed=shown(_modules(heads)))),
            (untrained, new),
            (self.renamed, said("{n} old names understood", n=len(self.renamed))),
            (self.unused, said("not used: {listed}", listed=shown(_modules(self.unused)))),
        )
        return said("; ").join(text for is_so, text in parts if is_so)


def _modules(tensors: Iterable[str]) -> list[str]:
    """The modules that they belong to, as people call them, in alphabetical order."""
    return sorted({in_words(name) or _module(names.bare(name)) for name in tensors})


def _module(name: str) -> str:
    """`classifier`, `pooler.dense`; a head of pre-training is one, whatever is in it."""
    return ".".join(name.split(".")[:2]) if name.startswith("cls.") else name.rpartition(".")[0] or name
