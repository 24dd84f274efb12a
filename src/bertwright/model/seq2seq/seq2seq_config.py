"""`Seq2SeqConfig`: the shape of an encoder and a decoder, in the words of an encoder-decoder's `config.json`."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

from bertwright.errors import BertwrightError
from bertwright.model.config import BertConfig
from bertwright.model.config_keywords import keeps_unknown_words
from bertwright.wording import Phrase

MODEL_TYPE = "encoder-decoder"
_OF_A_DECODER = {"is_decoder": True, "add_cross_attention": True}
# What the file says beside the two parts, and what follows from it.
_BESIDE = ("model_type", "encoder", "decoder", "is_encoder_decoder", "tie_word_embeddings")


@keeps_unknown_words
@dataclass(kw_only=True)
class Seq2SeqConfig(BertConfig):
    """The encoder's values, and what a decoder needs beside them.

    Attributes:
        decoder: the shape of the decoder; None: that of the encoder. `tie_word_embeddings` of it says whether its
            output matrix is its word table.
        decoder_start_token_id: what every output begins with; [CLS].
        eos_token_id: what every output ends with; [SEP].
        positions: `learned`, as in BERT; `sinusoidal`: both position tables hold the sines and cosines of Vaswani et
            al. 2017, section 3.5, and are not trained.
    """

    model_type: ClassVar[str] = MODEL_TYPE
    decoder: BertConfig | None = None
    decoder_start_token_id: int | None = None
    eos_token_id: int | None = None
    positions: Literal["learned", "sinusoidal"] = "learned"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.positions not in ("learned", "sinusoidal"):
            self._refuse("positions", self.positions, "learned, sinusoidal")
        for name in ("decoder_start_token_id", "eos_token_id"):
            if (value := getattr(self, name)) is not None and not (type(value) is int and 0 <= value < self.vocab_size):
                self._refuse(name, value, Phrase("0 to {last}, or null", last=self.vocab_size - 1))
        if self.decoder is None:
            own = {entry.name for entry in dataclasses.fields(BertConfig)}
            values = {key: value for key, value in vars(self).items() if key in own and key != "extra"}
            self.decoder = BertConfig(**values, extra=dict(self.extra))

    @property
    def written(self) -> BertConfig:
        """The shape of the decoder."""
        assert self.decoder is not None
        return self.decoder

    @property
    def longest_output(self) -> int:
        """Rows of the decoder's position table: the longest output, [CLS] included."""
        return self.written.max_position_embeddings

    @property
    def most_layers(self) -> int:
        return max(self.num_hidden_layers, self.written.num_hidden_layers)

    def kept_per_token(self, max_length: int, checkpointing: bool) -> int:
        """A decoder's layer keeps half as much again, and the scores of every token are kept twice."""
        layers = 0 if checkpointing else 3 * self.written.num_hidden_layers // 2
        decoder = layers * self._kept_per_layer(max_length) + 12 * self.written.vocab_size
        return super().kept_per_token(max_length, checkpointing) + decoder

    @classmethod
    def from_dict(cls, values: dict[str, Any], **changes: Any) -> Self:
        """From the keys of a `config.json`: of an encoder-decoder, or of a BERT, which then shapes both.

        Raises:
            BertwrightError: BW600 a part is missing or is not what its place asks for, and those of
                `BertConfig.from_dict`.
        """
        if values.get("model_type", "bert") != MODEL_TYPE:
            return super().from_dict(values, **changes)
        encoder, decoder = _parts_of(values)
        shared = {entry.name for entry in dataclasses.fields(BertConfig)}
        beside = {key: value for key, value in values.items() if key not in _BESIDE}
        of_both = {key: value for key, value in changes.items() if key in shared}
        of_decoder = BertConfig.from_dict(decoder, **of_both)
        return super().from_dict({**encoder, **beside}, **{"decoder": of_decoder, **changes})

    def to_dict(self) -> dict[str, Any]:
        """What `config.json` holds: both parts in full."""
        own = {entry.name for entry in dataclasses.fields(self)} - {
            entry.name for entry in dataclasses.fields(BertConfig)
        }
        encoder = {key: value for key, value in super().to_dict().items() if key not in own}
        encoder.pop("architectures", None)
        encoder["model_type"] = BertConfig.model_type
        beside = {key: getattr(self, key) for key in sorted(own - {"decoder"}) if getattr(self, key) is not None}
        return {
            **beside,
            "model_type": MODEL_TYPE,
            "is_encoder_decoder": True,
            "pad_token_id": self.pad_token_id,
            "tie_word_embeddings": self.written.tie_word_embeddings,
            "encoder": encoder,
            "decoder": self.written.to_dict() | _OF_A_DECODER,
        }

    def unknown_keys(self) -> list[str]:
        return sorted({*super().unknown_keys(), *self.written.unknown_keys()})


def _parts_of(values: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a file says of the encoder, and what of the decoder beside its being one."""
    encoder, decoder = values.get("encoder"), values.get("decoder")
    if not isinstance(encoder, dict):
        raise BertwrightError("BW600", missing="config.json: encoder")
    if not isinstance(decoder, dict) or not all(decoder.get(key) for key in _OF_A_DECODER):
        raise BertwrightError("BW600", missing=f"config.json: decoder: {', '.join(_OF_A_DECODER)}")
    return encoder, {key: value for key, value in decoder.items() if key not in _OF_A_DECODER}
