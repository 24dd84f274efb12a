"""Products of several matrices as one, whose parts have the names and the behaviour of modules of their own.

A product by one tall matrix is faster than three. People's programs know the parts: they read `query.weight`, listen
to `key`, or put an adapter in the place of `value`. They find them here.

Shapes: T rows, H hidden size, n parts.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from bertwright.errors import BertwrightError
from bertwright.model.dropout import has_hooks
from bertwright.model.typed_modules import Linear, Module
from bertwright.wording import said

log = logging.getLogger("bertwright")


class Part(nn.Linear):
    """Some rows of a joined matrix. What is read and written in place is the matrix's own memory.

    Its `weight` and `bias` are no parameters: those are the matrix's. It becomes an ordinary layer as soon as a module
    or a parameter is put in the place of it or of one beside it.
    """

    __jit_unused_properties__ = ("weight", "bias")

    def __init__(self, whole: JoinedProjections, index: int, size: int) -> None:
        nn.Module.__init__(self)
        self.in_features, self.out_features = size, size
        self._place = (whole, index)  # in a tuple: `whole` is not inside of its part

    @property
    def weight(self) -> Tensor:  # type: ignore[override]
        """`[H, H]`, a view."""
        whole, index = self._place
        rows: Tensor = whole.joined.weight
        return rows.chunk(len(whole.parts))[index]

    @property
    def bias(self) -> Tensor:  # type: ignore[override]
        """`[H]`, a view."""
        whole, index = self._place
        rows: Tensor = whole.joined.bias
        return rows.chunk(len(whole.parts))[index]

    def __setattr__(self, name: str, value: Any) -> None:
        if name in ("weight", "bias"):
            self._place[0].separate()  # and with that this is an ordinary layer
        nn.Module.__setattr__(self, name, value)

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Any]]:
        """Of this module alone: views, which the library refuses to freeze or to optimise. Of all: none."""
        dot = f"{prefix}." if prefix else ""
        return iter([(f"{dot}weight", self.weight), (f"{dot}bias", self.bias)] if recurse else [])


class JoinedProjections(Module):
    """A module with one linear layer called `whole`, and its parts.

    `state_dict` gives the parts, as the peers do, and `load_state_dict` takes either.
    """

    whole: ClassVar[str]
    parts: ClassVar[tuple[str, ...]]

    def join(self, size: int) -> None:
        """Make the layer and its parts."""
        self.add_module(self.whole, Linear(size, len(self.parts) * size))
        for index, name in enumerate(self.parts):
            self.add_module(name, Part(self, index, size))
        self.register_state_dict_post_hook(_give_parts)  # type: ignore[no-untyped-call]
        self.register_load_state_dict_pre_hook(_take_parts)  # type: ignore[no-untyped-call]

    @property
    def joined(self) -> Any:
        """The one layer, or what somebody put in its place; None where the parts are layers of their own."""
        return self._modules[self.whole]

    def project(self, hidden: Tensor) -> Tensor:
        """`[T, n · H]` of `hidden [T, H]`."""
        if self.is_whole():
            product: Tensor = self.joined(hidden)
            return product
        return torch.cat([self._modules[name](hidden) for name in self.parts], dim=-1)  # type: ignore[misc]

    def is_whole(self) -> bool:
        """Whether nobody listens to a part or has replaced it."""
        return self.joined is not None and not any(has_hooks(self.get_submodule(name)) for name in self.parts)

    def __setattr__(self, name: str, value: Any) -> None:
        known = self.__dict__.get("_modules", {})
        if name in self.parts and name in known and value is not known[name]:
            self.separate()
        super().__setattr__(name, value)

    def separate(self) -> None:
        """Make the parts layers of their own, as something else is to stand in the place of one of them.

        Raises:
            BertwrightError: BW150 something else stands in the place of the whole already.
        """
        joined = self.joined
        if joined is None:
            return
        if type(inner := getattr(joined, "base_layer", None)) is Linear:  # peft, told to adapt every linear layer
            listed = ", ".join(self.parts)
            log.debug(said("the adapter of {whole} gives way to those of {parts}", whole=self.whole, parts=listed))
            joined = inner
        if type(joined) is not Linear:
            listed = ", ".join(self.parts)
            raise BertwrightError("BW150", whole=self.whole, parts=listed, found=type(joined).__name__)
        pieces = [tensor.detach().chunk(len(self.parts)) for tensor in (joined.weight, joined.bias)]
        for name, *values in zip(self.parts, *pieces):
            part = self.get_submodule(name)
            del part._place
            part.__class__ = Linear
            for kind, value in zip(("weight", "bias"), values):
                learns = getattr(joined, kind).requires_grad
                part.register_parameter(kind, nn.Parameter(value.clone(), requires_grad=learns))
        self._modules[self.whole] = None


def _give_parts(module: JoinedProjections, state: dict[str, Any], prefix: str, _: Any) -> None:
    """A state has the parts; the parameters themselves (`keep_vars`) stay what they are."""
    for kind in ("weight", "bias"):
        rows = state.get(f"{prefix}{module.whole}.{kind}")
        if type(module.joined) is Linear and isinstance(rows, Tensor) and not isinstance(rows, nn.Parameter):
            del state[f"{prefix}{module.whole}.{kind}"]
            for name, part in zip(module.parts, rows.chunk(len(module.parts))):
                state[f"{prefix}{name}.{kind}"] = _alone(part)


def _take_parts(module: JoinedProjections, state: dict[str, Any], prefix: str, *_: Any) -> None:
    """The parts in a state are joined, or the whole is cut, as the module has it."""
    for kind in ("weight", "bias"):
        whole, parts = f"{prefix}{module.whole}.{kind}", [f"{prefix}{name}.{kind}" for name in module.parts]
        if module.joined is None:
            if whole in state:
                state.update(zip(parts, state.pop(whole).chunk(len(parts))))
        elif state.keys() >= set(parts):
            state[whole] = torch.cat([state.pop(part) for part in parts])


def _alone(rows: Tensor) -> Tensor:
    """The same memory as a tensor with a storage of its own.

    What writes files (accelerate, the hub's library) takes tensors of one storage for one tensor, and leaves out all
    but the first.
    """
    ordinary = type(rows) is Tensor and rows.device.type in ("cpu", "cuda")
    return torch.from_dlpack(rows.detach()) if ordinary else rows  # type: ignore[attr-defined]
