"""Our encoder-decoder beside the peer's, with equal weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import Tensor

from bertwright import BertForSeq2SeqLM
from bertwright.data.ragged import Ragged, from_padded

SHAPE: dict[str, Any] = {
    "vocab_size": 61,
    "hidden_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 80,
    "max_position_embeddings": 40,
}
START, END = 2, 3


@dataclass(frozen=True)
class Pair:
    ours: BertForSeq2SeqLM
    peer: Any  # a `transformers.EncoderDecoderModel`, whose parts have no types of their own


def make_pair(folder: Path, *, tied: bool = True, decoder: dict[str, Any] | None = None, end: float = 1.6) -> Pair:
    """Random weights, large enough that outputs differ; `end` is how much likelier outputs end."""
    of_encoder = transformers.BertConfig(**SHAPE)
    of_decoder = transformers.BertConfig(
        **{**SHAPE, "num_hidden_layers": 2, **(decoder or {})},
        is_decoder=True,
        add_cross_attention=True,
        tie_word_embeddings=tied,
    )
    config = transformers.EncoderDecoderConfig.from_encoder_decoder_configs(
        of_encoder, of_decoder, decoder_start_token_id=START, pad_token_id=0, eos_token_id=END, tie_word_embeddings=tied
    )
    torch.manual_seed(0)
    peer = transformers.EncoderDecoderModel(config=config).eval()
    with torch.no_grad():
        for parameter in peer.parameters():
            if parameter.dim() > 1:
                parameter.mul_(5)
            else:
                parameter.add_(torch.randn_like(parameter), alpha=0.1)
        peer.decoder.cls.predictions.bias[END] += end
        if not tied:  # an untied head of theirs adds this one
            peer.decoder.cls.predictions.decoder.bias.copy_(peer.decoder.cls.predictions.bias)
    peer.save_pretrained(folder / "peer")
    return Pair(BertForSeq2SeqLM.load(folder / "peer"), peer)


def make_sources(count: int, seed: int = 1) -> tuple[Tensor, Tensor, Ragged]:
    """Ids `[count, 12]` with pads, their mask, and the same without pads."""
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(5, 61, (count, 12), generator=generator)
    lengths = torch.randint(2, 13, (count,), generator=generator)
    mask = (torch.arange(12) < lengths[:, None]).long()
    return ids * mask, mask, from_padded(ids * mask, mask)[0]
