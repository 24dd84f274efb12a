"""Settings of the task that writes texts."""

from __future__ import annotations

from pydantic import Field

from bertwright.model.seq2seq.generation.generation_settings import MOST_BEAMS
from bertwright.model.shapes import Shape
from bertwright.settings import Settings


class Seq2SeqSettings(Settings):
    """What `seq2seq` may set."""

    max_target_length: int | None = Field(
        None, ge=2, description="seq2seq: tokens of an output, at most; not given: 128"
    )
    num_beams: int = Field(1, ge=1, le=MOST_BEAMS, description="seq2seq: beams with which outputs are searched")
    label_smoothing: float = Field(
        0.0, ge=0, lt=1, description="seq2seq: share of a target that is spread over the vocabulary"
    )
    shape: Shape | None = Field(
        None, description="seq2seq: a Transformer from scratch (tiny to large); only the vocabulary of --model is read"
    )
