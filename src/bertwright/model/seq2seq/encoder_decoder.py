"""`BertForSeq2SeqLM`: an encoder and a decoder, both from the weights of a BERT or both from scratch.

Source: Vaswani et al. 2017; Rothe et al. 2020, "Leveraging Pre-trained Checkpoints for Sequence Generation Tasks",
section 2, on starting both sides from one BERT.

Shapes: T tokens of the targets, U of the sources, B pairs, S longest target, K longest source, H hidden size, V
vocabulary.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor, nn

from bertwright.checkpoint.json_files import read_json_file
from bertwright.data.ragged import Ragged, from_padded
from bertwright.errors import BertwrightError
from bertwright.model.config import BertConfig
from bertwright.model.encoder import Embeddings
from bertwright.model.losses import IGNORED, token_loss
from bertwright.model.models import BertModel, BertWithHead
from bertwright.model.outputs import Seq2SeqOutput
from bertwright.model.padded import refuse_unknown, returned
from bertwright.model.seq2seq.decoder import LanguageModel, sinusoids
from bertwright.model.seq2seq.seq2seq_config import MODEL_TYPE, Seq2SeqConfig
from bertwright.model.typed_modules import Linear


class BertForSeq2SeqLM(BertWithHead):
    """Scores of the next token of an output, given a source and what was written so far.

    `transformers` opens its folders as an `EncoderDecoderModel`, and it opens those. Loaded from the folder of a BERT,
    encoder and decoder both begin with its weights, and cross-attention is new.
    """

    needs_pooler = True  # the peer's encoder has one; nothing reads it
    head_name = "decoder"
    config_class = Seq2SeqConfig
    architecture = "EncoderDecoderModel"
    base_model_prefix = "encoder"
    encoder: BertModel

    def __init__(self, config: BertConfig) -> None:
        assert isinstance(config, Seq2SeqConfig)
        super().__init__(config)
        of_decoder = config.written
        self.decoder = LanguageModel(of_decoder)
        self.enc_to_dec_proj: Linear | None = None
        if of_decoder.hidden_size != config.hidden_size:
            self.enc_to_dec_proj = Linear(config.hidden_size, of_decoder.hidden_size)
        self.initialise_head()
        self._write_sinusoids()
        self.hold_constants()

    @property
    def seq2seq(self) -> Seq2SeqConfig:
        """The config."""
        assert isinstance(self.config, Seq2SeqConfig)
        return self.config

    @classmethod
    def load(cls, folder: Path, **options: Any) -> Self:
        """As `Pretrained.load`, of a BERT or of an encoder-decoder.

        Raises:
            BertwrightError: BW600 for an encoder-decoder without a decoder, and those of `Pretrained.load`.
        """
        model = super().load(folder, **options)
        assert model.load_report is not None
        if model.load_report.borrowed and _is_encoder_decoder(folder):
            raise BertwrightError("BW600", missing=f"{model.load_report.file}: decoder.*")
        return model

    def hold_constants(self) -> None:
        """The pooler, which nothing reads, and positions that are sines."""
        held: list[nn.Module] = [self.encoder.pooler] if self.encoder.pooler is not None else []
        if self.seq2seq.positions == "sinusoidal":
            held += [embeddings.position_embeddings for embeddings in self._embeddings()]
        for module in held:
            module.requires_grad_(False)

    def _embeddings(self) -> list[Embeddings]:
        return [self.encoder.embeddings, self.decoder.bert.embeddings]

    def _write_sinusoids(self) -> None:
        """Sines in place of the position tables, as large beside a fresh word as in the paper.

        There words are scaled by √H to a variance of 1. Here a norm follows the sum, and only their ratio counts.
        """
        if self.seq2seq.positions != "sinusoidal":
            return
        for embeddings in self._embeddings():
            table = embeddings.position_embeddings.weight
            if not table.is_meta:
                with torch.no_grad():
                    table.copy_(sinusoids(*table.shape) * self.config.initializer_range)

    def read(self, source: Ragged) -> Tensor:
        """`[U, H]`: the sources as the decoder sees them."""
        return self._over_the_bridge(self.encoder.encode(source).last)

    def _over_the_bridge(self, encoded: Tensor) -> Tensor:
        """The encoder's states in the width of the decoder."""
        return encoded if self.enc_to_dec_proj is None else self.enc_to_dec_proj(encoded)

    def predict(self, hidden: Tensor) -> Tensor:
        """`hidden [n, H]` of the decoder to the scores `[n, V]` of the token that comes next."""
        return self.decoder.cls.predictions(hidden, self.decoder.words)

    def pair_scores(self, source: Ragged, target: Ragged) -> Tensor:
        """`[T, V]`: the scores of the token that follows each token of the targets, given all before it.

        Raises:
            BertwrightError: BW601 a source without a token, BW420 another number of sources than of targets, BW421 to
                BW423 an index outside its table.
        """
        return self.predict(self._decoded(source, target))

    def pair_loss(
        self, source: Ragged, target: Ragged, labels: Tensor, shares: Tensor, smoothing: float = 0.0
    ) -> tuple[Tensor, Tensor]:
        """Cross-entropy of `pair_scores` with `labels [T]`, and how many score best; see `vocabulary_loss`.

        Raises:
            BertwrightError: those of `pair_scores`.
        """
        decoded, words = self._decoded(source, target), self.decoder.words
        return self.decoder.cls.predictions.loss(decoded, words, labels, shares, smoothing)

    def _decoded(self, source: Ragged, target: Ragged) -> Tensor:
        if source.batch_size != target.batch_size:
            raise BertwrightError("BW420", what="targets", shape=[target.batch_size], expected=[source.batch_size])
        refuse_empty(source)
        return self.decoder.bert(target, self.read(source), source)

    def forward(  # type: ignore[override]
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        decoder_input_ids: Tensor | None = None,
        decoder_attention_mask: Tensor | None = None,
        *,
        token_type_ids: Tensor | None = None,
        labels: Tensor | None = None,
        return_dict: bool | None = None,
        **unknown: Any,
    ) -> Any:
        """Padded sources `[B, K]` and targets `[B, S]` to logits `[B, S, V]`, and to the loss where labels are given.

        Args:
            input_ids, attention_mask, token_type_ids: of the sources.
            decoder_input_ids, decoder_attention_mask: of the targets; not given: `labels`, one place later, behind
                `decoder_start_token_id`.
            labels: `[B, S]` what is to come out, -100 at places that do not count.
            return_dict: False: a tuple.

        Raises:
            BertwrightError: BW602 neither targets nor labels, those of `pair_scores`, BW424 an argument that this
                model does not have.
        """
        refuse_unknown(self, unknown, ("labels",))
        if decoder_input_ids is None:
            if labels is None:
                raise BertwrightError("BW602")
            decoder_input_ids = shifted(labels, self.seq2seq)
            if decoder_attention_mask is None:
                decoder_attention_mask = _up_to_the_last(labels != IGNORED)
        source, places = from_padded(input_ids, attention_mask, token_type_ids)
        target, target_places = from_padded(decoder_input_ids, decoder_attention_mask)
        refuse_empty(source)
        encoded = self.encoder.encode(source).last
        scores = self.predict(self.decoder.bert(target, self._over_the_bridge(encoded), source))
        output = Seq2SeqOutput(
            loss=None if labels is None else token_loss(scores, labels, target_places),
            logits=target_places.pad(scores),
            encoder_last_hidden_state=places.pad(encoded),
        )
        return returned(output, return_dict, self.config)


def shifted(labels: Tensor, config: Seq2SeqConfig) -> Tensor:
    """`labels [B, S]` one place later, behind the start token; pads where a label does not count.

    Raises:
        BertwrightError: BW600 a config without a start token.
    """
    if config.decoder_start_token_id is None:
        raise BertwrightError("BW600", missing="config.json: decoder_start_token_id")
    start = labels.new_full((len(labels), 1), config.decoder_start_token_id)
    earlier = torch.cat([start, labels[:, :-1]], 1)
    return earlier.masked_fill(earlier == IGNORED, config.pad_token_id or 0)


def _up_to_the_last(real: Tensor) -> Tensor:
    """`[B, S]`: True up to the last True of each row."""
    return real.flip(1).cumsum(1).flip(1) > 0


def refuse_empty(source: Ragged) -> None:
    """Raise BW601 where a source has no token: there is nothing to look at."""
    if not all(source.lengths):
        raise BertwrightError("BW601", number=source.lengths.index(0) + 1)


def _is_encoder_decoder(folder: Path) -> bool:
    values = read_json_file(folder / "config.json")
    return bool(values.get("model_type") == MODEL_TYPE)
