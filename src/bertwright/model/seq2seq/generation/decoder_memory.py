"""What a decoder keeps while it writes: the keys and values of the sources, and those of what was written so far.

All outputs under way are equally long, so that these need no pads; shorter sources than the longest are masked. A
source's keys and values are kept once, however many beams write from it.

Shapes: n sources, K longest of them, R = n · beams rows, t tokens written, H hidden size, A heads, D head size, V
vocabulary.
"""

from __future__ import annotations

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from bertwright.data.ragged import Ragged, from_lengths
from bertwright.model.seq2seq.decoder import DecoderLayer
from bertwright.model.seq2seq.encoder_decoder import BertForSeq2SeqLM

_ROOM = 16  # tokens for which room is made whenever there is none; what is reordered includes the room


class Memory:
    """Rows that are being written.

    Attributes:
        length: t.
        device: where it lies.
    """

    def __init__(self, model: BertForSeq2SeqLM, encoded: Tensor, source: Ragged, beams: int) -> None:
        """`encoded [U, H]` is what `model.read` made of `source`; every source gets `beams` rows."""
        self._model, self._beams, self.length, self.device = model, beams, 0, encoded.device
        self._rows = source.batch_size * beams
        places = from_lengths(source.lengths, encoded.device)
        self._mask: Tensor | None = None
        if len(set(source.lengths)) > 1:
            real = places.pad(torch.ones(source.num_tokens, dtype=torch.bool, device=encoded.device))
            self._mask = torch.zeros(real.shape, dtype=encoded.dtype, device=encoded.device)
            self._mask = self._mask.masked_fill_(~real, -torch.inf)[:, None, None]  # [n, 1, 1, K]
        self._seen: list[Tensor] = []  # of each layer keys and values [n, 2, A, K, D]
        self._own: list[Tensor] = []  # of each layer keys and values [R, 2, A, room, D]
        for layer in self._layers():
            seen = places.pad(layer.crossattention.self.read(encoded))  # [n, K, 2, A, D]
            self._seen.append(seen.permute(0, 2, 3, 1, 4).contiguous())
            _, _, heads, _, size = self._seen[-1].shape
            self._own.append(encoded.new_empty(self._rows, 2, heads, 0, size))

    def _layers(self) -> list[DecoderLayer]:
        return list(self._model.decoder.bert.encoder.layer)  # type: ignore[arg-type]

    def step(self, tokens: Tensor) -> Tensor:
        """The scores `[R, V]` of what follows, after `tokens [R]` were written."""
        embeddings, at = self._model.decoder.bert.embeddings, self.length
        if at == self._own[0].shape[3]:
            more = (*self._own[0].shape[:3], _ROOM, self._own[0].shape[4])
            self._own = [torch.cat([own, own.new_empty(more)], 3) for own in self._own]
        fixed = embeddings.token_type_embeddings.weight[0] + embeddings.position_embeddings.weight[at]
        hidden = embeddings.LayerNorm(embeddings.word_embeddings(tokens) + fixed)
        for layer, own, seen in zip(self._layers(), self._own, self._seen):
            hidden = layer.through(
                hidden, partial(self._look_back, layer, own=own), partial(self._look_across, layer, seen=seen)
            )
        self.length += 1
        return self._model.predict(hidden)

    def _look_back(self, layer: DecoderLayer, hidden: Tensor, own: Tensor) -> Tensor:
        """`[R, H]`: attention over what was written, `hidden` included."""
        at = self.length
        qkv = layer.attention.self.project(hidden)  # [R, 3, A, D]
        own[:, :, :, at] = qkv[:, 1:]
        key, value = own[:, 0, :, : at + 1], own[:, 1, :, : at + 1]
        mixed = F.scaled_dot_product_attention(qkv[:, 0, :, None], key, value)  # [R, A, 1, D]
        return mixed.flatten(1)

    def _look_across(self, layer: DecoderLayer, hidden: Tensor, seen: Tensor) -> Tensor:
        """`[R, H]`: attention over the sources; the beams of a source ask side by side."""
        asked = layer.crossattention.self.ask(hidden)  # [R, A, D]
        asked = asked.view(-1, self._beams, *asked.shape[1:]).transpose(1, 2)  # [n, A, beams, D]
        mixed = F.scaled_dot_product_attention(asked, seen[:, 0], seen[:, 1], attn_mask=self._mask)
        return mixed.transpose(1, 2).flatten(0, 1).flatten(1)

    def reorder(self, rows: Tensor) -> None:
        """Let every row go on from what row `rows [R]` wrote; sources stay where they are."""
        if not torch.equal(rows, torch.arange(self._rows, device=rows.device)):
            self._own = [own.index_select(0, rows) for own in self._own]

    def keep(self, sources: Tensor) -> None:
        """Go on with these sources `[m]` only, and with their rows."""
        rows = (sources[:, None] * self._beams + torch.arange(self._beams, device=sources.device)).flatten()
        self._own = [own.index_select(0, rows) for own in self._own]
        self._seen = [seen.index_select(0, sources) for seen in self._seen]
        self._rows = len(rows)
        if self._mask is not None:
            self._mask = self._mask.index_select(0, sources)
