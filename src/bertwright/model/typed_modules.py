"""The library's modules as they are, of which a type checker knows that a call gives a tensor.

`nn.Module.__call__` may give anything. While the program runs, these are the library's own classes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

if TYPE_CHECKING:

    class Module(nn.Module):
        def __call__(self, *inputs: Any, **named: Any) -> Tensor: ...

    class Linear(nn.Linear):
        def __call__(self, values: Tensor) -> Tensor: ...

    class LayerNorm(nn.LayerNorm):
        def __call__(self, values: Tensor) -> Tensor: ...

    class Embedding(nn.Embedding):
        def __call__(self, indices: Tensor) -> Tensor: ...

else:
    Module, Linear, LayerNorm, Embedding = nn.Module, nn.Linear, nn.LayerNorm, nn.Embedding
