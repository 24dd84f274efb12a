"""Models that somebody watches, or has put something of their own into.

A hook, or a module of one's own, expects the shapes of the padded form `[B, S, ...]` and may know nothing of rows of
real tokens. For these a model that was called with the padded form is computed in it, pads and all; attention alone
leaves them out. Without listeners no pad is computed.

Shapes: T tokens, B sequences, S longest sequence, H hidden size.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import torch
from torch import Tensor, nn

from bertwright.data.ragged import Places, Ragged
from bertwright.data.unpacked import Unpacked
from bertwright.model.dropout import has_hooks
from bertwright.model.encoder import Encoding

# Whose modules take rows as they come: each row by itself.
_ROW_BY_ROW = ("torch", "bertwright", "peft")


def is_watched(module: nn.Module) -> bool:
    """Whether somebody listens to a module or to one in it, or has put one of their own there."""
    return _is_foreign(type(module).__module__) or has_hooks(module) or is_watched_inside(module)


def is_watched_inside(module: nn.Module) -> bool:
    """The same of the modules in it; it may itself be of a class of somebody's own."""
    waiting = list(module._modules.values())  # asked at every call: `modules()` takes ten times as long
    while waiting:
        one = waiting.pop()
        if one is None:
            continue
        if _is_foreign(type(one).__module__) or has_hooks(one):
            return True
        waiting.extend(one._modules.values())
    return False


@cache
def _is_foreign(home: str) -> bool:
    """Whether modules of classes from there may ask for more than rows."""
    return home.partition(".")[0] not in _ROW_BY_ROW


def in_padded_form(batch: Ragged, places: Places) -> Ragged:
    """The batch with ids, types and positions `[B, S]`, zeros at pads."""
    return replace(
        batch,
        input_ids=places.pad(batch.input_ids),
        token_type_ids=places.pad(batch.token_type_ids),
        position_ids=places.pad(batch.position_ids),
    )


def over_tokens(batch: Ragged, hidden: Tensor, *modules: Callable[[Tensor], Tensor]) -> Tensor:
    """The modules one after the other over `[T, H]`: `[T, ...]`."""
    watched = isinstance(batch, Unpacked) or any(isinstance(one, nn.Module) and is_watched(one) for one in modules)
    places = batch.places if watched else None
    values = hidden if places is None else places.pad(hidden)
    for module in modules:
        values = module(values)
    return values if places is None else places.pick(values)


def encoded_by_call(
    encoder: nn.Module,
    batch: Ragged,
    places: Places,
    words: Tensor | None,
    *,
    output_hidden_states: bool = False,
    output_attentions: bool = False,
    **_: bool,
) -> Encoding:
    """What an encoder that somebody has wrapped, derived from or listens to makes of a batch: it is called as by them.

    Args:
        encoder: takes and gives the padded form, as `BertModel`.
        batch: the tokens.
        places: where they stood in the padded form.
        words: `[T, H]` in place of the rows of the word table.
        output_hidden_states, output_attentions: as of `Encoder.forward`; the last layer is computed for all tokens.
    """
    padded = in_padded_form(batch, places)
    output = encoder(
        input_ids=padded.input_ids if words is None else None,
        attention_mask=places.pad(torch.ones_like(batch.input_ids)),
        token_type_ids=padded.token_type_ids,
        position_ids=padded.position_ids,
        inputs_embeds=None if words is None else places.pad(words),
        output_hidden_states=output_hidden_states,
        output_attentions=output_attentions,
        return_dict=True,
    )
    return Encoding(
        places.pick(output.last_hidden_state),
        tuple(map(places.pick, output.hidden_states or ())),
        tuple(_without_pads(layer, batch, places) for layer in output.attentions or ()),
        pooled=output.pooler_output,
    )


def _without_pads(weights: Tensor, batch: Ragged, places: Places) -> list[Tensor]:
    """Attention weights `[B, A, S, S]` as B tensors `[A, s, s]`."""
    if isinstance(batch, Unpacked):
        return list(weights)
    columns = torch.split(places.index % places.width, list(batch.lengths))
    return [whole[:, here[:, None], here] for whole, here in zip(weights, columns)]
